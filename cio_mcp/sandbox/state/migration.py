"""Files of other versions: an older one is brought into the form of this one, a newer one is left alone."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from cio_mcp.sandbox.engine import fates
from cio_mcp.sandbox.state.schema import FORM, SCHEMA, VERSION

# Under which name this version keeps what older ones kept in a table.
RENAMED = {"activities": "log", "accepted": "timers"}

# The tables that each version has.
ALWAYS = {"people", "things", "deliveries"}

# Columns that older versions lack, and what they are made of.
MADE: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
    ("log", "at"): lambda row: row["timestamp"],
    ("log", "kind"): lambda row: row["type"],
    ("log", "cause"): lambda _: FIRST,
    ("timers", "cause"): lambda _: FIRST,
    ("points", "requested"): lambda _: 0,
    ("triggers", "really_at"): lambda row: row["created_at"],
    ("deliveries", "entry"): lambda _: FIRST,
    ("deliveries", "type"): lambda row: json.loads(row["body"])["type"],
    ("deliveries", "campaign_id"): lambda row: json.loads(row["body"]).get("campaign_id"),
    ("deliveries", "action_id"): lambda row: json.loads(row["body"]).get("action_id"),
    ("deliveries", "states"): lambda row: json.dumps(_states(row["created"], json.loads(row["body"]))),
}

# The number of the entry with which the log of a file begins that had none.
FIRST = 1


def is_older(db: sqlite3.Connection) -> bool:
    """Say whether a file is of an older version; raises sqlite3.DatabaseError for a newer one or none."""
    form, version = _version(db)
    tables = _tables(db)
    if not tables:
        return False
    if not tables >= ALWAYS:
        raise sqlite3.DatabaseError("it is not a sandbox; name another file")
    if version == VERSION:
        return False
    if form > FORM:
        raise sqlite3.DatabaseError("it is of a newer cio-mcp; update this one, or name another file")
    return True


def is_current(db: sqlite3.Connection) -> bool:
    """Say whether a file has been brought into the form of this version."""
    return _version(db) == (FORM, VERSION)


def _version(db: sqlite3.Connection) -> tuple[int, int]:
    form, version = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    return form, version


def adopt(path: Path) -> None:
    """Let a file that is not there yet begin as the newest that older versions kept beside it."""
    older = sorted(path.parent.glob("sandbox-*.db"), key=lambda found: found.stat().st_mtime)
    if not older or path.exists():
        return
    begun = path.with_name(f"{path.name}.{os.getpid()}")
    begun.touch(mode=0o600)
    with closing(sqlite3.connect(older[-1])) as source, closing(sqlite3.connect(begun)) as target:
        source.backup(target)
    begun.replace(path)


def keep_copy(db: sqlite3.Connection, path: Path) -> Path:
    """Keep a copy of a file as it is, beside it; returns the copy's path."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    copy = path.with_name(f"{path.name}.of-version-{version}")
    copy.touch(mode=0o600)
    with closing(sqlite3.connect(copy)) as kept:
        db.backup(kept)
    return copy


def migrate(db: sqlite3.Connection) -> None:
    """Bring all that an older version kept into the form of this one, inside a transaction."""
    held = {name: _rows(db, name) for name in sorted(_tables(db))}
    for name in held:
        db.execute(f"DROP TABLE {name}")
    for statement in SCHEMA.split(";"):
        db.execute(statement)
    if "log" not in held:
        at = max((row["timestamp"] for row in held.get("activities", [])), default=0)
        told = json.dumps({"was": "a file of an older version"})
        entry = "INSERT INTO log (number, at, kind, data) VALUES (?, ?, 'migrated', ?)"
        db.execute(entry, (FIRST, at, told))
    try:
        for name, rows in held.items():
            table = RENAMED.get(name, name)
            columns = [column[1] for column in db.execute(f"PRAGMA table_info({table})")]
            for row in rows:
                values = brought(table, columns, row, renumbered=table != name)
                if values:
                    names, holes = ", ".join(values), ", ".join("?" * len(values))
                    db.execute(f"INSERT INTO {table} ({names}) VALUES ({holes})", list(values.values()))  # noqa: S608
    except (KeyError, TypeError, ValueError, sqlite3.Error):
        message = "it cannot be brought into the form of this version; name another file"
        raise sqlite3.DatabaseError(message) from None


def brought(
    table: str, columns: Iterable[str], row: dict[str, Any], *, renumbered: bool = False
) -> dict[str, Any]:
    """Return a row of an older version as this one has it in a table with such columns."""
    lacking = [column for column in columns if column not in row and (table, column) in MADE]
    values = {column: MADE[table, column](row) for column in lacking}
    values |= {column: row[column] for column in columns if column in row}
    if renumbered:
        values.pop("number", None)
    return values


def _tables(db: sqlite3.Connection) -> set[str]:
    found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {row[0] for row in found}


def _rows(db: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    names = [column[1] for column in db.execute(f"PRAGMA table_info({table})")]
    return [dict(zip(names, row, strict=True)) for row in db.execute(f"SELECT * FROM {table}")]  # noqa: S608


def _states(created: int, body: dict[str, Any]) -> dict[str, int]:
    """Return when a delivery reaches each state, by the fate that older versions gave it."""
    if body.get("failure_message"):
        return {"created": created, "undeliverable": created}
    if body.get("draft"):
        return {"created": created, "drafted": created}
    leaves = max(created, body.get("send_at") or 0)
    due = fates.states(body["type"], leaves, body.get("fate") or fates.FATE)
    reported: dict[str, int] = body.get("reported", {})
    return {"created": created} | due | reported

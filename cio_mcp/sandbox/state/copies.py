"""Copies of all that a workspace holds, as JSON: what is exported, and what points keep."""

import json
import sqlite3
import zlib
from collections.abc import Callable
from typing import Any

from cio_mcp.sandbox.moments import LATEST
from cio_mcp.sandbox.state import migration
from cio_mcp.sandbox.state.schema import FORM, VERSION
from cio_mcp.sandbox.state.workspace import Workspace

KIND = "cio-mcp sandbox"

# Tables of which no copy holds the rows: points hold copies themselves, numbers that were given are not given
# again, and most of `world` is about real time.
KEPT_APART = ("points", "sqlite_sequence", "world")


# What a copy has besides tables.
HEAD: dict[str, Callable[[Any], bool]] = {
    "now": lambda now: type(now) in {int, float} and 0 <= now < LATEST,
    "frozen": lambda frozen: isinstance(frozen, bool),
    "seed": lambda seed: isinstance(seed, str),
}

# Columns whose text is JSON.
OF_JSON = {"attributes", "body", "counts", "data", "errors", "states"}


class WrongCopy(ValueError):
    """What is given is no copy of a workspace; says why."""


def take(workspace: Workspace) -> dict[str, Any]:
    """Return a copy of a moment, at which all that is due is done; two of the same state are equal."""
    with workspace.clock.at(workspace.clock()):
        workspace.settle()
        (seed,) = workspace.rows("SELECT seed FROM world")[0]
        return {
            "form": KIND,
            "release": FORM,
            "version": VERSION,
            "now": workspace.clock(),
            "frozen": workspace.clock.read().frozen,
            "seed": seed,
            "tables": {name: _table(workspace, name, order) for name, order in tables_of(workspace).items()},
        }


def put(workspace: Workspace, copy: Any) -> None:
    """Hold what a copy holds, in place of all that was here, and let its time be now. Raises WrongCopy.

    One of an older version is brought into the form of this one. It must be the only thing that is done in a
    transaction: what was read before no longer counts.
    """
    tables = _checked(workspace, copy)
    for name in tables_of(workspace):
        workspace.change(f"DELETE FROM {name}")  # noqa: S608 - a table of ours
    try:
        for name, table in tables.items():
            older = copy.get("version") != VERSION
            _fill(workspace, name, table["columns"], table["rows"], older=older)
        workspace.change("UPDATE world SET seed = ?", copy["seed"])
        workspace.clock.set(copy["now"])
        (workspace.clock.freeze if copy["frozen"] else workspace.clock.run)()
        workspace.forget_read()
    except (sqlite3.Error, TypeError, LookupError, ValueError, OverflowError, RecursionError) as error:
        raise WrongCopy(f"it contains what no sandbox can hold: {error}") from None


def _checked(workspace: Workspace, copy: Any) -> dict[str, Any]:
    """Return the tables of a copy, as this version has them."""
    if not isinstance(copy, dict) or copy.get("form") != KIND or not isinstance(copy.get("tables"), dict):
        raise WrongCopy("it is not an export of a sandbox")
    if (release := copy.get("release", 0)) != FORM and (not isinstance(release, int) or release > FORM):
        raise WrongCopy(
            f"it is of a newer cio-mcp (release {release}, this one reads {FORM}); update this one"
        )
    for name, fits in HEAD.items():
        if not fits(copy.get(name)):
            raise WrongCopy(f"it contains what no sandbox can hold: {name} is {copy.get(name)!r}")
    tables: dict[str, Any] = copy["tables"]
    older = copy.get("version") != VERSION
    known = tables_of(workspace).keys()
    named = {migration.RENAMED.get(name, name) if older else name for name in tables}
    if unknown := named - known:
        raise WrongCopy(f"it contains what no sandbox can hold: {min(unknown)}")
    if lacking := (migration.ALWAYS if older else known) - named:
        raise WrongCopy(f"it is incomplete: it lacks {min(lacking)}")
    return tables


def tables_of(workspace: Workspace) -> dict[str, str]:
    """Return the names of the tables, and by what the rows of each are ordered."""
    found = workspace.rows("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return {
        row["name"]: "1, 2" if "WITHOUT ROWID" in row["sql"] else "rowid"
        for row in found
        if row["name"] not in KEPT_APART
    }


def _table(workspace: Workspace, name: str, order: str) -> dict[str, Any]:
    columns = [row["name"] for row in workspace.rows(f"PRAGMA table_info({name})")]
    rows = workspace.rows(f"SELECT * FROM {name} ORDER BY {order}")  # noqa: S608 - a table of ours
    return {"columns": columns, "rows": [list(row) for row in rows]}


def _fill(workspace: Workspace, name: str, columns: list[str], rows: list[list[Any]], *, older: bool) -> None:
    table = migration.RENAMED.get(name, name) if older else name
    known = [row["name"] for row in workspace.rows(f"PRAGMA table_info({table})")]
    if older:
        named = (dict(zip(columns, row, strict=True)) for row in rows)
        brought = [migration.brought(table, known, row, renumbered=table != name) for row in named]
        columns = list(brought[0]) if brought else known
        rows = [list(row.values()) for row in brought]
    if unknown := set(columns) - set(known):
        raise WrongCopy(f"it contains what no sandbox can hold: {name}.{min(unknown)}")
    for place in (place for place, column in enumerate(columns) if column in OF_JSON):
        for row in rows:
            json.loads(row[place])
    holes = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({holes})"  # noqa: S608 - checked
    workspace.insert_all(statement, map(tuple, rows))


def packed(copy: dict[str, Any]) -> bytes:
    """Return a copy as a point keeps it."""
    return zlib.compress(json.dumps(copy).encode())


def unpacked(kept: bytes) -> str:
    """Return the JSON of a copy that a point keeps."""
    return zlib.decompress(kept).decode()


def written(copy: dict[str, Any]) -> str:
    """Return a copy as text, one row of a table a line."""
    tables = copy["tables"].items()
    parts = []
    for name, table in tables:
        rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in table["rows"])
        columns = json.dumps(table["columns"])
        parts.append(f'{json.dumps(name)}: {{"columns": {columns}, "rows": [\n{rows}\n]}}')
    head = {name: value for name, value in copy.items() if name != "tables"}
    return f'{json.dumps(head)[:-1]}, "tables": {{\n' + ",\n".join(parts) + "\n}}\n"

"""The workspace's database, its clock, and what it has accepted but not yet applied."""

import json
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

SCHEMA = """
CREATE TABLE IF NOT EXISTS people (
  cio_id TEXT PRIMARY KEY, id TEXT UNIQUE, email TEXT UNIQUE COLLATE NOCASE, attributes TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS phones ON people (json_extract(attributes, '$.phone'));
CREATE TABLE IF NOT EXISTS devices (
  cio_id TEXT NOT NULL, id TEXT NOT NULL, platform TEXT, last_used INTEGER, PRIMARY KEY (cio_id, id));
CREATE TABLE IF NOT EXISTS objects (
  number INTEGER PRIMARY KEY, object_type_id INTEGER NOT NULL, object_id TEXT NOT NULL,
  attributes TEXT NOT NULL DEFAULT '{}', UNIQUE (object_type_id, object_id));
CREATE TABLE IF NOT EXISTS relationships (
  number INTEGER PRIMARY KEY, cio_id TEXT NOT NULL, object INTEGER NOT NULL, attributes TEXT NOT NULL,
  UNIQUE (cio_id, object));
CREATE TABLE IF NOT EXISTS anonymous_relationships (
  anonymous_id TEXT NOT NULL, object INTEGER NOT NULL, attributes TEXT NOT NULL,
  PRIMARY KEY (anonymous_id, object));
CREATE TABLE IF NOT EXISTS members (
  segment_id INTEGER NOT NULL, cio_id TEXT NOT NULL, PRIMARY KEY (segment_id, cio_id));
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY, cio_id TEXT, anonymous_id TEXT, type TEXT NOT NULL, name TEXT NOT NULL,
  data TEXT NOT NULL, timestamp INTEGER NOT NULL, event_id TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS activities (
  number INTEGER PRIMARY KEY, cio_id TEXT, type TEXT NOT NULL, name TEXT, timestamp INTEGER NOT NULL,
  data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS suppressed (identifier TEXT PRIMARY KEY COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS accepted (number INTEGER PRIMARY KEY, due REAL NOT NULL, what TEXT NOT NULL,
  body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS things (kind TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS metrics (
  campaign_id INTEGER NOT NULL, action_id INTEGER NOT NULL, channel TEXT NOT NULL, day INTEGER NOT NULL,
  counts TEXT NOT NULL, PRIMARY KEY (action_id, day));
CREATE TABLE IF NOT EXISTS triggers (broadcast_id INTEGER NOT NULL, id INTEGER NOT NULL,
  created_at INTEGER NOT NULL, errors TEXT NOT NULL, PRIMARY KEY (broadcast_id, id));
CREATE TABLE IF NOT EXISTS deliveries (
  number INTEGER PRIMARY KEY, id TEXT UNIQUE, cio_id TEXT, created INTEGER, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS faults (
  number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, met INTEGER NOT NULL DEFAULT 0,
  struck INTEGER NOT NULL DEFAULT 0);
"""

# Kept in the file: what was made with other tables is not touched.
VERSION = zlib.crc32(SCHEMA.encode()) & 0x7FFFFFFF

Row = sqlite3.Row
Applier = Callable[["Workspace", dict[str, Any]], None]
_APPLIERS: dict[str, Applier] = {}


def applies(what: str) -> Callable[[Applier], Applier]:
    """Return a decorator for the function that applies accepted writes of a kind."""

    def register(applier: Applier) -> Applier:
        _APPLIERS[what] = applier
        return applier

    return register


class Workspace:
    """One workspace in SQLite. Every request is one transaction, so several processes may share a file.

    Times are unix seconds by `clock`. A Track write is accepted first and applied `lag` seconds later, at the
    next request that comes: nothing runs in the background. A broadcast's trigger has been worked through
    `broadcast_seconds` after it was made. Raises sqlite3.Error for a file that is no such workspace.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        clock: Callable[[], float],
        region: Literal["us", "eu"],
        lag: float,
        broadcast_seconds: int,
    ) -> None:
        self.region = region
        self.broadcast_seconds = broadcast_seconds
        self._clock = clock
        self._lag = lag
        self._db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._check_version()
        self._use_wal()
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT")

    def _check_version(self) -> None:
        found = "SELECT user_version, EXISTS (SELECT 1 FROM sqlite_master) FROM pragma_user_version"
        version, has_tables = self._db.execute(found).fetchone()
        if has_tables and version != VERSION:
            message = "it was made by another version, or is no sandbox; delete it, or name another file"
            raise sqlite3.DatabaseError(message)

    def _use_wal(self) -> None:
        """Let processes read and write side by side. Only here SQLite itself does not wait for a writer."""
        until = time.monotonic() + 5
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    def copy(self, other: "Workspace") -> None:
        """Hold what another workspace holds, in place of all that was here."""
        other._db.backup(self._db)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def now(self) -> int:
        """Return the time of day in whole unix seconds."""
        return int(self._clock())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do everything inside at once or not at all; what is due by then is applied before and after."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self.settle()
            yield
            self.settle()
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def rows(self, statement: str, *values: Any, **named: Any) -> list[Row]:
        """Return what a statement finds, with values for each `?` in turn or for each `:name`."""
        return self._db.execute(statement, named or values).fetchall()

    def row(self, statement: str, *values: Any) -> Row | None:
        """Return the first row that a statement finds."""
        found: Row | None = self._db.execute(statement, values).fetchone()
        return found

    def change(self, statement: str, *values: Any) -> int:
        """Run a statement that changes something; returns how many rows it changed."""
        return self._db.execute(statement, values).rowcount

    def accept(self, what: str, body: dict[str, Any], due: float | None = None) -> None:
        """Take a write, to be applied at `due`, or once the lag has passed."""
        due = self._clock() + self._lag if due is None else due
        self.change("INSERT INTO accepted (due, what, body) VALUES (?, ?, ?)", due, what, json.dumps(body))

    def log(self, type_: str, cio_id: str | None, name: str | None = None, **data: Any) -> None:
        """Add to the activity log, which is where rejected data shows up."""
        self.enter(type_, cio_id, name, data)

    def enter(
        self, type_: str, cio_id: str | None, name: str | None, data: dict[str, Any], at: int | None = None
    ) -> None:
        """Add to the activity log with whatever data, at a time of its own."""
        self.change(
            "INSERT INTO activities (cio_id, type, name, timestamp, data) VALUES (?, ?, ?, ?, ?)",
            cio_id,
            type_,
            name,
            self.now() if at is None else at,
            json.dumps(data),
        )

    def things(self, kind: str) -> list[dict[str, Any]]:
        """Return everything of a kind that is configured: campaigns, broadcasts, segments, messages."""
        return [
            json.loads(row["body"])
            for row in self.rows("SELECT body FROM things WHERE kind = ? ORDER BY id", kind)
        ]

    def thing(self, kind: str, number: int) -> dict[str, Any] | None:
        """Return one of them, or None."""
        return next((thing for thing in self.things(kind) if thing["id"] == number), None)

    def configure(self, kind: str, body: dict[str, Any]) -> None:
        """Add or change one of them."""
        self.change("INSERT OR REPLACE INTO things VALUES (?, ?, ?)", kind, body["id"], json.dumps(body))

    def next_number(self, kind: str) -> int:
        """Return the id that the next thing of a kind has."""
        return max((thing["id"] for thing in self.things(kind)), default=0) + 1

    def remove(self, kind: str, number: int) -> None:
        """Remove one of them."""
        self.change("DELETE FROM things WHERE kind = ? AND id = ?", kind, number)

    def settle(self) -> None:
        """Apply what has been accepted and is due by now."""
        for row in self.rows("SELECT * FROM accepted WHERE due <= ? ORDER BY number", self._clock()):
            self.change("DELETE FROM accepted WHERE number = ?", row["number"])
            _APPLIERS[row["what"]](self, json.loads(row["body"]))

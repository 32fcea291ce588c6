"""The workspace's database, its clock and log, and what it has accepted but not yet applied."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from cio_mcp.sandbox.engine.clock import Clock
from cio_mcp.sandbox.state.schema import SCHEMA, VERSION

Row = sqlite3.Row
Applier = Callable[["Workspace", dict[str, Any]], None]
_APPLIERS: dict[str, Applier] = {}


def applies(what: str) -> Callable[[Applier], Applier]:
    """Return a decorator for the function that applies accepted writes of a kind, or what a timer starts."""

    def register(applier: Applier) -> Applier:
        _APPLIERS[what] = applier
        return applier

    return register


class Workspace:
    """One workspace in SQLite. Every request is one transaction, so several processes may share a file.

    Times are unix seconds by its own `clock`, which `real` time drives. A Track write is accepted first and
    applied `lag` seconds later, at the next request that comes: nothing runs in the background. A
    broadcast's trigger has been worked through `broadcast_seconds` after it was made. Raises sqlite3.Error
    for a file that is no such workspace.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        real: Callable[[], float],
        region: Literal["us", "eu"],
        lag: float,
        broadcast_seconds: int,
    ) -> None:
        self.region = region
        self.broadcast_seconds = broadcast_seconds
        self._lag = lag
        self._cause: int | None = None
        self._db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self.clock = Clock(self._db, real)
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
        with self.locked():
            self.clock.begin()

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
        return int(self.clock())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Change everything inside at once or not at all; nobody else changes anything meanwhile."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do everything inside at once or not at all, at one moment; what is due by then is done before."""
        while self._pass():
            pass
        with self.locked():
            self.clock.note_use()
            with self.clock.at(self.clock()):
                self.settle()
                yield
                self.settle()

    def advance(self, moment: float) -> dict[str, int]:
        """Move the clock on to a time, from timer to timer: others see it on its way.

        Returns how many entries of each kind the log has got meanwhile.
        """
        newest = "SELECT coalesce(max(number), 0) AS number FROM log"
        before = self.rows(newest)[0]["number"]
        while self._pass(moment):
            pass
        counts = "SELECT kind, count(*) AS count FROM log WHERE number > ? GROUP BY kind ORDER BY kind"
        return {row["kind"]: row["count"] for row in self.rows(counts, before)}

    def _pass(self, until: float | None = None) -> bool:
        """Do what is due first, in a transaction of its own; returns whether there was anything.

        With `until` it is due by then, and the clock moves on to when it was due, or to `until` in the end.
        """
        if until is None and not self._next(self.clock()):
            return False
        with self.locked():
            due = self._next(self.clock() if until is None else until)
            if until is not None:
                self.clock.set(max(due["due"] if due else until, self.clock()))
            if due:
                self._do(due)
        return due is not None

    def settle(self) -> None:
        """Do what is due by now."""
        while due := self._next(self.clock()):
            self._do(due)

    def _next(self, until: float) -> Row | None:
        return self.row("SELECT * FROM timers WHERE due <= ? ORDER BY due, number LIMIT 1", until)

    def _do(self, timer: Row) -> None:
        self.change("DELETE FROM timers WHERE number = ?", timer["number"])
        with self.clock.at(timer["due"]), self.because(timer["cause"]):
            _APPLIERS[timer["what"]](self, json.loads(timer["body"]))

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
        with self.because(self.note("accepted", None, what, body)):
            self.wait(self.clock() + self._lag if due is None else due, what, body)

    def wait(self, due: float, what: str, body: dict[str, Any], key: str | None = None) -> None:
        """Let something be done at a time, by reason of what is being done now; `key` replaces another."""
        statement = "INSERT OR REPLACE INTO timers (due, what, body, cause, key) VALUES (?, ?, ?, ?, ?)"
        self.change(statement, due, what, json.dumps(body), self._cause, key)

    @contextmanager
    def because(self, cause: int | None) -> Iterator[None]:
        """Name an entry of the log as the cause of all that is entered inside this context."""
        before, self._cause = self._cause, cause
        try:
            yield
        finally:
            self._cause = before

    def note(
        self,
        kind: str,
        cio_id: str | None,
        name: str | None = None,
        data: dict[str, Any] | None = None,
        *,
        timestamp: int | None = None,
    ) -> int:
        """Add to the log, with the cause that there is; returns the entry's number."""
        statement = (
            "INSERT INTO log (at, kind, cio_id, name, cause, timestamp, data) VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        values = (self.now(), kind, cio_id, name, self._cause, timestamp, json.dumps(data or {}))
        return self._db.execute(statement, values).lastrowid or 0

    def log(self, type_: str, cio_id: str | None, name: str | None = None, **data: Any) -> int:
        """Add to the activities, which are where rejected data shows up."""
        return self.enter(type_, cio_id, name, data)

    def enter(
        self, type_: str, cio_id: str | None, name: str | None, data: dict[str, Any], at: int | None = None
    ) -> int:
        """Add to the activities with whatever data, at a time of its own; returns the entry's number."""
        return self.note(type_, cio_id, name, data, timestamp=self.now() if at is None else at)

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

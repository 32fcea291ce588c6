"""A workspace's SQLite database, which several processes may share."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cio_mcp.sandbox.engine.clock import Clock
from cio_mcp.sandbox.state.schema import SCHEMA, VERSION

Row = sqlite3.Row


class Database:
    """The database, and its clock, which `real` time drives.

    Raises sqlite3.Error for a file that is no workspace of this version.
    """

    def __init__(self, path: str | Path, real: Callable[[], float]) -> None:
        self._db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self.clock = Clock(self._db, real)
        try:
            self._check_version()
            self._use_wal()
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT")
            with self.locked():
                self.clock.begin()
        except BaseException:
            self._db.close()
            raise

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

    def copy(self, other: "Database") -> None:
        """Hold what another database holds, in place of all that was here."""
        other._db.backup(self._db)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

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

    def insert(self, statement: str, *values: Any) -> int:
        """Insert a row; returns its number."""
        return self._db.execute(statement, values).lastrowid or 0

"""A workspace's SQLite database, which several processes may share."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from cio_mcp.sandbox.engine.clock import Clock
from cio_mcp.sandbox.state import migration
from cio_mcp.sandbox.state.schema import FORM, SCHEMA, VERSION

Row = sqlite3.Row

# Whether this SQLite can tell all that it holds (3.36, if it was built as usual).
HAS_IMAGES = hasattr(sqlite3.Connection, "serialize")

# Seconds that a transaction waits for others at the most, and after how many it looks again. SQLite by itself
# looks so seldom that it would hardly ever meet a gap between many transactions in a row.
PATIENCE, BREATH = 5.0, 0.002

# Seconds of transactions in a row between two gaps, and how long a gap is for those of other processes.
WORK, GAP = 0.02, 2 * BREATH


class Database:
    """The database, and its clock, which `real` time drives. It may begin with all that another one holds.

    A file of an older version is migrated, after a copy of it was kept beside it. Raises sqlite3.Error for a
    file of a newer version, and for one that is no workspace; neither is changed.
    """

    def __init__(
        self, path: str | Path, real: Callable[[], float], copy_of: "Database | None" = None
    ) -> None:
        self.is_file = str(path) != ":memory:"
        self._gave_way = time.monotonic()
        # Some SQLites take a name that begins with `file:` for an address.
        place = Path(path).absolute() if self.is_file else path
        self._db = sqlite3.connect(place, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self.clock = Clock(self._db, real)
        try:
            if migration.is_older(self._db) and self.is_file:
                migration.keep_copy(self._db, Path(path))
            # Until here SQLite itself waits for who closes the file: from now on it is looked at more often.
            self._db.execute(f"PRAGMA busy_timeout = {int(BREATH * 1000)}")
            self._use_wal()
            self._db.execute("PRAGMA synchronous = NORMAL")
            if copy_of:
                self.copy(copy_of)
            # Who finds all as it should be writes nothing: a file that is read waits for no disk.
            if not (migration.is_current(self._db) and self.clock.is_in_use()):
                with self.locked():
                    self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        """Bring the tables into the form of this version, and let the clock begin."""
        if migration.is_older(self._db):
            migration.migrate(self._db)
        if not migration.is_current(self._db):
            for statement in SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {VERSION}")
            self._db.execute(f"PRAGMA application_id = {FORM}")
        self.clock.begin()

    def _use_wal(self) -> None:
        """Let processes read and write side by side."""
        self._wait_for("PRAGMA journal_mode = WAL")

    def image(self) -> bytes:
        """Return all that is held."""
        return self._db.serialize()

    def copy(self, other: "Database | bytes") -> None:
        """Hold what another database or an image holds, in place of all that was here."""
        if isinstance(other, Database):
            other._db.backup(self._db)
            return
        with closing(sqlite3.connect(":memory:")) as source:
            source.deserialize(other)
            source.backup(self._db)

    @contextmanager
    def beside_image(self, image: bytes) -> Iterator[None]:
        """Let the rows of an image be at hand inside, for `take_rows`."""
        self._db.execute("ATTACH ':memory:' AS image")
        try:
            self._db.deserialize(image, name="image")
            yield
        finally:
            self._db.execute("DETACH image")

    def is_blank(self) -> bool:
        """Say whether nothing was ever done here."""
        kept = " UNION ALL ".join(f"SELECT 1 FROM {table}" for table in ("things", "people", "log"))  # noqa: S608
        return self.row(kept) is None

    def take_rows(self) -> None:
        """Hold the rows of an image of this version, in tables that are empty; the clock stays."""
        for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
            if (name := row["name"]) not in {"world", "sqlite_sequence"}:
                self.change(f"INSERT INTO main.{name} SELECT * FROM image.{name}")  # noqa: S608 - a table of ours

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Change everything inside at once or not at all; nobody else changes anything meanwhile."""
        self._wait_for("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def purging(self) -> Iterator[None]:
        """Leave no byte in the file of what is deleted inside; raises ValueError if it cannot be."""
        if not self.is_file:
            yield
            return
        self._db.execute("PRAGMA secure_delete = ON")
        self._db.execute("PRAGMA temp_store = MEMORY")
        yield
        until = time.monotonic() + PATIENCE
        try:
            self._wait_for("VACUUM")
            while (held := self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]) and (
                time.monotonic() < until
            ):
                time.sleep(BREATH)
        except sqlite3.OperationalError:  # others write all the time, or the disk is full
            held = True
        if held:
            raise ValueError("it is done, but the file still has what it held before: ask for it again")

    def _wait_for(self, statement: str) -> None:
        """Run a statement once no other process is in its way."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self._db.execute(statement)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(BREATH)
            else:
                return

    def give_way(self) -> None:
        """Between many transactions in a row let those of other processes have their turn."""
        if self.is_file and time.monotonic() > self._gave_way + WORK:
            time.sleep(GAP)
            self._gave_way = time.monotonic()

    async def let_others(self) -> None:
        """Give way, also to what else this process has to do."""
        if time.monotonic() > self._gave_way + WORK:
            # One turn of the event loop is too little: an answer takes many.
            await asyncio.sleep(GAP)
            self._gave_way = time.monotonic()

    @property
    def changes(self) -> int:
        """How many rows were changed so far."""
        return self._db.total_changes

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

    @contextmanager
    def indexed_later(self) -> Iterator[None]:
        """Insert many rows inside, sooner than usual: indexes are made of them all at once."""
        own = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid"
        indexes = self.rows(own)
        for index in indexes:
            self.change(f"DROP INDEX {index['name']}")
        yield
        for index in indexes:
            self.change(index["sql"])

    def insert_all(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert many rows."""
        self._db.executemany(statement, rows)

    def insert(self, statement: str, *values: Any) -> int:
        """Insert a row; returns its number."""
        return self._db.execute(statement, values).lastrowid or 0

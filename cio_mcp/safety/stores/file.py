"""The store in a SQLite file, which all processes of a user on one host share."""

import logging
import math
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Literal

from cio_mcp.databases.sqlite import open_database
from cio_mcp.errors import NotAllowed
from cio_mcp.safety.stores import KEPT, SHELF, NoRoom, Refund, Use, in_order
from cio_mcp.settings.scopes import WINDOWS

# Seconds. Counts are kept for the longest of all windows, since other processes that share the file may use
# it. Codes are kept as long after they expire, so that a refusal can say what is wrong with one.
REMEMBERED = max(window.seconds for window in WINDOWS.values())

# Sends within this part of a window are added up in one row, so that a busy day is quick to sum before a
# send.
SLICE = 1 / 60

SCHEMA = """
CREATE TABLE IF NOT EXISTS code (
  hash TEXT PRIMARY KEY, bound TEXT NOT NULL, expires REAL NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS code_expires ON code (expires);
CREATE TABLE IF NOT EXISTS sent (
  number INTEGER PRIMARY KEY, workspace TEXT NOT NULL, at REAL NOT NULL, recipients INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS sent_at ON sent (workspace, at);
CREATE TABLE IF NOT EXISTS stop (since REAL NOT NULL);
CREATE TABLE IF NOT EXISTS kept (
  shelf TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (shelf, number)
);
CREATE TABLE IF NOT EXISTS scheduled (what TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
"""

FIRST = "INSERT INTO sent (recipients, workspace, at) VALUES (?, ?, ?)"
ADD = "UPDATE sent SET recipients = recipients + ? WHERE workspace = ? AND at = ?"

STALE = "DELETE FROM kept WHERE shelf NOT IN (SELECT shelf FROM kept WHERE at >= ?)"

_log = logging.getLogger(__name__)


def _end_of_slice(at: float, slice_: float) -> float:
    return math.ceil(at / slice_) * slice_


class FileStore:
    """A store in a SQLite file, opened on first use; `clock` is unix time.

    Every change is one transaction. With `path` None it is in memory, and so it is if the file cannot be
    used: then codes are valid in this process only, and `spend` refuses, as caps cannot be kept.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float]) -> None:
        self.place = str(path)
        self._path = path
        self._clock = clock
        self._db: sqlite3.Connection | None = None
        # With a sandbox in memory, counts may end with the process, as the sandbox does.
        self._kept = path is None

    async def remember(self, code: str, bound: str, life: float) -> None:
        """See `Store.remember`."""
        moment = self._clock()
        with self._transaction() as db:
            db.execute("DELETE FROM code WHERE expires < ?", (moment - REMEMBERED,))
            db.execute("INSERT INTO code VALUES (?, ?, ?, 0)", (code, bound, moment + life))

    async def use(self, code: str) -> tuple[Use, str]:
        """See `Store.use`."""
        with self._transaction(synchronous="FULL") as db:
            row = db.execute("SELECT bound, expires, used FROM code WHERE hash = ?", (code,)).fetchone()
            if row is None:
                return "never", ""
            bound, expires, used = row
            db.execute("UPDATE code SET used = 1 WHERE hash = ?", (code,))
        return "again" if used else "late" if expires < self._clock() else "first", bound

    async def restore(self, code: str, bound: str | None = None) -> None:
        """See `Store.restore`."""
        with self._transaction() as db:
            db.execute("UPDATE code SET used = 0, bound = coalesce(?, bound) WHERE hash = ?", (bound, code))

    async def spend(
        self, workspace: str, recipients: int, caps: Mapping[float, int], at: float | None = None
    ) -> Refund | NoRoom:
        """See `Store.spend`."""
        moment = self._clock()
        due = max(moment, at or moment)
        with self._transaction() as db:
            if not self._kept:
                raise self._unusable()
            slice_ = min(caps) * SLICE
            full = [of for of in caps if self._count(db, workspace, due, of, slice_) + recipients > caps[of]]
            if full:  # the call can be made once each of them has room
                wait = max(self._wait(db, workspace, of, caps[of] - recipients, moment) for of in full)
                return NoRoom(None if wait == math.inf else wait)
            db.execute("DELETE FROM sent WHERE workspace = ? AND at < ?", (workspace, moment - REMEMBERED))
            entry = (workspace, _end_of_slice(due, slice_))
            if not db.execute(ADD, (recipients, *entry)).rowcount:
                db.execute(FIRST, (recipients, *entry))
        return partial(self._refund, recipients, entry)

    async def schedule(self, what: str, at: float) -> None:
        """See `Store.schedule`."""
        with self._transaction() as db:
            db.execute("DELETE FROM scheduled WHERE what = ? OR at < ?", (what, self._clock()))
            if at:
                db.execute("INSERT INTO scheduled VALUES (?, ?)", (what, at))

    async def scheduled(self) -> list[str]:
        """See `Store.scheduled`."""
        with self._connection() as db:
            return in_order(db.execute("SELECT what, at FROM scheduled WHERE at >= ?", (self._clock(),)))

    async def keep(self, shelf: str, text: str) -> int:
        """See `Store.keep`."""
        moment = self._clock()
        with self._transaction() as db:
            db.execute(STALE, (moment - KEPT,))
            ((newest,),) = db.execute("SELECT coalesce(max(number), 0) FROM kept WHERE shelf = ?", (shelf,))
            db.execute("INSERT INTO kept VALUES (?, ?, ?, ?)", (shelf, newest + 1, moment, text))
            db.execute("DELETE FROM kept WHERE shelf = ? AND number <= ?", (shelf, newest + 1 - SHELF))
            return int(newest) + 1

    async def kept(self, shelf: str) -> dict[int, str]:
        """See `Store.kept`."""
        with self._connection() as db:
            query = "SELECT number, text FROM kept WHERE shelf = ? ORDER BY number DESC"
            return dict(db.execute(query, (shelf,)))

    async def drop(self, shelf: str, number: int) -> None:
        """See `Store.drop`."""
        with self._transaction() as db:
            db.execute("DELETE FROM kept WHERE shelf = ? AND number = ?", (shelf, number))

    async def _refund(self, recipients: int, entry: tuple[str, float]) -> None:
        with self._transaction() as db:
            db.execute(ADD, (-recipients, *entry))

    async def sent(self, workspace: str, seconds: float) -> int:
        """See `Store.sent`."""
        with self._transaction() as db:
            return self._count(db, workspace, self._clock(), seconds, seconds * SLICE)

    async def stop(self, stop: bool) -> str:
        """See `Store.stop`."""
        with self._transaction() as db:
            if not self._kept:
                raise self._unusable()
            db.execute("DELETE FROM stop")
            if stop:
                db.execute("INSERT INTO stop VALUES (?)", (self._clock(),))
        return self.place if stop else ""

    async def stopped(self) -> bool:
        """See `Store.stopped`."""
        with self._connection() as db:
            return db.execute("SELECT 1 FROM stop").fetchone() is not None

    async def trouble(self) -> str | None:
        """See `Store.trouble`."""
        with suppress(NotAllowed), self._connection():
            if self._kept:
                return None
        lost = "confirmation codes are valid in one process only, and nothing can be sent under caps"
        return f"{self._path} cannot be used: {lost}"

    async def aclose(self) -> None:
        """Close the file."""
        if self._db:
            self._db.close()

    @staticmethod
    def _count(db: sqlite3.Connection, workspace: str, due: float, seconds: float, slice_: float) -> int:
        """Return the recipients in the fullest window of so many seconds that the time `due` is in.

        An entry is at the end of its slice, so its sends were up to a slice earlier.
        """
        query = "SELECT at, recipients FROM sent WHERE workspace = ? AND at > ? AND at < ?"
        here = _end_of_slice(due, slice_)
        rows = db.execute(query, (workspace, due - seconds, here + seconds + slice_)).fetchall()
        later = ((at - seconds - slice_ / 2, at) for at, _ in rows if at > here)
        windows = [(due - seconds, here), *later]
        return max(sum(int(each) for at, each in rows if low < at <= high) for low, high in windows)

    @staticmethod
    def _wait(db: sqlite3.Connection, workspace: str, seconds: float, room: int, moment: float) -> float:
        """Return in how many seconds enough old entries will have left the window."""
        if room < 0:
            return math.inf
        query = "SELECT at, recipients FROM sent WHERE workspace = ? AND at > ? ORDER BY at DESC"
        for at, recipients in db.execute(query, (workspace, moment - seconds)):
            room -= recipients
            if room < 0:
                return float(at) + seconds - moment
        return 0.0

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for one statement, which needs no transaction around it."""
        self._db = self._db or self._open()
        try:
            yield self._db
        except sqlite3.Error:
            raise self._unusable() from None

    @contextmanager
    def _transaction(
        self, *, synchronous: Literal["NORMAL", "FULL"] = "NORMAL"
    ) -> Iterator[sqlite3.Connection]:
        with self._connection() as db:
            try:
                if synchronous != "NORMAL":
                    db.execute(f"PRAGMA synchronous = {synchronous}")
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                if synchronous != "NORMAL":
                    db.execute("PRAGMA synchronous = NORMAL")

    def _unusable(self) -> NotAllowed:
        return NotAllowed(
            f"Nothing was done: {self._path} cannot be used, and without it neither confirmation codes nor "
            "caps on sends work.",
            do="An operator has to make the file writable.",
        )

    def _open(self) -> sqlite3.Connection:
        # A power cut can take counts of the last half minute. A use of a code is on the disk at once.
        opened = partial(open_database, schema=SCHEMA, seconds=5, synchronous="NORMAL")
        if self._path:
            try:
                db = opened(self._path)
            except (sqlite3.Error, OSError) as error:
                _log.warning("confirmation codes are valid in this process only: %s: %s", self._path, error)
            else:
                self._kept = True
                return db
        return opened(None)

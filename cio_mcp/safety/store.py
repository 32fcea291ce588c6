"""What servers that share must know of each other to keep bounds: codes given out, messages sent."""

import logging
import math
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from cio_mcp.client.pacing.bucket_file import use_wal
from cio_mcp.errors import NotAllowed

Use = Literal["first", "again", "late", "never"]

# Takes back what was counted: nothing was sent.
Refund = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class NoRoom:
    """The caps leave no room for a send: there may be room in so many `seconds`, never if that is None."""

    seconds: float | None


# A day. Counts are kept for so long whichever windows this process counts in: others that share the file may
# count in the longest. Codes are kept for so long after they have expired, to say what is wrong with them.
REMEMBERED = 86_400.0

# What is sent within this part of a window is counted as one: a busy day is summed before every send.
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
"""

FIRST = "INSERT INTO sent (recipients, workspace, at) VALUES (?, ?, ?)"
ADD = "UPDATE sent SET recipients = recipients + ? WHERE workspace = ? AND at = ?"

_log = logging.getLogger(__name__)


class Store(Protocol):
    """Where codes and counts are kept, with a clock of its own.

    Two that ask at the same moment cannot both use a code, or the last message of a cap. Everything but
    `trouble` raises NotAllowed while the store cannot be used. `place` names it in public.
    """

    place: str

    async def remember(self, code: str, bound: str, life: float) -> None:
        """Remember a code by its hash, what it is bound to, and for how many seconds it holds."""

    async def use(self, code: str) -> tuple[Use, str]:
        """Use up a code; returns which use this is, and what the code is bound to."""

    async def restore(self, code: str) -> None:
        """Make a code usable again: what it was used for was not done."""

    async def spend(self, workspace: str, recipients: int, caps: Mapping[float, int]) -> Refund | NoRoom:
        """Count `recipients` as sent to, if each cap (seconds: recipients in them) leaves room for them.

        Returns what takes it back, or else when there may be room.
        So that few counts are kept, a window lasts up to a 60th longer.
        """

    async def sent(self, workspace: str, seconds: float) -> int:
        """Return how many recipients were counted in the last seconds, a cap's."""

    async def stop(self, stop: bool) -> None:
        """Stop everything that acts in all servers that share this store, or let it go on."""

    async def stopped(self) -> bool:
        """Say whether everything that acts is stopped."""

    async def trouble(self) -> str | None:
        """Return what cannot be kept now, and why; None if all is well."""

    async def aclose(self) -> None:
        """Let go of what is held."""


class FileStore:
    """Keeps codes and counts in a SQLite file, opened at its first use; `clock` is unix time.

    Every change is one transaction. With `path` None, and where the file cannot be used, it lives in memory:
    codes then hold in this process only, and a cap cannot be kept, so `spend` refuses.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float]) -> None:
        self.place = str(path)
        self._path = path
        self._clock = clock
        self._db: sqlite3.Connection | None = None
        # An embedded sandbox in memory ends with its process, and so may its counts.
        self._kept = path is None

    async def remember(self, code: str, bound: str, life: float) -> None:
        """See `Store.remember`."""
        moment = self._clock()
        with self._transaction() as db:
            db.execute("DELETE FROM code WHERE expires < ?", (moment - REMEMBERED,))
            db.execute("INSERT INTO code VALUES (?, ?, ?, 0)", (code, bound, moment + life))

    async def use(self, code: str) -> tuple[Use, str]:
        """See `Store.use`."""
        with self._transaction() as db:
            row = db.execute("SELECT bound, expires, used FROM code WHERE hash = ?", (code,)).fetchone()
            if row is None:
                return "never", ""
            bound, expires, used = row
            db.execute("UPDATE code SET used = 1 WHERE hash = ?", (code,))
        return "again" if used else "late" if expires < self._clock() else "first", bound

    async def restore(self, code: str) -> None:
        """See `Store.restore`."""
        with self._transaction() as db:
            db.execute("UPDATE code SET used = 0 WHERE hash = ?", (code,))

    async def spend(self, workspace: str, recipients: int, caps: Mapping[float, int]) -> Refund | NoRoom:
        """See `Store.spend`."""
        moment = self._clock()
        with self._transaction() as db:
            if not self._kept:
                raise self._unusable()
            for seconds, most in caps.items():
                if self._count(db, workspace, moment - seconds) + recipients > most:
                    return self._wait(db, workspace, seconds, most - recipients, moment)
            db.execute("DELETE FROM sent WHERE workspace = ? AND at < ?", (workspace, moment - REMEMBERED))
            slice_ = min(caps) * SLICE
            entry = (workspace, math.ceil(moment / slice_) * slice_)
            if not db.execute(ADD, (recipients, *entry)).rowcount:
                db.execute(FIRST, (recipients, *entry))
        return partial(self._refund, recipients, entry)

    async def _refund(self, recipients: int, entry: tuple[str, float]) -> None:
        with self._transaction() as db:
            db.execute(ADD, (-recipients, *entry))

    async def sent(self, workspace: str, seconds: float) -> int:
        """See `Store.sent`."""
        with self._transaction() as db:
            return self._count(db, workspace, self._clock() - seconds)

    async def stop(self, stop: bool) -> None:
        """See `Store.stop`."""
        with self._transaction() as db:
            if not self._kept:
                raise self._unusable()
            db.execute("DELETE FROM stop")
            if stop:
                db.execute("INSERT INTO stop VALUES (?)", (self._clock(),))

    async def stopped(self) -> bool:
        """See `Store.stopped`."""
        with self._transaction("BEGIN") as db:
            return db.execute("SELECT 1 FROM stop").fetchone() is not None

    async def trouble(self) -> str | None:
        """See `Store.trouble`."""
        with suppress(NotAllowed), self._transaction("BEGIN"):
            if self._kept:
                return None
        lost = "confirmation codes hold in one process only, and caps on sends cannot be kept"
        return f"{self._path} cannot be used: {lost}"

    async def aclose(self) -> None:
        """Close the file."""
        if self._db:
            self._db.close()

    @staticmethod
    def _count(db: sqlite3.Connection, workspace: str, since: float) -> int:
        query = "SELECT coalesce(sum(recipients), 0) FROM sent WHERE workspace = ? AND at > ?"
        return int(db.execute(query, (workspace, since)).fetchone()[0])

    @staticmethod
    def _wait(db: sqlite3.Connection, workspace: str, seconds: float, room: int, moment: float) -> NoRoom:
        """Return when enough of the oldest entries have left the window."""
        if room < 0:
            return NoRoom(None)
        query = "SELECT at, recipients FROM sent WHERE workspace = ? AND at > ? ORDER BY at DESC"
        for at, recipients in db.execute(query, (workspace, moment - seconds)):
            room -= recipients
            if room < 0:
                return NoRoom(at + seconds - moment)
        return NoRoom(0.0)

    @contextmanager
    def _transaction(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[sqlite3.Connection]:
        db = self._db = self._db or self._open()
        try:
            db.execute(begin)
            yield db
            db.execute("COMMIT")
        except sqlite3.Error:
            raise self._unusable() from None
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")

    def _unusable(self) -> NotAllowed:
        return NotAllowed(
            f"Nothing was done: {self._path} cannot be used, and without it neither confirmation codes nor "
            "CIO_MAX_SENDS_PER_HOUR and CIO_MAX_SENDS_PER_DAY can be kept.",
            do="An operator must make it writable.",
        )

    def _open(self) -> sqlite3.Connection:
        if self._path:
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._path.touch(mode=0o600)
                db = self._connect(str(self._path))
            except (sqlite3.Error, OSError) as error:
                _log.warning("confirmation codes hold in this process only: %s: %s", self._path, error)
            else:
                self._kept = True
                return db
        return self._connect(":memory:")

    @staticmethod
    def _connect(path: str) -> sqlite3.Connection:
        db = sqlite3.connect(path, timeout=5, isolation_level=None)
        use_wal(db, 5)
        db.execute("PRAGMA cache_size = -256")  # KiB: the system caches the file as well
        db.execute("PRAGMA synchronous = NORMAL")  # holds when a process dies; a power cut may lose a moment
        db.executescript(SCHEMA)
        return db

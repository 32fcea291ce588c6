"""What all processes of a user must know of each other to keep bounds: codes given out, messages sent."""

import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from cio_mcp.client.pacing.shared import use_wal
from cio_mcp.errors import NotAllowed

Use = Literal["first", "again", "late", "never"]

# Codes are remembered for so long after they have expired, to say what is wrong with them.
REMEMBERED = 86_400.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS code (
  hash TEXT PRIMARY KEY, bound TEXT NOT NULL, expires REAL NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (
  number INTEGER PRIMARY KEY, workspace TEXT NOT NULL, at REAL NOT NULL, recipients INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS sent_at ON sent (workspace, at);
"""

_log = logging.getLogger(__name__)


class Store:
    """Keeps codes and counts in a SQLite file, opened at its first use.

    Every change is one transaction, so two processes at the same moment cannot both use a code or the last
    message of a cap. With `path` None, and where the file cannot be used, it lives in memory: codes then hold
    in this process only, and a cap cannot be kept, so `spend` refuses.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._kept = (
            path is None
        )  # an embedded sandbox in memory ends with its process, and so may its counts

    def remember(self, code: str, bound: str, expires: float, moment: float) -> None:
        """Remember a code by its hash, what it is bound to, and until when (unix seconds) it holds."""
        with self._transaction() as db:
            db.execute("DELETE FROM code WHERE expires < ?", (moment - REMEMBERED,))
            db.execute("INSERT INTO code VALUES (?, ?, ?, 0)", (code, bound, expires))

    def use(self, code: str, moment: float) -> tuple[Use, str]:
        """Use up a code; returns which use this is, and what the code is bound to."""
        with self._transaction() as db:
            row = db.execute("SELECT bound, expires, used FROM code WHERE hash = ?", (code,)).fetchone()
            if row is None:
                return "never", ""
            bound, expires, used = row
            db.execute("UPDATE code SET used = 1 WHERE hash = ?", (code,))
        return "again" if used else "late" if expires < moment else "first", bound

    def restore(self, code: str) -> None:
        """Make a code usable again: what it was used for was not done."""
        with self._transaction() as db:
            db.execute("UPDATE code SET used = 0 WHERE hash = ?", (code,))

    def spend(
        self, workspace: str, recipients: int, caps: Mapping[float, int], moment: float
    ) -> tuple[int | None, float]:
        """Count `recipients` as sent to, if each cap (seconds: recipients in them) leaves room for them.

        Returns the entry's number, for `refund`; or None and the seconds until there may be room.
        """
        with self._transaction() as db:
            if not self._kept:
                raise self._unusable()
            for seconds, most in caps.items():
                if self._count(db, workspace, moment - seconds) + recipients > most:
                    return None, self._wait(db, workspace, seconds, most - recipients, moment)
            db.execute("DELETE FROM sent WHERE at < ?", (moment - max(caps, default=0.0),))
            entry = db.execute(
                "INSERT INTO sent (workspace, at, recipients) VALUES (?, ?, ?)",
                (workspace, moment, recipients),
            )
            return entry.lastrowid, 0.0

    def refund(self, number: int) -> None:
        """Take back an entry: nothing was sent."""
        with self._transaction() as db:
            db.execute("DELETE FROM sent WHERE number = ?", (number,))

    def sent(self, workspace: str, since: float) -> int:
        """Return how many recipients were sent to since a moment."""
        with self._transaction() as db:
            return self._count(db, workspace, since)

    def close(self) -> None:
        """Close the file."""
        if self._db:
            self._db.close()

    @staticmethod
    def _count(db: sqlite3.Connection, workspace: str, since: float) -> int:
        query = "SELECT coalesce(sum(recipients), 0) FROM sent WHERE workspace = ? AND at > ?"
        return int(db.execute(query, (workspace, since)).fetchone()[0])

    @staticmethod
    def _wait(db: sqlite3.Connection, workspace: str, seconds: float, room: int, moment: float) -> float:
        """Return when enough of the oldest entries have left the window; infinity if that is never."""
        if room < 0:
            return float("inf")
        query = "SELECT at, recipients FROM sent WHERE workspace = ? AND at > ? ORDER BY at DESC"
        for at, recipients in db.execute(query, (workspace, moment - seconds)):
            room -= recipients
            if room < 0:
                return float(at) + seconds - moment
        return 0.0

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = self._db = self._db or self._open()
        try:
            db.execute("BEGIN IMMEDIATE")
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
        db.execute("PRAGMA synchronous = NORMAL")  # holds when a process dies; a power cut may lose a moment
        db.executescript(SCHEMA)
        return db

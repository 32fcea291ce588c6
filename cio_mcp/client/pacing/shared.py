"""Slots in a small SQLite file, which all processes of a user on one host share."""

import asyncio
import logging
import os
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from cio_mcp.client.call import now
from cio_mcp.client.pacing.limits import Bucket
from cio_mcp.client.pacing.slots import LEASE, Lease, MemorySlots, Shown
from cio_mcp.databases.sqlite import use_wal

# Rows further ahead than this are from before a reboot, when the clock that all processes share began anew.
LONGEST_AHEAD = 3600.0

# A process that has not been heard of for so long does not count among those that share.
HEARD = 5.0

# When sharing fails while others may go on, this process takes itself for one of so many.
ALONE = 4

SCHEMA = """
CREATE TABLE IF NOT EXISTS bucket (
  key TEXT PRIMARY KEY, name TEXT NOT NULL, slots INTEGER NOT NULL, span REAL NOT NULL,
  shut_until REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slot (
  key TEXT NOT NULL, number INTEGER NOT NULL, free_at REAL NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS member (
  key TEXT NOT NULL, process INTEGER NOT NULL, waiting INTEGER NOT NULL, heard REAL NOT NULL,
  PRIMARY KEY (key, process)
) WITHOUT ROWID;
"""

_log = logging.getLogger(__name__)


class FileSlots:
    """Slots that processes share through `path`; the file is made where it is missing.

    Every look at it is one short transaction, so a process that is killed leaves nothing half done, and one
    that is stopped holds nothing up; what it had leased runs out. Raises sqlite3.Error or OSError where the
    file cannot be used. If it fails later, this process goes on alone, with a part of each limit.
    """

    poll: float | None = 0.05

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise
        self._known: set[Bucket] = set()
        self._alone: MemorySlots | None = None

    def _prepare(self) -> None:
        self._db.execute("PRAGMA busy_timeout = 2000")
        if not use_wal(self._db, 2):
            # A network file system has no shared memory between hosts, and its locks cannot be trusted.
            message = "the file system cannot be shared"
            raise sqlite3.OperationalError(message)
        self._db.execute("PRAGMA synchronous = OFF")  # nothing here outlives a power cut
        self._db.execute("PRAGMA cache_size = -256")  # KiB: the system caches the file as well
        self._db.executescript(SCHEMA)
        self._db.execute("PRAGMA busy_timeout = 0")  # waiting would stop the event loop; see _transaction

    async def lease(self, bucket: Bucket, ahead: float, stretch: float, waiting: int) -> Lease | float:
        """See `Slots.lease`."""
        if self._alone:
            return await self._alone.lease(bucket, ahead, stretch, waiting)
        try:
            async with self._transaction():
                return self._lease(bucket, ahead, stretch, waiting)
        except sqlite3.Error as error:
            self._go_alone(error)
            return await self.lease(bucket, ahead, stretch, waiting)

    def _lease(self, bucket: Bucket, ahead: float, stretch: float, waiting: int) -> Lease | float:
        key, moment = _key(bucket), now()
        if bucket not in self._known:
            self._introduce(bucket, key)
        self._db.execute("REPLACE INTO member VALUES (?, ?, ?, ?)", (key, os.getpid(), waiting, moment))
        number, free_at = self._db.execute(
            "SELECT number, free_at FROM slot WHERE key = ? AND number < ? ORDER BY free_at LIMIT 1",
            (key, bucket.limit),
        ).fetchone()
        (shut_until,) = self._db.execute("SELECT shut_until FROM bucket WHERE key = ?", (key,)).fetchone()
        start = max(moment, free_at, shut_until)
        if start - moment > ahead:
            return float(start - moment)
        ends = start + bucket.window * stretch + LEASE
        self._db.execute("UPDATE slot SET free_at = ? WHERE key = ? AND number = ?", (ends, key, number))
        return Lease(number, start, ends)

    async def rest(self, bucket: Bucket, lease: Lease, seconds: float) -> None:
        """See `Slots.rest`."""
        if self._alone:
            return await self._alone.rest(bucket, lease, seconds)
        change = "UPDATE slot SET free_at = ? WHERE key = ? AND number = ? AND free_at = ?"
        await self._change(change, now() + seconds, _key(bucket), lease.number, lease.ends)
        return None

    async def shut(self, bucket: Bucket, seconds: float) -> None:
        """See `Slots.shut`."""
        if self._alone:
            return await self._alone.shut(bucket, seconds)
        change = "UPDATE bucket SET shut_until = max(shut_until, ?) WHERE key = ?"
        await self._change(change, now() + seconds, _key(bucket))
        return None

    @property
    def trouble(self) -> str:
        """See `Slots.trouble`."""
        return "the file that this host's processes share failed" if self._alone else ""

    async def aclose(self) -> None:
        """See `Slots.aclose`."""
        self.close()

    def close(self) -> None:
        """Leave the file to the others."""
        self._db.close()

    async def _change(self, statement: str, *values: object) -> None:
        try:
            async with self._transaction():
                self._db.execute(statement, values)
        except sqlite3.Error as error:
            self._go_alone(error)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """Do what is inside at once; while another process is at it, wait without stopping the event loop."""
        pause = 0.0005
        while True:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                    raise
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads the tries
            pause = min(pause * 2, 0.05)
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _introduce(self, bucket: Bucket, key: str) -> None:
        """Make the rows of a bucket, and forget times from before a reboot."""
        self._db.execute("INSERT OR IGNORE INTO bucket VALUES (?, ?, 0, 0, 0)", (key, bucket.name))
        self._db.execute(
            "UPDATE bucket SET slots = max(slots, ?), span = ? WHERE key = ?",
            (bucket.limit, bucket.window, key),
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO slot VALUES (?, ?, 0)", [(key, number) for number in range(bucket.limit)]
        )
        latest = now() + max(LONGEST_AHEAD, 2 * bucket.window)
        self._db.execute("UPDATE slot SET free_at = 0 WHERE key = ? AND free_at > ?", (key, latest))
        self._db.execute("UPDATE bucket SET shut_until = 0 WHERE key = ? AND shut_until > ?", (key, latest))
        self._db.execute("DELETE FROM member WHERE heard NOT BETWEEN ? AND ?", (now() - 60, now() + 1))
        self._known.add(bucket)

    def _go_alone(self, error: sqlite3.Error) -> None:
        if self._alone is None:
            _log.warning("the shared pace failed (%s); a part of each limit is used alone", error)
            self._alone = MemorySlots(ALONE)
            self.poll = None


def _key(bucket: Bucket) -> str:
    return f"{bucket.workspace} {bucket.name}"


def look(path: Path, moment: float) -> list[Shown]:
    """Return the buckets that processes share through `path`, as they are at `moment` of `time.monotonic`."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT name, slots, span, shut_until,"
            " (SELECT count(*) FROM slot WHERE slot.key = bucket.key AND free_at > :now),"
            " (SELECT total(waiting) FROM member WHERE member.key = bucket.key AND heard > :now - :heard),"
            " (SELECT count(*) FROM member WHERE member.key = bucket.key AND heard > :now - :heard)"
            " FROM bucket ORDER BY key",
            {"now": moment, "heard": HEARD},
        ).fetchall()
    return [
        Shown(name, limit, window, used, int(waiting), max(0.0, shut_until - moment), processes)
        for name, limit, window, shut_until, used, waiting, processes in rows
    ]

"""Buckets in a SQLite file, which all processes of a user on one host share."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from cio_mcp.client.call import now
from cio_mcp.client.pacing.buckets import Bucket
from cio_mcp.client.pacing.slots import Lease, SharedBucket, Wait
from cio_mcp.databases.sqlite import is_shared, open_database

# Rows further ahead than this are from before a reboot, when the clock that they share started again.
LONGEST_AHEAD = 3600.0

# A process that has not been heard of for so long does not count among those that share.
HEARD = 5.0

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


class Busy(Exception):
    """Another process is at the file, for a moment."""


class Return(NamedTuple):
    """A leased slot that is free again at `free_at`, unless its lease has run out."""

    bucket: Bucket
    lease: Lease
    free_at: float


class BucketFile:
    """The buckets in the file at `path`, which is made where it is missing.

    All that is done to it is done in short transactions, so a process that is killed leaves nothing half
    done. Raises sqlite3.Error or OSError where the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._db = open_database(path, SCHEMA, seconds=2, synchronous="OFF")  # nothing outlives a power cut
        if not is_shared(self._db):
            self._db.close()
            message = "the file system cannot be shared"
            raise sqlite3.OperationalError(message)
        self._db.execute("PRAGMA busy_timeout = 0")  # waiting would stop the event loop
        self._known: set[Bucket] = set()

    def lease(
        self,
        bucket: Bucket,
        back: Iterable[Return],
        *,
        ahead: float,
        lasts: float,
        most: int,
        waiting: int | None,
    ) -> list[Lease] | Wait:
        """Lease up to `most` slots that are free within `ahead` seconds, the first to be free first.

        Before that, the slots in `back` are given back; and whoever looks is told that this process lives and
        how many calls wait in it, unless `waiting` is None. Raises Busy, with nothing done.
        """
        key, moment = _key(bucket), now()
        with self._transaction():
            if bucket not in self._known:
                self._introduce(bucket, key)
            self._give_back(back)
            if waiting is not None:
                self._db.execute(
                    "REPLACE INTO member VALUES (?, ?, ?, ?)", (key, os.getpid(), waiting, moment)
                )
            slots = self._db.execute(
                "SELECT number, max(:now, free_at, (SELECT shut_until FROM bucket WHERE key = :key))"
                " FROM slot WHERE key = :key AND number < :limit ORDER BY free_at LIMIT :most",
                {"key": key, "limit": bucket.limit, "now": moment, "most": most},
            ).fetchall()
            leases = [
                Lease(number, start, start + lasts) for number, start in slots if start - moment <= ahead
            ]
            self._db.executemany(
                "UPDATE slot SET free_at = ? WHERE key = ? AND number = ?",
                [(lease.ends, key, lease.number) for lease in leases],
            )
        return leases or Wait(slots[0][1] - moment)

    def give_back(self, back: Iterable[Return]) -> None:
        """Let slots be free again; raises Busy, with nothing done."""
        with self._transaction():
            self._give_back(back)

    def shut(self, bucket: Bucket, until: float) -> None:
        """Lease nothing of a bucket until then; raises Busy, with nothing done."""
        change = "UPDATE bucket SET shut_until = max(shut_until, ?) WHERE key = ?"
        with self._transaction():
            self._db.execute(change, (until, _key(bucket)))

    def close(self) -> None:
        """Leave the file to the others."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise Busy from None
            raise
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _give_back(self, back: Iterable[Return]) -> None:
        self._db.executemany(
            "UPDATE slot SET free_at = ? WHERE key = ? AND number = ? AND free_at = ?",
            [(free_at, _key(bucket), lease.number, lease.ends) for bucket, lease, free_at in back],
        )

    def _introduce(self, bucket: Bucket, key: str) -> None:
        """Make the rows of a bucket, and forget times from before a reboot."""
        self._db.execute("INSERT OR IGNORE INTO bucket VALUES (?, ?, 0, 0, 0)", (key, bucket.label))
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


def look(path: Path, moment: float) -> list[SharedBucket]:
    """Return the buckets that processes share through `path`, as they are at `moment` of `time.monotonic`."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'bucket'").fetchone():
            return []  # no process has used it yet
        rows = db.execute(
            "SELECT name, slots, span, shut_until,"
            " (SELECT count(*) FROM slot WHERE slot.key = bucket.key AND free_at > :now),"
            " (SELECT total(waiting) FROM member WHERE member.key = bucket.key AND heard > :now - :heard),"
            " (SELECT count(*) FROM member WHERE member.key = bucket.key AND heard > :now - :heard)"
            " FROM bucket ORDER BY key",
            {"now": moment, "heard": HEARD},
        ).fetchall()
    return [
        SharedBucket(name, limit, window, used, int(waiting), max(0.0, shut_until - moment), processes)
        for name, limit, window, shut_until, used, waiting, processes in rows
    ]


def _key(bucket: Bucket) -> str:
    return f"{bucket.workspace} {bucket.label}"

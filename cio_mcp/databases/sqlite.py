"""SQLite files that several processes use side by side."""

import sqlite3
import time
from pathlib import Path

from cio_mcp.files import make_private


def open_database(path: Path | None, schema: str, *, seconds: float, synchronous: str) -> sqlite3.Connection:
    """Open a file for its owner alone, made where it is missing, or without a path a database in memory.

    Processes read and write side by side where the file system can do that; whether it can is in
    `is_shared`. Where another process is writing, this and each later statement wait up to `seconds`.
    Raises sqlite3.Error or OSError where the file cannot be used.
    """
    if path:
        make_private(path)
    db = sqlite3.connect(path or ":memory:", timeout=seconds, isolation_level=None)
    try:
        _use_wal(db, seconds)
        db.execute(f"PRAGMA synchronous = {synchronous}")
        db.execute("PRAGMA cache_size = -256")  # KiB: the system caches the file as well
        db.executescript(schema)
    except BaseException:
        db.close()
        raise
    return db


def is_shared(db: sqlite3.Connection) -> bool:
    """Return whether processes can use a database side by side.

    A network file system has no shared memory between hosts, and its locks cannot be trusted.
    """
    return bool(db.execute("PRAGMA journal_mode").fetchone()[0] == "wal")


def _use_wal(db: sqlite3.Connection, seconds: float) -> None:
    """Write ahead of the file; only here SQLite itself does not wait for another process."""
    until = time.monotonic() + seconds
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        else:
            return
        time.sleep(0.01)

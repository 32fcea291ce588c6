"""SQLite files that several processes use side by side."""

import sqlite3
import time


def use_wal(db: sqlite3.Connection, seconds: float) -> bool:
    """Let processes read and write side by side; returns whether the file system can do that.

    Where another process is writing, this waits up to `seconds`: only here SQLite itself does not.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return bool(db.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)

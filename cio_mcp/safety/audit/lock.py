"""The files beside an audit log, and the lock of whoever writes it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import FileLock

# Seconds that a writer waits for the lock, and its pause between attempts. The wait is short, because it
# blocks the event loop, and a suspended process would never release the lock.
PATIENCE, PAUSE = 1.0, 0.002


def companion(path: Path, what: str) -> Path:
    """Return the path of the log's `head` (where its end is), `key` or `lock`."""
    return path.with_name(f"{path.name}.{what}")


def lock_of(path: Path) -> "FileLock":
    """Return the lock of the log at `path`, to be kept: making one takes longer than taking it."""
    from filelock import FileLock  # noqa: PLC0415 - only where a log is kept

    return FileLock(
        companion(path, "lock"),
        mode=0o600,
        poll_interval=PAUSE,
        fallback_to_soft=False,
        preserve_lock_file=True,
    )


@contextmanager
def locked(lock: "FileLock", patience: float) -> Iterator[None]:
    """Hold a log's lock; raises OSError if another process keeps it for more than `patience` seconds."""
    from filelock import Timeout  # noqa: PLC0415 - as above

    try:
        lock.acquire(patience)
    except Timeout:
        raise TimeoutError(errno.ETIMEDOUT, "another process holds its lock") from None
    try:
        yield
    finally:
        lock.release()

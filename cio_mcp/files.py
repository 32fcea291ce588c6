"""Files for their owner alone: keys, tokens, state, the audit log."""

import errno
import logging
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Windows has no such modes: there a user's folders are their own.
POSIX = os.name == "posix"

OTHERS_MAY, OTHERS_MAY_WRITE = 0o077, 0o022

# Seconds to wait for somebody who reads a file that is to be replaced.
PAUSES = (0.0, 0.01, 0.04, 0.1, 0.2)

_log = logging.getLogger(__name__)


def make_private(path: Path) -> None:
    """Make a file, and its folder, where they are missing; raises OSError as `narrow` does.

    And for a folder in which anybody could put another file in its place.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(path.parent.stat().st_mode)
    if POSIX and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        message = f"others can replace files in its folder (mode {mode:04o}); run chmod o-w on that"
        raise PermissionError(errno.EPERM, message)
    path.touch(mode=0o600)
    narrow(path)


def narrow(path: Path) -> None:
    """Take a file from all but its owner; raises OSError if others could still write it.

    What is only read, such as a mounted secret, may belong to somebody else, and others may read it.
    """
    found = path.stat().st_mode
    mode = stat.S_IMODE(found)
    if not (POSIX and stat.S_ISREG(found) and mode & OTHERS_MAY):
        return
    try:
        path.chmod(mode & ~OTHERS_MAY)
    except OSError:
        if mode & OTHERS_MAY_WRITE:
            raise _shared(mode, "go-rwx") from None
    else:
        _log.warning("%s was open to others (mode %04o), and is now for its owner alone", path, mode)


def check_folder(folder: Path) -> None:
    """Raise OSError for a folder in which others can replace files.

    One that is missing or cannot be looked at is left to who uses it.
    """
    try:
        found = folder.stat()
    except OSError:
        return
    if not POSIX:
        return
    mode, me = stat.S_IMODE(found.st_mode), os.geteuid()
    if mode & OTHERS_MAY_WRITE:
        raise _shared(mode, "go-w")
    if me and found.st_uid not in {0, me}:
        raise PermissionError(errno.EPERM, "it belongs to another user")


def replace(path: Path, content: bytes, mode: int = 0o600, *, durable: bool = True) -> None:
    """Put a new file in a path's place at once; raises OSError, and then what was there stays.

    One that is not durable may be lost in a power cut.
    """
    with _new(path, content, mode, durable=durable) as new:
        _move(new, path)


def create(path: Path, content: bytes) -> None:
    """Make a file for its owner alone, unless another process was first; raises OSError."""
    with _new(path, content, 0o600, durable=True) as new, suppress(FileExistsError):
        path.hardlink_to(new)


@contextmanager
def _new(path: Path, content: bytes, mode: int, *, durable: bool) -> Iterator[Path]:
    """Write a file beside a path, under a name that cannot be guessed; what is left of it is removed."""
    import tempfile  # noqa: PLC0415 - reading the settings needs none of it

    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # for its owner alone
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(number)
        if mode != 0o600:
            Path(name).chmod(mode)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _move(new: Path, path: Path) -> None:
    """Move a file to a path. On Windows somebody who reads what is there is in the way, for a moment."""
    for pause in PAUSES:
        with suppress(PermissionError):
            new.replace(path)
            return
        time.sleep(pause)
    new.replace(path)


def _shared(mode: int, change: str) -> PermissionError:
    return PermissionError(errno.EPERM, f"others can write to it (mode {mode:04o}); run chmod {change} on it")

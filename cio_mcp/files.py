"""Files for their owner alone: keys, tokens, state, the audit log."""

import errno
import logging
import os
import stat
import tempfile
from pathlib import Path

# Windows has no such modes: there a user's folders are their own.
POSIX = os.name == "posix"

OTHERS_MAY, OTHERS_MAY_WRITE = 0o077, 0o022

_log = logging.getLogger(__name__)


def make_private(path: Path) -> None:
    """Make a file, and its folder, where they are missing; raises OSError as `narrow` does."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    narrow(path)


def narrow(path: Path) -> None:
    """Take a file from all but its owner; raises OSError if others could still write it.

    What is only read, such as a mounted secret, may belong to somebody else, and others may read it.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if not (POSIX and mode & OTHERS_MAY):
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


def replace(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put a new file in a path's place at once; raises OSError, and then what was there stays."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # for its owner alone
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        if mode != 0o600:
            Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _shared(mode: int, change: str) -> PermissionError:
    return PermissionError(errno.EPERM, f"others can write to it (mode {mode:04o}); run chmod {change} on it")

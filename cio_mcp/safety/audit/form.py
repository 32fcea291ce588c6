"""Lines of the audit log and its head, as they are in the files.

A line contains the hash of the line before. The head has number and hash of the newest line, and how many
lines are surely on the disk, so that lines which a power cut took are told from lines that somebody cut off.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from cio_mcp.files import POSIX
from cio_mcp.safety.audit.disk import BINARY
from cio_mcp.safety.audit.lock import companion

# The hash that the first line has for the line before it.
BEGINNING = "0" * 64

# What a writer appends to a line that another writer did not finish: marks it as torn and ends it.
TORN = b" TORN\n"

# All heads have this length, so that each replaces the one before as a whole.
HEAD = 200

# A head is never a link.
NO_LINK = getattr(os, "O_NOFOLLOW", 0)

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Head(NamedTuple):
    """Number and hash of the newest line, how many lines are surely on the disk, and the file's number.

    By that a file which was moved away is told from one whose lines a power cut took.
    """

    number: int
    hash: str
    on_disk: int
    file: int = 0


def read_head(path: Path) -> Head | None:
    """Return the head of the log at `path`, None if it has none."""
    try:
        found = json.loads(companion(path, "head").read_text(encoding="ascii"))
        number = int(found["number"])
        on_disk, file = int(found.get("on_disk", number)), int(found.get("file", 0))
        return Head(number, str(found["hash"]), on_disk, file)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_head(path: Path, head: Head) -> None:
    """Replace the head. After a power cut it may be an older one: the log counts where it is newer."""
    file = os.open(companion(path, "head"), os.O_WRONLY | os.O_CREAT | BINARY | NO_LINK, 0o600)
    try:
        if POSIX:
            os.fchmod(file, 0o600)
        os.write(file, json.dumps(head._asdict()).ljust(HEAD - 1).encode() + b"\n")
    finally:
        os.close(file)


def digest(line: bytes) -> str:
    """Return the hash of a line as in the file, including its line end."""
    return hashlib.sha256(line).hexdigest()


def dump(line: dict[str, Any]) -> bytes:
    """Return a line as in the file, including its line end."""
    return _encoded(line).encode() + b"\n"


def newest(file: int, size: int) -> tuple[int, str]:
    """Return number and hash of the newest line of an open file; repairs what a crashed writer left.

    An unfinished line is marked as torn, and the chain continues from the line before it.
    """
    if size == 0:
        return 0, BEGINNING
    whole = _tail(file, size)
    if not whole.endswith(b"\n"):
        append(file, TORN)
        whole = whole[: whole.rfind(b"\n") + 1]
    for line in reversed(whole.splitlines(keepends=True)):
        if not line.endswith(TORN):
            return _number(line), digest(line)
    return 0, BEGINNING


def append(file: int, text: bytes) -> int:
    """Append `text` to an open file, and return its size then; raises OSError if only a part fits in."""
    size = os.lseek(file, 0, os.SEEK_END) + len(text)
    while text:
        text = text[os.write(file, text) :]
    return size


def _number(line: bytes) -> int:
    try:
        return int(json.loads(line)["number"])
    except (ValueError, KeyError, TypeError):
        return 0


def _tail(file: int, size: int) -> bytes:
    """Return the end of a file, from the start of a complete line."""
    reach = 4096
    while True:
        start = os.lseek(file, max(0, size - reach), os.SEEK_SET)
        found = b""
        while part := os.read(file, size - start - len(found)):
            found += part
        cut = found.find(b"\n", 0, -1) + 1 if start else 0
        if start == 0 or (cut and any(not line.endswith(TORN) for line in found[cut:].splitlines(True)[:-1])):
            return found[cut:]
        reach *= 4

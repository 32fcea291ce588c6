"""Verification of the audit log: each line against the one before it, and the newest against its hash."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cio_mcp.safety.audit.form import BEGINNING, TORN, Head, digest, dump, read_head
from cio_mcp.safety.audit.lock import PATIENCE, companion, lock_of, locked


@dataclass(frozen=True)
class Flaw:
    """A fault of a log, with its file and line (0: the whole log). A `note` is not a fault of the chain."""

    path: Path
    line: int
    what: str
    note: bool = False


def verify(*paths: Path) -> Iterator[Flaw]:
    """Yield the faults of a log: changed, removed, reordered and cut-off lines, intents without outcome.

    For a log that was moved away in parts, give all parts, oldest first. Other processes may be writing it.
    """
    before, previous, number, open_ = BEGINNING, BEGINNING, 0, dict[str, tuple[Path, int]]()
    newest = paths[-1]
    size, known = _written(newest)
    for path in paths:
        for count, raw in enumerate(_read(path, size if path == newest else None), 1):
            if raw.endswith(TORN) or not raw.endswith(b"\n"):
                yield Flaw(path, count, "is torn: its writer crashed in the middle of it", note=True)
                continue
            line = _parsed(raw)
            if line.get("previous") != previous or line.get("number") != number + 1:
                yield Flaw(path, count, _broken(line, count, number))
            elif lost := line.get("lost"):
                yield Flaw(path, count, f"before it, {_lost(lost)}", note=True)
            before, previous = previous, digest(raw)
            number = line.get("number", number + 1)
            request = str(line.get("request"))
            if line.get("kind") == "intent":
                open_[request] = path, count
            elif line.get("kind") == "outcome":
                open_.pop(request, None)
    if fault := _against_head(known, number, previous, before):
        yield Flaw(newest, 0, fault, note=known is not None and known.on_disk <= number < known.number)
    for path, count in open_.values():
        yield Flaw(path, count, "has no outcome: the call may or may not have been made", note=True)


def _broken(line: dict[str, Any], count: int, number: int) -> str:
    what = "does not follow the line before it"
    if count == 1 and line.get("number", 1) > number + 1:
        return f"{what}; if the log was moved away in parts, give the older parts first"
    return what


def _missing(lines: int) -> str:
    return "1 line is missing" if lines == 1 else f"{lines} lines are missing"


def _lost(lines: int) -> str:
    return f"{_missing(lines)}, not yet on the disk when the power was cut, or when somebody cut the end off"


def _against_head(found: Head | None, number: int, newest: str, before: str) -> str | None:
    """Compare the newest line with the head, which is one line behind if a writer crashed in between."""
    if found is None:
        return "there is no head file beside the log, so lines that were cut off cannot be detected"
    known, digest_, on_disk, _ = found
    if known > number >= on_disk:
        return _lost(known - number)
    if known > number:
        return f"the end is cut off: {_missing(known - number)}"
    if known < number - 1:
        return "another program added lines: the head has the hash of an older line"
    if digest_ != (newest if known == number else before):
        return "the newest line is not the one that was written last"
    return None


def _written(path: Path) -> tuple[int, Head | None]:
    """Return the size of a log and its head at one moment; a copy has no lock and is read as it is."""
    with suppress(OSError):
        if companion(path, "lock").exists():
            with locked(lock_of(path), PATIENCE):
                return path.stat().st_size, read_head(path)
    return path.stat().st_size, read_head(path)


def _read(path: Path, size: int | None) -> Iterator[bytes]:
    with path.open("rb") as log:
        while (size is None or log.tell() < size) and (raw := log.readline()):
            yield raw


def _parsed(raw: bytes) -> dict[str, Any]:
    """Return a line that is unchanged since it was written, else nothing."""
    try:
        line = json.loads(raw)
        whole = isinstance(line, dict) and isinstance(line.get("number"), int) and dump(line) == raw
    except ValueError:
        return {}
    return line if whole else {}


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a log that can be read."""
    with path.open("rb") as log:
        for raw in log:
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line

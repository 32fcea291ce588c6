"""A record of every call that acts: what was meant before it, and how it ended, in lines that are chained.

Each line holds the hash of the line before, and the newest hash is kept in a file beside the log, so that a
changed, removed, reordered or cut line shows. That proves nothing against whoever can write both files: keep
a copy of the newest hash elsewhere for that. No argument is in the log, only a hash of all of them under a
key that is kept beside it: with the key, whether a given call is the one can be checked, and without it
nothing can be guessed.
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

if os.name == "nt":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)


# What the first line says of the line before it.
BEGINNING = "0" * 64

# What a writer adds to a line that another one died in, so that it reads as torn and the next begins anew.
TORN = b" TORN\n"

Kind = Literal["intent", "outcome", "refusal"]


class AuditLog:
    """The log at `path`, which processes share. Raises OSError where it cannot be written.

    `clock` is unix time. A line is on the disk when the method that writes it returns.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)
        _touch(path)
        with _locked(beside(path, "lock")):
            self._key = _key(beside(path, "key"))

    def intent(self, caller: str, tool: str, effect: str, arguments: dict[str, Any]) -> str:
        """Record that a call is about to be made; returns its id, for `outcome`."""
        request = secrets.token_hex(8)
        call = {"caller": caller, "tool": tool, "effect": effect, "arguments": self.fingerprint(arguments)}
        self._append("intent", request, call)
        return request

    def outcome(self, request: str, outcome: str, reason: str | None = None, **ids: Any) -> None:
        """Record how a call ended, with the ids that Customer.io gave what came of it."""
        self._append("outcome", request, {"outcome": outcome, "reason": reason, **ids})

    def refusal(self, caller: str, tool: str, effect: str, arguments: dict[str, Any], reason: str) -> None:
        """Record that a call was not allowed."""
        call = {"caller": caller, "tool": tool, "effect": effect, "arguments": self.fingerprint(arguments)}
        self._append("refusal", secrets.token_hex(8), call | {"reason": reason})

    def fingerprint(self, arguments: dict[str, Any]) -> str:
        """Return the hash of a call's arguments under the log's key."""
        text = json.dumps(arguments, sort_keys=True, default=str)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:32]

    def _append(self, kind: Kind, request: str, told: dict[str, Any]) -> None:
        with _locked(beside(self._path, "lock")), _opened(self._path) as log:
            found, known = self._newest(log), _head(self._path)
            number, previous = found if found[0] > known[0] else known
            at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
            line = {"number": number + 1, "at": at, "kind": kind, "request": request}
            line |= {name: value for name, value in told.items() if value is not None}
            written = _dump(line | {"previous": previous})
            log.seek(0, os.SEEK_END)
            _write(log, written)
            os.fsync(log.fileno())
            _write_head(self._path, number + 1, digest(written))

    def _newest(self, log: BinaryIO) -> tuple[int, str]:
        """Return number and hash of the newest line; mends what a writer that died has left.

        A line that the head does not know yet is believed: its writer died before it could say so. An
        unfinished line is closed as torn, and the chain goes on from the line before it.
        """
        size = log.seek(0, os.SEEK_END)
        if size == 0:
            return 0, BEGINNING
        whole = _tail(log, size)
        if not whole.endswith(b"\n"):
            _write(log, TORN)
            whole = whole[: whole.rfind(b"\n") + 1]
        for line in reversed(whole.splitlines(keepends=True)):
            if not line.endswith(TORN):
                return _number(line), digest(line)
        return 0, BEGINNING


@dataclass(frozen=True)
class Finding:
    """What is wrong with a log, by line (0: the log as a whole); a `note` is no fault of the chain."""

    line: int
    what: str
    note: bool = False


def verify(path: Path) -> Iterator[Finding]:
    """Yield what is wrong with a log: changed, removed, reordered and cut lines, intents without outcome."""
    before, previous, number, open_ = BEGINNING, BEGINNING, 0, dict[str, int]()
    with path.open("rb") as log:
        for count, raw in enumerate(log, 1):
            if raw.endswith(TORN) or not raw.endswith(b"\n"):
                yield Finding(count, "is torn: its writer died in the middle of it", note=True)
                continue
            try:
                line = json.loads(raw)
                whole = isinstance(line, dict) and _dump(line) == raw
            except ValueError:
                whole = False
            line = line if whole else {}
            if not whole or line.get("previous") != previous or line.get("number") != number + 1:
                yield Finding(count, "is not the line that was written after the one before it")
            before, previous = previous, digest(raw)
            number = line.get("number", number + 1) if whole else number + 1
            request = str(line.get("request"))
            if line.get("kind") == "intent":
                open_[request] = count
            elif line.get("kind") == "outcome":
                open_.pop(request, None)
    yield from _against_head(path, number, previous, before)
    for count in open_.values():
        yield Finding(count, "has no outcome: the call may or may not have been made", note=True)


def _against_head(path: Path, number: int, newest: str, before: str) -> Iterator[Finding]:
    """Compare the newest line with the file of its hash, which lags by one where a writer died in between."""
    try:
        head = json.loads(beside(path, "head").read_text())
    except (OSError, ValueError):
        yield Finding(0, "there is no file of the newest hash beside the log, so a cut tail would not show")
        return
    if head["number"] > number:
        yield Finding(0, f"the tail is cut: {head['number'] - number} lines are missing at the end")
    elif head["number"] < number - 1:
        yield Finding(0, "lines were added by another program: the newest hash is an older line's")
    elif head["hash"] != (newest if head["number"] == number else before):
        yield Finding(0, "the newest line is not the one that was written last")


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


def beside(path: Path, what: str) -> Path:
    """Return the log's file of its newest hash (`head`), its key or its lock."""
    return path.with_name(f"{path.name}.{what}")


def digest(line: bytes) -> str:
    """Return the hash of a line as it stands in the file, its end included."""
    return hashlib.sha256(line).hexdigest()


def _dump(line: dict[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _number(line: bytes) -> int:
    try:
        return int(json.loads(line)["number"])
    except (ValueError, KeyError, TypeError):
        return 0


def _tail(log: BinaryIO, size: int) -> bytes:
    """Return the end of the log, from the beginning of a line that is whole."""
    reach = 4096
    while True:
        start = max(0, size - reach)
        log.seek(start)
        found = log.read(size - start)
        cut = found.find(b"\n", 0, -1) + 1 if start else 0
        if start == 0 or (cut and any(not line.endswith(TORN) for line in found[cut:].splitlines(True)[:-1])):
            return found[cut:]
        reach *= 4


def _opened(path: Path) -> BinaryIO:
    """Open the log, made anew where it was moved away."""
    return open(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600), "r+b", buffering=0)  # noqa: PTH123


def _write(log: BinaryIO, text: bytes) -> None:
    """Write all of `text`; raises OSError where a part is all that fits."""
    while text:
        text = text[log.write(text) :]


def _head(path: Path) -> tuple[int, str]:
    """Return number and hash of the newest line by the head: where lines were cut off, the gap stays."""
    try:
        head = json.loads(beside(path, "head").read_text())
        return int(head["number"]), str(head["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, BEGINNING


def _write_head(path: Path, number: int, newest: str) -> None:
    new = beside(path, "head.new")
    _touch(new)
    new.write_text(json.dumps({"number": number, "hash": newest}) + "\n")
    new.replace(beside(path, "head"))


def _key(path: Path) -> bytes:
    """Return the key, made where there is none; the lock must be held."""
    if not path.exists():
        _touch(path)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


def _touch(path: Path) -> None:
    path.touch(mode=0o600)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a+b") as file:
        _lock(file)
        yield

"""The audit log: the intent and the outcome of every call that acts, in a chain of lines.

Each line contains the hash of the line before, and the newest hash is also in a file beside the log, so that
changed, removed, reordered and cut-off lines can be detected. Somebody who can write both files can defeat
that; against them, keep a copy of the newest hash elsewhere. The log contains no arguments, only their keyed
hash. The key is in a file beside the log: with it one can check whether a given call is the logged one, and
without it nothing can be guessed. If the log is moved away, a new file continues the same chain.
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from cio_mcp.files import make_private, replace
from cio_mcp.safety.audit.lock import PATIENCE, companion, lock_of, locked

# The hash that the first line has for the line before it.
BEGINNING = "0" * 64

# What a writer appends to a line that another writer did not finish: marks it as torn and ends it.
TORN = b" TORN\n"

# A line has at most so many names that its call is about.
MOST_NAMES = 1000

# On Windows line ends would else be changed.
BINARY = getattr(os, "O_BINARY", 0)

LineKind = Literal["intent", "outcome", "refusal", "strangers"]


class AuditLog:
    """The log at `path`, which processes share. Raises OSError if it cannot be written.

    `clock` is unix time. `workspace` is recorded with each call, if several are served. When a method that
    writes a line returns, the line is on the disk; `written` is called then. Names that calls are `about` are
    recorded as keyed hashes, so that calls about somebody can be found.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        *,
        workspace: str | None = None,
        patience: float = PATIENCE,
        written: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._workspace = workspace
        self._written = written
        self._most_patience = self._patience = patience
        make_private(path)
        self._lock = lock_of(path)
        with self._locked():
            self._key = _key(path)

    def intent(
        self,
        request: str,
        caller: str,
        tool: str,
        effect: str,
        arguments: dict[str, Any],
        about: Collection[str] = (),
        rows: int | None = None,
    ) -> None:
        """Record that the call with the id `request` is about to be made, with how many rows it has."""
        self._append("intent", request, self._call(caller, tool, effect, arguments, about, rows))

    def outcome(self, request: str, outcome: str, reason: str | None = None, **ids: Any) -> None:
        """Record how a call ended, with the ids of what it produced."""
        self._append("outcome", request, {"outcome": outcome, "reason": reason, **ids})

    def refusal(
        self,
        request: str,
        caller: str,
        tool: str,
        effect: str,
        arguments: dict[str, Any],
        reason: str,
        about: Collection[str] = (),
        rows: int | None = None,
    ) -> None:
        """Record that a call was not allowed."""
        told = self._call(caller, tool, effect, arguments, about, rows)
        self._append("refusal", request, told | {"reason": reason})

    def strangers(self, reasons: Mapping[str, int]) -> None:
        """Record how many requests without a valid token were refused, by reason."""
        self._append("strangers", "", {"count": sum(reasons.values()), "reasons": dict(reasons)})

    def _call(
        self,
        caller: str,
        tool: str,
        effect: str,
        arguments: dict[str, Any],
        about: Collection[str],
        rows: int | None,
    ) -> dict[str, Any]:
        call: dict[str, Any] = {
            "caller": caller,
            "tool": tool,
            "effect": effect,
            "arguments": self.fingerprint(arguments),
        }
        call |= {"rows": rows} if rows else {}
        names = list(dict.fromkeys(name_hash(self._key, name) for name in about))
        named = {"about": names[:MOST_NAMES]} if names else {}
        more = {"more": len(names) - MOST_NAMES} if len(names) > MOST_NAMES else {}
        return call | named | more | ({"workspace": self._workspace} if self._workspace else {})

    def fingerprint(self, arguments: dict[str, Any]) -> str:
        """Return the hash of a call's arguments under the log's key."""
        text = json.dumps(arguments, sort_keys=True, default=str)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:32]

    def _append(self, kind: LineKind, request: str, told: dict[str, Any]) -> None:
        with self._locked(), _opened(self._path) as log:
            found, known = self._newest(log), head(self._path) or (0, BEGINNING)
            number, previous = found if found[0] > known[0] else known
            at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
            line = {"number": number + 1, "at": at, "kind": kind, "request": request}
            line |= {name: value for name, value in told.items() if value is not None}
            written = dump(line | {"previous": previous})
            log.seek(0, os.SEEK_END)
            _write(log, written)
            os.fsync(log.fileno())
            _write_head(self._path, number + 1, digest(written))
        self._written()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock. After a wait in vain, the next attempts do not wait until one succeeds."""
        patience, self._patience = self._patience, 0
        with locked(self._lock, patience):
            self._patience = self._most_patience
            yield

    def _newest(self, log: BinaryIO) -> tuple[int, str]:
        """Return number and hash of the newest line; repairs what a crashed writer left.

        A line that is newer than the head counts: its writer crashed before it could update the head. An
        unfinished line is marked as torn, and the chain continues from the line before it.
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


def name_hash(key: bytes, name: str) -> str:
    """Return the hash of a name that a call is about; case and blanks around it make no difference."""
    name = name.strip().casefold().removeprefix("cio_")
    return hmac.new(key, f"about {name}".encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:16]


def head(path: Path) -> tuple[int, str] | None:
    """Return number and hash of the newest line as in the head; if lines were cut off, the gap remains."""
    try:
        head = json.loads(companion(path, "head").read_text(encoding="ascii"))
        return int(head["number"]), str(head["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def digest(line: bytes) -> str:
    """Return the hash of a line as in the file, including its line end."""
    return hashlib.sha256(line).hexdigest()


def dump(line: dict[str, Any]) -> bytes:
    """Return a line as in the file, including its line end."""
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _number(line: bytes) -> int:
    try:
        return int(json.loads(line)["number"])
    except (ValueError, KeyError, TypeError):
        return 0


def _tail(log: BinaryIO, size: int) -> bytes:
    """Return the end of the log, from the start of a complete line."""
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
    """Open the log; create it if it was moved away."""
    return open(os.open(path, os.O_RDWR | os.O_CREAT | BINARY, 0o600), "r+b", buffering=0)  # noqa: PTH123


def _write(log: BinaryIO, text: bytes) -> None:
    """Write all of `text`; raises OSError if only a part fits on the disk."""
    while text:
        text = text[log.write(text) :]


def _write_head(path: Path, number: int, newest: str) -> None:
    text = json.dumps({"number": number, "hash": newest}).encode() + b"\n"
    replace(companion(path, "head"), text, durable=False)  # the log is on the disk, and counts if it is newer


def _key(path: Path) -> bytes:
    """Return the key, created if there is none; the lock must be held."""
    kept = companion(path, "key")
    make_private(kept)
    if not kept.stat().st_size:
        replace(kept, secrets.token_bytes(32))
    return kept.read_bytes()

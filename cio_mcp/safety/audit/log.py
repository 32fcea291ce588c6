"""The audit log: the intent and the outcome of every call that acts, in a chain of lines.

The log contains no arguments, only their keyed hash. The key is in a file beside the log: with it one can
check whether a given call is the logged one, and without it nothing can be guessed.
"""

import hmac
import json
import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from cio_mcp.files import make_private, replace
from cio_mcp.safety.audit.chain import Chain
from cio_mcp.safety.audit.disk import sync
from cio_mcp.safety.audit.lock import PATIENCE, companion

# A line has at most so many names that its call is about.
MOST_NAMES = 1000

_log = logging.getLogger(__name__)

LineKind = Literal["intent", "outcome", "refusal", "strangers"]


@dataclass(frozen=True)
class Entry:
    """A call in the log, by its id `request`: whose it is, what it does, and how many rows it has.

    The names that it is `about` are recorded as keyed hashes, so that calls about somebody can be found.
    """

    request: str
    caller: str
    tool: str
    effect: str
    arguments: dict[str, Any]
    about: Collection[str] = ()
    rows: int | None = None


class AuditLog:
    """The log at `path`, which processes share. Raises OSError if it cannot be written.

    `clock` is unix time. `workspace` is recorded with each call, if several are served. What was recorded
    outlasts this process at once, and a power cut once it is on the disk: it begins its way there by `begin`,
    or within a tenth of a second; `written` is called then. `to_disk` brings an open file to the disk.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        *,
        workspace: str | None = None,
        patience: float = PATIENCE,
        to_disk: Callable[[int], None] = sync,
        written: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._workspace = workspace
        self._chain = Chain(path, patience=patience, to_disk=to_disk, written=written)
        self.begin = self._chain.begin
        with self._chain.locked():
            self._key = _key(path)

    def close(self) -> None:
        """Bring what was recorded to the disk."""
        try:
            self._chain.flush()
        except OSError as error:
            _log.error("lines of the audit log are perhaps not on the disk: %s", error.strerror)

    def intent(self, entry: Entry) -> None:
        """Record that a call is about to be made; it must not be before this is on the disk."""
        self._append("intent", entry.request, self._told(entry))

    def outcome(self, request: str, outcome: str, reason: str | None = None, **ids: Any) -> None:
        """Record how a call ended, with the ids of what it produced."""
        self._append("outcome", request, {"outcome": outcome, "reason": reason, **ids})

    def refusal(self, entry: Entry, reason: str) -> None:
        """Record that a call was not allowed."""
        self._append("refusal", entry.request, self._told(entry) | {"reason": reason})

    def strangers(self, reasons: Mapping[str, int]) -> None:
        """Record how many requests without a valid token were refused, by reason."""
        self._append("strangers", "", {"count": sum(reasons.values()), "reasons": dict(reasons)})

    def _told(self, entry: Entry) -> dict[str, Any]:
        names = list(dict.fromkeys(name_hash(self._key, name) for name in entry.about))
        return {
            "caller": entry.caller,
            "tool": entry.tool,
            "effect": entry.effect,
            "arguments": self.fingerprint(entry.arguments),
            "rows": entry.rows,
            "about": names[:MOST_NAMES] or None,
            "more": len(names) - MOST_NAMES if len(names) > MOST_NAMES else None,
            "workspace": self._workspace,
        }

    def fingerprint(self, arguments: dict[str, Any]) -> str:
        """Return the hash of a call's arguments under the log's key."""
        text = json.dumps(arguments, sort_keys=True, default=str)
        return hmac.digest(self._key, text.encode(), "sha256").hex()[:32]

    def _append(self, kind: LineKind, request: str, told: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "kind": kind, "request": request}
        self._chain.append(line | {name: value for name, value in told.items() if value is not None})


def name_hash(key: bytes, name: str) -> str:
    """Return the hash of a name that a call is about; case and blanks around it make no difference."""
    name = name.strip().casefold().removeprefix("cio_")
    return hmac.digest(key, f"about {name}".encode(errors="surrogatepass"), "sha256").hex()[:16]


def _key(path: Path) -> bytes:
    """Return the key, created if there is none; the lock must be held."""
    kept = companion(path, "key")
    make_private(kept)
    if not kept.stat().st_size:
        replace(kept, secrets.token_bytes(32))
    return kept.read_bytes()

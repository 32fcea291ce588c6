"""Confirmation codes, each of which is bound to the call in its preview."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from cio_mcp.safety.stores import Store
from cio_mcp.toolkit.people.audience import Audience, Size

# Seconds for which a code is valid.
LIFE = 600.0

# A code stays valid when it comes with other arguments: nothing was executed, and a slip should not require
# a new preview. After this many it is void, so that nobody can find out by trying what it is bound to.
MISTAKES = 3

EDITED = "the message has been edited since the preview, or could not be read then or now; the code is void"

NO_STAMPS: Mapping[str, str] = {}

USES = {
    "again": "the confirmation code has been used already; a code is valid for one call",
    "late": "the confirmation code has expired; a code is valid for ten minutes",
    "never": "there is no such confirmation code",
}


class Confirmations:
    """Issues codes and checks them.

    A code is bound to a tool, its arguments, the workspace, the size of the audience and the words that the
    preview showed, of which `stamps` tell each version from others. It is valid once.
    `growth` is the percentage by which an audience may have grown since its preview. All methods raise
    NotAllowed if the store does.
    """

    def __init__(self, store: Store, workspace: str, growth: float) -> None:
        self._store = store
        self._workspace = workspace
        self._growth = growth

    async def issue(
        self,
        tool: str,
        arguments: dict[str, Any],
        audience: Audience | None,
        stamps: Mapping[str, str] = NO_STAMPS,
    ) -> str:
        """Return a new code for a call. It cannot be guessed, and the store holds only its hash."""
        code = secrets.token_urlsafe(12)
        size = audience.counted_size if audience else None
        bound = {"call": self._call(tool, arguments), "size": size, "words": dict(stamps)}
        await self._store.remember(_hash(code), json.dumps(bound), LIFE)
        return code

    async def use(
        self,
        code: str,
        tool: str,
        arguments: dict[str, Any],
        audience: Audience | None,
        stamps: Mapping[str, str] = NO_STAMPS,
    ) -> tuple[str, Size | None, Mapping[str, str] | None]:
        """Use up a code for a call; return why it is not valid, and the size of the audience it approves.

        A code of another call stays valid for that one, until the mistakes are too many. One of other words
        is void, and their stamps are returned.
        """
        use, text = await self._store.use(_hash(code))
        if use != "first":
            return USES[use], None, None
        bound = json.loads(text)
        size = Size(*bound["size"]) if bound["size"] else None
        before, now = bound["call"], self._call(tool, arguments)
        if changed := sorted(name for name in before | now if before.get(name) != now.get(name)):
            names = ", ".join(changed)
            reason = f"the confirmation code belongs to another call: {names} changed since its preview"
        elif not (reason := self.grown(size, audience)):
            shown = bound.get("words", {})
            return (EDITED, None, shown) if shown != stamps else ("", size, None)
        bound["mistakes"] = bound.get("mistakes", 0) + 1
        if bound["mistakes"] == MISTAKES:
            return f"{reason}; after {MISTAKES} mistakes the code is void", None, None
        await self._store.restore(_hash(code), json.dumps(bound))
        return f"{reason}; it stays valid for that call", None, None

    async def restore(self, code: str) -> None:
        """Make a code valid again, because the call that used it was not executed."""
        await self._store.restore(_hash(code))

    async def void(self, code: str) -> None:
        """Make a code invalid for good, because the person who was asked did not agree."""
        await self._store.use(_hash(code))

    def grown(self, before: Size | None, audience: Audience | None) -> str:
        """Return by how much an audience has grown, if that is more than is allowed, or may be."""
        after = audience.counted_size if audience else None
        if before is None or after is None or not after.outgrows(before, self._growth):
            return ""
        allowed = f"more than the {self._growth:g} % that CIO_MAX_AUDIENCE_GROWTH allows"
        return f"the audience has grown from {before} to {after} people, {allowed}"

    def _call(self, tool: str, arguments: dict[str, Any]) -> dict[str, str]:
        """Return what a code is bound to: a hash of each part of the call, so that no part can be changed."""
        parts = {"the workspace": self._workspace, "the tool": tool, **arguments}
        return {name: _hash(json.dumps(value, sort_keys=True, default=str)) for name, value in parts.items()}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

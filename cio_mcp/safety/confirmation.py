"""Codes that bind a call to the preview that was shown of it."""

import hashlib
import json
import secrets
from typing import Any

from cio_mcp.safety.stores import Store
from cio_mcp.toolkit.audience import Audience

# A code holds for so many seconds.
LIFE = 600.0

# A code that is presented with other arguments does nothing and stays valid, so that a slip does not take a
# new preview. After so many it is void: whoever has a code could else learn by trying what it is bound to.
MISTAKES = 3

USES = {
    "again": "the code has been used already, and each holds for one call",
    "late": "the code has expired: it holds for ten minutes",
    "never": "there is no such code",
}


class Confirmations:
    """Gives out codes and judges them.

    A code is bound to a tool, its arguments, the workspace and the size of the audience, and holds once.
    `growth` is by how many percent an audience may have grown since its preview. All raise NotAllowed where
    the store does.
    """

    def __init__(self, store: Store, workspace: str, growth: float) -> None:
        self._store = store
        self._workspace = workspace
        self._growth = growth

    async def issue(self, tool: str, arguments: dict[str, Any], audience: Audience | None) -> str:
        """Return a new code for a call. It cannot be guessed, and what is stored does not tell it."""
        code = secrets.token_urlsafe(12)
        size = audience.size if audience and audience.countable else None
        bound = {"call": self._call(tool, arguments), "size": size}
        await self._store.remember(_hash(code), json.dumps(bound), LIFE)
        return code

    async def use(
        self, code: str, tool: str, arguments: dict[str, Any], audience: Audience | None
    ) -> str | None:
        """Use up a code for a call; returns why it does not hold, None if it does.

        One that belongs to another call stays valid for that, up to a number of mistakes.
        """
        use, text = await self._store.use(_hash(code))
        if use != "first":
            return USES[use]
        bound = json.loads(text)
        before, now = bound["call"], self._call(tool, arguments)
        if changed := sorted(name for name in before | now if before.get(name) != now.get(name)):
            reason = f"the code belongs to another call: {', '.join(changed)} changed since its preview"
        elif not (reason := self._grown(bound["size"], audience)):
            return None
        bound["mistakes"] = bound.get("mistakes", 0) + 1
        if bound["mistakes"] == MISTAKES:
            return f"{reason}; after {MISTAKES} mistakes it is void"
        await self._store.restore(_hash(code), json.dumps(bound))
        return f"{reason}; it still holds for that call"

    async def restore(self, code: str) -> None:
        """Let a code hold once more: the call that used it was not executed."""
        await self._store.restore(_hash(code))

    def _grown(self, before: int | None, audience: Audience | None) -> str:
        if before is None or audience is None or audience.size is None:
            return ""
        if audience.size <= before * (1 + self._growth / 100):
            return ""
        allowed = f"more than the {self._growth:g} % that CIO_MAX_AUDIENCE_GROWTH allows"
        return f"the audience has grown from {before} to {audience.size} people, {allowed}"

    def _call(self, tool: str, arguments: dict[str, Any]) -> dict[str, str]:
        """Return what a code is bound to: a hash for each part of the call, so that none can be changed."""
        parts = {"the workspace": self._workspace, "the tool": tool, **arguments}
        return {name: _hash(json.dumps(value, sort_keys=True, default=str)) for name, value in parts.items()}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

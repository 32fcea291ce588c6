"""Codes that bind a call to the preview that was shown of it."""

import hashlib
import json
import secrets
from typing import Any

from cio_mcp.safety.stores import Store
from cio_mcp.toolkit.audience import Audience

# A code holds for so many seconds.
LIFE = 600.0

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
        """Use up a code for a call, whether it holds or not; returns why it does not, None if it does."""
        use, text = await self._store.use(_hash(code))
        if use != "first":
            return USES[use]
        bound = json.loads(text)
        before, now = bound["call"], self._call(tool, arguments)
        if changed := sorted(name for name in before | now if before.get(name) != now.get(name)):
            return f"the code belongs to another call: {', '.join(changed)} changed since its preview"
        return self._grown(bound["size"], audience)

    async def restore(self, code: str) -> None:
        """Let a code hold once more: the call that used it was not executed."""
        await self._store.restore(_hash(code))

    def _grown(self, before: int | None, audience: Audience | None) -> str | None:
        if before is None or audience is None or audience.size is None:
            return None
        if audience.size <= before * (1 + self._growth / 100):
            return None
        allowed = f"more than the {self._growth:g} % that CIO_MAX_AUDIENCE_GROWTH allows"
        return f"the audience has grown from {before} to {audience.size} people, {allowed}"

    def _call(self, tool: str, arguments: dict[str, Any]) -> dict[str, str]:
        """Return what a code is bound to: a hash for each part of the call, so that none can be changed."""
        parts = {"the workspace": self._workspace, "the tool": tool, **arguments}
        return {name: _hash(json.dumps(value, sort_keys=True, default=str)) for name, value in parts.items()}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

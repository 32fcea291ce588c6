"""What a tool is supplied with: the APIs, the server's status, and what is kept of earlier calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cio_mcp.client import CustomerIO
from cio_mcp.client.api import Api
from cio_mcp.safety.tool_call import ToolCall
from cio_mcp.toolkit.answers.status import Status
from cio_mcp.toolkit.downloads import Downloads
from cio_mcp.toolkit.registry import Supplied
from cio_mcp.toolkit.rows.results import Results
from cio_mcp.toolkit.sandbox_controls import SandboxControls
from cio_mcp.toolkit.texts.history import History


@dataclass(frozen=True)
class Supplies:
    """Supplies tools; `status` is the server's, `downloads` saves files, `controls` are of a sandbox."""

    client: CustomerIO
    status: Callable[[], Awaitable[Status]]
    history: History
    downloads: Downloads
    controls: SandboxControls | None = None
    results: Results = field(default_factory=Results)

    async def of(self, call: ToolCall) -> dict[str, Any]:
        """Return what the tool of a call is supplied with, by parameter; it is made once for each call."""
        if not call.supplied:  # whole or not at all, as requests of a call can ask for it side by side
            call.supplied = {
                name: await self._supply(what, call) for name, what in call.tool.supplied.items()
            }
        return call.supplied

    async def _supply(self, what: type[Supplied], call: ToolCall) -> Supplied:
        if issubclass(what, Api):
            return self.client.api(what, call)
        if issubclass(what, SandboxControls):
            assert self.controls, "tools that need them are off without them"  # noqa: S101
            return replace(self.controls, call=call)
        if issubclass(what, History):
            return replace(self.history, call=call)
        if issubclass(what, Downloads):
            return self.downloads
        return self.results.of(call.caller) if issubclass(what, Results) else await self.status()

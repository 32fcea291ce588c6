"""The controls of the embedded sandbox, for tools that are there on a sandbox only."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from cio_mcp.client.call import Call, Outgoing, WouldSend
from cio_mcp.errors import Refused


@dataclass(frozen=True)
class SandboxControls:
    """Asks the sandbox itself, and not the APIs that it imitates.

    `ask` is what answers: it takes a control's method, path and body, and raises ValueError for what cannot
    be done. `call` is the tool call that is served.
    """

    ask: Callable[[str, str, Any], Awaitable[Any]]
    call: Call | None = None

    async def change(self, path: str, body: dict[str, Any]) -> Any:
        """Return what a control answers that changes the sandbox; raises Refused."""
        if self.call and self.call.dry_run:
            raise WouldSend(Outgoing("POST", f"/_sandbox/{path}", body))
        return await self.read(path, body)

    async def read(self, path: str, body: dict[str, Any]) -> Any:
        """Return what a control answers that changes nothing; raises Refused."""
        try:
            return await self.ask("POST", f"/_sandbox/{path}", body)
        except ValueError as wrong:
            raise Refused(f"The sandbox refused this: {wrong}.") from None

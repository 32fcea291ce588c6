"""What a transport of MCP over HTTP is."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol

from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import BaseRoute

from cio_mcp.server.server import Server
from cio_mcp.settings import Settings

# The SDK checks no names: `hosts` does, for all transports alike.
UNCHECKED = TransportSecuritySettings(enable_dns_rebinding_protection=False)


class Transport(Protocol):
    """A way to speak MCP over HTTP. It answers on its `paths`, and clients begin at the first of them."""

    title: str
    paths: tuple[str, ...]

    def routes(self, server: Server, settings: Settings) -> list[BaseRoute]:
        """Return the routes of a server."""
        ...

    def running(self, server: Server) -> AbstractAsyncContextManager[object]:
        """Return what must run while the routes are served."""
        return nullcontext(server)

    def sessions(self, server: Server, answering: Mapping[str, int]) -> int:
        """Return how many sessions are open; `answering` counts the requests that are open now, by path."""
        ...

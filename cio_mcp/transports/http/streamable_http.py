"""Streamable HTTP: requests that stand alone since 2026-07-28, sessions until 2025-11-25."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import BaseRoute

from cio_mcp.server.server import Server
from cio_mcp.settings import Settings
from cio_mcp.transports.http.transport import Transport

# Sessions live in memory, about 40 kB each, and idle for so many seconds.
MOST_SESSIONS, IDLE = 1000, 600.0


class StreamableHttp(Transport):
    """Streamable HTTP on /mcp."""

    title = "Streamable HTTP"
    paths = ("/mcp",)

    def routes(
        self, server: Server, settings: Settings, security: TransportSecuritySettings
    ) -> list[BaseRoute]:
        """See `Transport.routes`."""
        return server.streamable_http_app(
            transport_security=security,
            stateless_http=settings.stateless,
            max_request_body_size=settings.max_request_bytes,
            max_sessions=MOST_SESSIONS,
            session_idle_timeout=None if settings.stateless else IDLE,
        ).routes

    def running(self, server: Server) -> AbstractAsyncContextManager[object]:
        """See `Transport.running`."""
        return server.session_manager.run()

    def sessions(self, server: Server, _: Mapping[str, int]) -> int:
        """See `Transport.sessions`."""
        try:
            return len(server.session_manager._server_instances)  # nothing public tells it
        except RuntimeError:  # it is not served
            return 0

"""Streamable HTTP: requests that stand alone since 2026-07-28, sessions until 2025-11-25."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, authorization_context
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from cio_mcp.server.server import Server
from cio_mcp.settings import Settings
from cio_mcp.transports.http.intake import PART, IntakeRefusal
from cio_mcp.transports.http.routes import wrapped
from cio_mcp.transports.http.transport import UNCHECKED, Transport

# Sessions live in memory, about 40 kB each, and idle for so many seconds.
MOST_SESSIONS, IDLE = 1000, 600.0


class StreamableHttp(Transport):
    """Streamable HTTP on /mcp."""

    title = "Streamable HTTP"
    paths = ("/mcp",)

    def routes(self, server: Server, settings: Settings) -> list[BaseRoute]:
        """See `Transport.routes`."""
        found = server.streamable_http_app(
            transport_security=UNCHECKED,
            stateless_http=settings.stateless,
            max_request_body_size=settings.max_request_bytes,
            max_sessions=MOST_SESSIONS,
            session_idle_timeout=None if settings.stateless else IDLE,
        ).routes
        return [wrapped(route, lambda inner: _SessionRoom(inner, server)) for route in found]

    def running(self, server: Server) -> AbstractAsyncContextManager[object]:
        """See `Transport.running`."""
        return server.session_manager.run()

    def sessions(self, server: Server, _: Mapping[str, int]) -> int:
        """See `Transport.sessions`."""
        try:
            return len(server.session_manager._server_instances)  # nothing public tells it
        except RuntimeError:  # it is not served
            return 0


class _SessionRoom:
    """Lets in who opens a session if their token has room for one."""

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self._app, self._server = app, server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, user = Headers(scope=scope), scope.get("user")
        opens = headers.get("mcp-protocol-version", "") in {"", *HANDSHAKE_PROTOCOL_VERSIONS}
        if opens and "mcp-session-id" not in headers and isinstance(user, AuthenticatedUser):
            owner, owners = authorization_context(user), self._server.session_manager._session_owners
            if sum(other == owner for other in owners.values()) >= MOST_SESSIONS * PART:
                await IntakeRefusal(429, "this token has too many sessions open").answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

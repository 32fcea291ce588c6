"""SSE: a stream that stays open, and messages that are posted beside it."""

from collections.abc import Mapping

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cio_mcp.server.server import Server
from cio_mcp.settings import Settings
from cio_mcp.transports.http.routes import wrapped
from cio_mcp.transports.http.transport import Transport


class Sse(Transport):
    """SSE on /sse; the messages go to /messages/."""

    title = "SSE"
    paths = ("/sse", "/messages")

    def routes(
        self, server: Server, settings: Settings, security: TransportSecuritySettings
    ) -> list[BaseRoute]:
        """See `Transport.routes`."""
        most = settings.max_request_bytes
        found = server.sse_app(transport_security=security, max_request_body_size=most).routes
        return [
            wrapped(route, lambda inner: _HostCheck(inner, security)) if isinstance(route, Route) else route
            for route in found
        ]

    def sessions(self, _: Server, answering: Mapping[str, int]) -> int:
        """See `Transport.sessions`."""
        return answering[self.paths[0]]


class _HostCheck:
    """A stream that begins only for Host and Origin headers that are answered.

    The SDK checks that too, but raises after its answer: the log fills up and the connection breaks.
    """

    def __init__(self, app: ASGIApp, security: TransportSecuritySettings) -> None:
        self._app = app
        self._check = TransportSecurityMiddleware(security)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._check.validate_request(Request(scope, receive), is_post=False)
        await (refusal or self._app)(scope, receive, send)

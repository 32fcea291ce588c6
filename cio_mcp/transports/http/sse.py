"""SSE: a stream that stays open, and messages that are posted beside it."""

from collections.abc import Mapping

from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import BaseRoute, Route

from cio_mcp.server.server import Server
from cio_mcp.settings import Settings
from cio_mcp.transports.http.hosts import HostCheck
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
        # The SDK checks that too, but raises after its answer: the log fills up and the connection breaks.
        found = server.sse_app(transport_security=security, max_request_body_size=most).routes
        return [
            wrapped(route, lambda inner: HostCheck(inner, security)) if isinstance(route, Route) else route
            for route in found
        ]

    def sessions(self, _: Server, answering: Mapping[str, int]) -> int:
        """See `Transport.sessions`."""
        return answering[self.paths[0]]

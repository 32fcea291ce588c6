"""SSE: a stream that stays open, and messages that are posted beside it."""

from collections.abc import Mapping

from starlette.routing import BaseRoute

from cio_mcp.server.server import Server
from cio_mcp.settings import Settings
from cio_mcp.transports.http.transport import UNCHECKED, Transport


class Sse(Transport):
    """SSE on /sse; the messages go to /messages/."""

    title = "SSE"
    paths = ("/sse", "/messages")

    def routes(self, server: Server, settings: Settings) -> list[BaseRoute]:
        """See `Transport.routes`."""
        most = settings.max_request_bytes
        return list(server.sse_app(transport_security=UNCHECKED, max_request_body_size=most).routes)

    def sessions(self, _: Server, answering: Mapping[str, int]) -> int:
        """See `Transport.sessions`."""
        return answering[self.paths[0]]

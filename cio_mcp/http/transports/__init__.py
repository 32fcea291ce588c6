"""The transports of MCP over HTTP. A new one is a module here and a line in `TRANSPORTS`."""

from cio_mcp.http.transports.base import Transport
from cio_mcp.http.transports.sse import Sse
from cio_mcp.http.transports.streamable_http import StreamableHttp

# By the word for it on the command line.
TRANSPORTS: dict[str, Transport] = {"http": StreamableHttp(), "sse": Sse()}

__all__ = ["TRANSPORTS", "Transport"]

"""The transports of MCP over HTTP. A new one is a module here and a line in `TRANSPORTS`."""

from cio_mcp.transports.http.sse import Sse
from cio_mcp.transports.http.streamable_http import StreamableHttp
from cio_mcp.transports.http.transport import Transport

# By the word for it on the command line.
TRANSPORTS: dict[str, Transport] = {"http": StreamableHttp(), "sse": Sse()}

__all__ = ["TRANSPORTS", "Transport"]

"""What the process that commands are forked from does once for all of them: see processes.py."""

from uvicorn.protocols.http import auto

from cio_mcp.cli import sandbox, serve_http
from cio_mcp.tools.every import TOOLS
from cio_mcp.transports import stdio

__all__ = ["auto", "sandbox", "serve_http", "stdio"]

for tool in TOOLS:
    assert tool.input_schema
    assert tool.output_schema

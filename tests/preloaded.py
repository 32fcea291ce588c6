"""What the process that commands are forked from does once for all of them: see processes.py."""

from cio_mcp.cli import sandbox, serve
from cio_mcp.tools import TOOLS
from cio_mcp.transports import stdio

__all__ = ["sandbox", "serve", "stdio"]

for tool in TOOLS:
    assert tool.input_schema
    assert tool.output_schema

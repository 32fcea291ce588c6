"""`cio-mcp resume`: what cio-mcp stop has stopped goes on."""

from cio_mcp.cli.stop import run

__all__ = ["run"]

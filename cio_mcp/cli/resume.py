"""`cio-mcp resume`: what cio-mcp stop has stopped goes on."""

from cio_mcp.cli.stop import add_arguments, run

__all__ = ["add_arguments", "run"]

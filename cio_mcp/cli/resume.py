"""`cio-mcp resume`: allows writes, deletions and sends again after `cio-mcp stop`."""

from cio_mcp.cli.stop import add_arguments, run

__all__ = ["add_arguments", "run"]

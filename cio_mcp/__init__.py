"""An MCP server with which AI agents operate a Customer.io workspace."""

__version__ = "0.1.0"

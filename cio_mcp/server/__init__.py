"""The MCP server: what is served to whom, and one boundary for all errors."""

"""The MCP server: offers the application's tools, prompts and resources to MCP clients."""

"""MCP over HTTP: the transports, and authentication, health, metrics and disconnects around them."""

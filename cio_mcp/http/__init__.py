"""What stands around MCP over HTTP: the door, health, metrics, and clients that vanish."""

"""Messages of MCP as they are on the wire, for tests that speak without a client."""

from typing import Any

ACCEPT = {"accept": "application/json, text/event-stream"}


def initialize(version: str) -> dict[str, Any]:
    """Return the first message of a client of a revision of MCP."""
    client = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}


HELLO = initialize("2025-11-25")


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    """Return a call of a tool."""
    return {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }

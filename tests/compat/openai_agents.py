# mypy: ignore-errors
"""openai-agents lists and calls the tools; `cio-mcp` is on the PATH."""

import asyncio
from importlib.metadata import version

# --- snippet
from agents.mcp import MCPServerStdio


async def main():
    # The default of 5 s is shorter than a call may wait for its turn.
    async with MCPServerStdio(params={"command": "cio-mcp"}, client_session_timeout_seconds=35) as server:
        tools = await server.list_tools()  # an agent takes mcp_servers=[server]
        customer = await server.call_tool("get_customer", {"customer_id": "u_1001"})
        event = await server.call_tool("track_event", {"customer_id": "u_1001", "name": "seen"})
    return tools, customer, event


# ---

tools, customer, event = asyncio.run(main())
assert len(tools) >= 10, tools
assert "ada@example.com" in str(customer), customer
assert "accepted" in str(event), event
print(f"ok openai-agents {version('openai-agents')}: {len(tools)} tools listed, two called")

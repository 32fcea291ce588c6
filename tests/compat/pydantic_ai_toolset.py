# mypy: ignore-errors
"""pydantic-ai lists and calls the tools; `cio-mcp` is on the PATH."""

import asyncio
from importlib.metadata import version

# --- snippet
from fastmcp.client.transports import StdioTransport
from pydantic_ai.mcp import MCPToolset


async def main():
    toolset = MCPToolset(StdioTransport(command="cio-mcp", args=[]))  # an agent takes toolsets=[toolset]
    async with toolset:
        tools = await toolset.list_tools()
        customer = await toolset.direct_call_tool("get_customer", {"customer_id": "u_1001"})
        event = await toolset.direct_call_tool("track_event", {"customer_id": "u_1001", "name": "seen"})
    return tools, customer, event


# ---

tools, customer, event = asyncio.run(main())
assert len(tools) >= 10, tools
assert "ada@example.com" in str(customer), customer
assert "accepted" in str(event), event
print(f"ok pydantic-ai {version('pydantic-ai-slim')}: {len(tools)} tools listed, two called")

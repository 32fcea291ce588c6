# mypy: ignore-errors
"""LangChain's MCP adapters list and call the tools; `cio-mcp` is on the PATH."""

import asyncio
from importlib.metadata import version

# --- snippet
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools


async def main():
    client = MultiServerMCPClient({"customerio": {"transport": "stdio", "command": "cio-mcp", "args": []}})
    # One session for all calls; without it the adapters start a server for each call.
    async with client.session("customerio") as session:
        tools = {tool.name: tool for tool in await load_mcp_tools(session)}  # an agent takes the values
        customer = await tools["get_customer"].ainvoke({"customer_id": "u_1001"})
        event = await tools["track_event"].ainvoke({"customer_id": "u_1001", "name": "seen"})
    return tools, customer, event


# ---

tools, customer, event = asyncio.run(main())
assert len(tools) >= 10, tools
assert "ada@example.com" in str(customer), customer
assert "accepted" in str(event), event
print(f"ok langchain-mcp-adapters {version('langchain-mcp-adapters')}: {len(tools)} tools listed, two called")

import asyncio
import os

from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools

URL = os.environ["CIO_MCP_URL"]  # https://cio.example.com/mcp, or …/sse
SERVER = {
    "transport": "sse" if URL.endswith("/sse") else "streamable_http",
    "url": URL,
    "headers": {"Authorization": f"Bearer {os.environ['CIO_MCP_TOKEN']}"},
}


async def main():
    async with MultiServerMCPClient({"customerio": SERVER}).session("customerio") as session:
        tools = {tool.name: tool for tool in await load_mcp_tools(session)}  # an agent takes the values
        print(*tools)
        print(await tools["get_customer"].ainvoke({"customer_id": "u_1001"}))


asyncio.run(main())

"""The first release of MCP's own SDK, which knows only MCP 2024-11-05, lists and calls the tools."""

import asyncio

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main():
    server = StdioServerParameters(command="cio-mcp", args=[])
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        assert (await session.initialize()).protocolVersion == "2024-11-05"
        print(*(tool.name for tool in (await session.list_tools()).tools))
        print(await session.call_tool("get_customer", {"customer_id": "u_1001"}))


asyncio.run(main())

import asyncio

from fastmcp.client.transports import StdioTransport
from pydantic_ai.mcp import MCPToolset

SERVER = StdioTransport(command="cio-mcp", args=[], env={"CIO_SANDBOX": "on"})


async def main():
    async with MCPToolset(SERVER) as toolset:  # an agent takes toolsets=[toolset]
        print(*(tool.name for tool in await toolset.list_tools()))
        print(await toolset.direct_call_tool("get_customer", {"customer_id": "u_1001"}))


asyncio.run(main())

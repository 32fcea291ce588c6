import asyncio
import os

from pydantic_ai.mcp import MCPToolset

URL = os.environ["CIO_MCP_URL"]  # https://cio.example.com/mcp, or …/sse
TOKEN = os.environ["CIO_MCP_TOKEN"]


async def main():
    async with MCPToolset(URL, auth=TOKEN) as toolset:  # an agent takes toolsets=[toolset]
        print(*(tool.name for tool in await toolset.list_tools()))
        print(await toolset.direct_call_tool("get_customer", {"customer_id": "u_1001"}))


asyncio.run(main())

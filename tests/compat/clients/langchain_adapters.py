import asyncio

from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools

SERVER = {"transport": "stdio", "command": "cio-mcp", "args": [], "env": {"CIO_SANDBOX": "on"}}


async def main():
    # One session for all calls: by themselves the adapters start a server for each.
    async with MultiServerMCPClient({"customerio": SERVER}).session("customerio") as session:
        tools = {tool.name: tool for tool in await load_mcp_tools(session)}  # an agent takes the values
        print(*tools)
        print(await tools["get_customer"].ainvoke({"customer_id": "u_1001"}))


asyncio.run(main())

import asyncio
import os

from agents.mcp import MCPServerSse, MCPServerStreamableHttp

URL = os.environ["CIO_MCP_URL"]  # https://cio.example.com/mcp, or …/sse
KIND = MCPServerSse if URL.endswith("/sse") else MCPServerStreamableHttp
SERVER = {"url": URL, "headers": {"Authorization": f"Bearer {os.environ['CIO_MCP_TOKEN']}"}}


async def main():
    # By itself it gives up after 5 s; a call may wait longer for its turn.
    async with KIND(params=SERVER, client_session_timeout_seconds=35) as server:
        print(*(tool.name for tool in await server.list_tools()))  # an agent takes mcp_servers=[server]
        print(await server.call_tool("get_customer", {"customer_id": "u_1001"}))


asyncio.run(main())

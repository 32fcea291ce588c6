import asyncio

from agents.mcp import MCPServerStdio

SERVER = {"command": "cio-mcp", "env": {"CIO_SANDBOX": "on"}}


async def main():
    # By itself it gives up after 5 s; a call may wait longer for its turn.
    async with MCPServerStdio(params=SERVER, client_session_timeout_seconds=35) as server:
        print(*(tool.name for tool in await server.list_tools()))  # an agent takes mcp_servers=[server]
        print(await server.call_tool("get_customer", {"customer_id": "u_1001"}))


asyncio.run(main())

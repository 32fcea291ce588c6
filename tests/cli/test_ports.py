"""The sockets that the commands serve HTTP on."""

import asyncio
import socket

import pytest

from cio_mcp.cli.ports import listen

pytestmark = [pytest.mark.anyio, pytest.mark.real_time]


async def test_an_answer_in_two_parts_does_not_wait_for_an_acknowledgement() -> None:
    accepted = asyncio.get_running_loop().create_future()
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), sock=listener)
        _, client = await asyncio.open_connection("127.0.0.1", port)
        served: asyncio.StreamWriter = await accepted
        assert served.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        for writer in (client, served):
            writer.close()
            await writer.wait_closed()
        server.close()
        await server.wait_closed()

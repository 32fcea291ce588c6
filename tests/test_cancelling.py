"""A cancelled call that waits in the queue leaves it, over every transport and in both eras."""

import asyncio
from collections.abc import Iterator

import pytest

from cio_mcp.server.server import facts
from tests.transports.test_transports import WAYS, Served, client, serving

pytestmark = [pytest.mark.anyio, pytest.mark.processes]

# So slow a limit that a call waits half a second for each that is before it.
SLOW = {"CIO_APP_RATE": "2", "CIO_SHARED_PACE": "off"}


@pytest.fixture(scope="module")
def slow() -> Iterator[Served]:
    with serving(**SLOW) as found:
        yield found


@pytest.mark.parametrize(("transport", "mode"), WAYS)
async def test_a_cancelled_call_leaves_the_queue_and_is_not_sent(
    slow: Served, transport: str, mode: str
) -> None:
    async with client(slow, transport, mode, **SLOW) as mcp:
        await mcp.call_tool("list_campaigns", {})
        given_up = [asyncio.create_task(mcp.call_tool("list_campaigns", {})) for _ in range(5)]
        await asyncio.sleep(0.3)
        for call in given_up:
            call.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        await asyncio.sleep(0.2)
        next_one = await mcp.call_tool("list_campaigns", {})

    # Behind the five it would have waited for more than two seconds.
    assert facts(next_one).get("waited_seconds", 0) < 1.5

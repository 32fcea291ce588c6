"""An API that keeps failing is left alone for a while."""

import asyncio

import httpx
import pytest

from cio_mcp.client import RequestKind
from cio_mcp.errors import CustomerIOError, NotSent
from tests.client.wires import Connected, End, Script, connected

pytestmark = pytest.mark.anyio


async def send(there: Connected) -> CustomerIOError | None:
    """Send a message, which is never retried; returns how it failed."""
    try:
        await there.app().post("/v1/send/email", {}, kind=RequestKind.ONCE, if_unknown="Look first.")
    except CustomerIOError as error:
        return error
    return None


@pytest.mark.parametrize("fault", [500, 503, httpx.ReadTimeout, httpx.RemoteProtocolError])
async def test_after_five_failures_calls_are_answered_at_once_with_since_when_and_why(fault: End) -> None:
    wire = Script([fault] * 5)
    async with connected(wire) as there:
        for _ in range(5):
            await send(there)
            await asyncio.sleep(1)
        error = await send(there)

    assert isinstance(error, NotSent)
    assert "has failed 5 times in a row, for 5 s now" in str(error)
    assert error.retryable
    assert error.retry_in == pytest.approx(14)
    assert len(wire.arrivals) == 5


async def test_one_probe_at_a_time_closes_the_circuit_again() -> None:
    wire = Script([503] * 6)
    async with connected(wire) as there:
        for _ in range(5):
            await send(there)
        await asyncio.sleep(16)
        failed, *others = await asyncio.gather(*(send(there) for _ in range(5)))
        assert failed is not None
        assert failed.outcome == "unknown"
        assert all(isinstance(other, NotSent) for other in others)
        await asyncio.sleep(16)
        ended = await send(there)
        assert ended is None
        assert await asyncio.gather(*(send(there) for _ in range(5))) == [None] * 5

    assert len(wire.arrivals) == 5 + 1 + 1 + 5


@pytest.mark.parametrize("answer", [200, 400, 401, 404, 501])
async def test_any_answer_in_between_keeps_the_circuit_closed(answer: int) -> None:
    wire = Script([*[503] * 4, answer, *[503] * 4])
    async with connected(wire) as there:
        for _ in range(9):
            await send(there)
        assert await send(there) is None


async def test_one_apis_failure_does_not_shut_the_other() -> None:
    wire = Script([503] * 5)
    async with connected(wire) as there:
        for _ in range(5):
            await send(there)

        assert await there.track().get("/api/v1/x") == {}
        assert isinstance(await send(there), NotSent)


async def test_an_api_that_fails_now_and_then_is_not_hammered_with_retries() -> None:
    def every_second(count: list[int]) -> httpx.Response:
        count[0] += 1
        return httpx.Response(503 if count[0] % 2 else 200, json={})

    count = [0]
    wire = Script(answer=lambda _: every_second(count))
    async with connected(wire, deadline=1000) as there:
        ends = await asyncio.gather(
            *(there.track().get("/api/v1/x") for _ in range(200)), return_exceptions=True
        )

    retries = len(wire.arrivals) - len(ends)
    assert 10 <= retries <= 10 + 200 / 10

"""Whose turn it is, and how much of a limit is used."""

import asyncio

import httpx
import pytest

from cio_mcp.client import Kind, TrackApi
from cio_mcp.client.pacing import Limits
from cio_mcp.client.pacing.queue import LONGEST_LANE
from cio_mcp.errors import NotSent
from tests.client.wires import Connected, Script, connected

pytestmark = pytest.mark.anyio


def now() -> float:
    return asyncio.get_running_loop().time()


async def event(there: Connected, caller: str = "") -> float:
    """Track an event for a caller; returns when it had its answer."""
    track = there.client.api(TrackApi, there.client.begin(caller))
    await track.post("/api/v1/events", {}, kind=Kind.REPEATABLE)
    return now()


async def test_ten_requests_leave_at_once_after_idle_and_the_others_evenly() -> None:
    wire = Script()
    async with connected(wire) as there:
        await asyncio.gather(*(event(there) for _ in range(60)))

    first = wire.times[0]
    gaps = [later - earlier for earlier, later in zip(wire.times[9:], wire.times[10:], strict=False)]
    assert wire.times[:10] == [first] * 10
    assert gaps == pytest.approx([0.01] * 50, abs=0.001)


@pytest.mark.parametrize("latency", [0.001, 0.06, 0.2])
async def test_a_saturated_limit_is_used_to_at_least_99_percent_and_never_exceeded(latency: float) -> None:
    wire = Script(latency=latency)
    async with connected(wire, deadline=100) as there:
        await asyncio.gather(*(event(there) for _ in range(1500)))

    steady = [at for at in wire.times if at > wire.times[0] + 3]
    assert (len(steady) - 1) / (steady[-1] - steady[0]) >= 99
    assert max(sum(1 for at in wire.times if start <= at < start + 1) for start in steady[::7]) <= 100


async def test_one_callers_thousand_calls_do_not_keep_another_waiting() -> None:
    async with connected(Script(), deadline=100) as there:
        bulk = [asyncio.create_task(event(there, "nightly job")) for _ in range(1000)]
        await asyncio.sleep(1)
        begun = now()
        served = await asyncio.gather(*(event(there, "somebody at a desk") for _ in range(10)))
        await asyncio.gather(*bulk)

    fair = 10 * 2 * 0.01
    assert max(served) - begun <= 2 * fair


async def test_a_callers_own_calls_keep_their_order_among_others() -> None:
    ends: list[str] = []

    async def call(there: Connected, caller: str, number: int) -> None:
        await event(there, caller)
        ends.append(f"{caller}{number}")

    async with connected(Script(), limits=Limits(track=1), deadline=100) as there:
        await asyncio.gather(*(call(there, caller, n) for caller in "ab" for n in range(3)))

    assert ends == ["a0", "b0", "a1", "b1", "a2", "b2"]


async def test_a_429_makes_room_for_others_and_the_room_is_taken_back_slowly() -> None:
    wire = Script()
    async with connected(wire, deadline=100) as there:
        await event(there)
        wire.ends.append(429)
        begun = now()
        await asyncio.gather(*(event(there) for _ in range(1500)))

    def rate(since: float) -> int:
        return sum(begun + since <= at < begun + since + 1 for at in wire.times)

    assert 60 <= rate(1) <= 80
    assert 80 <= rate(6) <= 95
    assert rate(12) >= 98


async def test_a_queue_has_an_end_and_says_so_at_once() -> None:
    async with connected(Script(), limits=Limits(track=10), deadline=10_000) as there:
        waiting = [asyncio.create_task(event(there)) for _ in range(LONGEST_LANE)]
        await asyncio.sleep(0)
        begun = now()
        with pytest.raises(NotSent, match="calls wait before this one") as raised:
            await event(there)
        assert now() == begun
        for call in waiting:
            call.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    assert raised.value.retry_in == pytest.approx(LONGEST_LANE / 10, rel=0.02)


async def test_a_lost_answer_keeps_its_turn_until_its_lease_has_run_out() -> None:
    wire = Script([httpx.ReadError])
    async with connected(wire, limits=Limits(track=1), jitter=0) as there:
        await event(there)

    assert wire.times[1] - wire.times[0] == pytest.approx(1.25, abs=0.01)

"""Every request waits its turn."""

import asyncio
import gc
import logging
import random

import httpx
import pytest

from cio_mcp.client import RequestKind, TrackApi
from cio_mcp.client.call import Call
from cio_mcp.client.pacing import Bucket, Limits
from cio_mcp.errors import NotSent, Refused
from tests.client.wires import Connected, Script, connected, most_in_a_window, serving

pytestmark = pytest.mark.anyio


async def event(there: Connected) -> None:
    await there.track().post("/api/v1/events", {}, kind=RequestKind.REPEATABLE)


@pytest.mark.repeating
@pytest.mark.parametrize("latency", [0.0, 0.03, 0.4])
async def test_a_burst_of_400_events_is_taken_in_turns_and_none_is_rejected(latency: float) -> None:
    wire = Script(latency=latency)
    async with connected(wire) as there:
        await asyncio.gather(*(event(there) for _ in range(400)))

    assert len(wire.arrivals) == 400
    assert most_in_a_window(wire.times) <= 100
    assert wire.times[-1] - wire.times[0] < 4 + 2 * latency


class Jittery(Script):
    """Lets each request travel for a time of its own before it arrives."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(random.Random(len(self.arrivals)).expovariate(50))
        return await super().handle_async_request(request)


async def test_no_jitter_on_the_way_makes_a_window_overflow_where_requests_arrive() -> None:
    wire = Jittery()
    async with connected(wire) as there:
        await asyncio.gather(*(event(there) for _ in range(500)))

    assert most_in_a_window(wire.times) <= 100


async def test_a_burst_after_idle_does_not_exceed_the_limit() -> None:
    wire = Script()
    async with connected(wire) as there:
        for _ in range(3):
            await asyncio.gather(*(event(there) for _ in range(150)))
            await asyncio.sleep(5)

    assert most_in_a_window(wire.times) <= 100


async def test_calls_are_served_in_the_order_they_came() -> None:
    wire = Script()
    async with connected(wire, limits=Limits(track=5)) as there:
        await asyncio.gather(*(there.track().get("/api/v1/{number}", number=number) for number in range(20)))

    assert [request.url.path for request in wire.requests] == [f"/api/v1/{number}" for number in range(20)]


async def test_a_call_whose_turn_comes_too_late_is_told_at_once_and_not_sent() -> None:
    wire = Script()
    async with connected(wire, limits=Limits(track=1), deadline=4) as there:
        waiting = [asyncio.create_task(event(there)) for _ in range(4)]
        await asyncio.sleep(0)
        asked = asyncio.get_running_loop().time()
        with pytest.raises(
            NotSent, match=r"3 calls are ahead of this one, whose turn would come in 4 s"
        ) as raised:
            await event(there)
        told = asyncio.get_running_loop().time()
        await asyncio.gather(*waiting)

    assert told == asked
    assert raised.value.retryable
    assert raised.value.retry_in == pytest.approx(4, abs=0.01)
    assert len(wire.arrivals) == 4


async def test_a_call_with_less_time_than_those_before_it_is_told_by_its_own_deadline() -> None:
    wire = Script([httpx.Response(429, headers={"retry-after": "20"})], latency=1.5)
    async with connected(wire, limits=Limits(track=1), deadline=60) as there:
        begun = asyncio.get_running_loop().time()
        patient = [asyncio.create_task(event(there)) for _ in range(2)]
        await asyncio.sleep(0)
        hasty = there.client.api(TrackApi, Call(deadline=begun + 10))
        with pytest.raises(NotSent) as raised:
            await hasty.get("/api/v1/x")
        told = asyncio.get_running_loop().time()
        await asyncio.gather(*patient)

    assert told - begun == pytest.approx(1.5)
    assert raised.value.retry_in == pytest.approx(20, abs=0.01)
    assert len(wire.arrivals) == 3


async def test_a_429_that_shuts_the_limit_for_too_long_is_told_to_everyone_who_waits() -> None:
    wire = Script([httpx.Response(429, headers={"retry-after": "60"})], latency=0.5)
    async with connected(wire, limits=Limits(track=1), deadline=10) as there:
        begun = asyncio.get_running_loop().time()
        ends = await asyncio.gather(*(event(there) for _ in range(5)), return_exceptions=True)
        told = asyncio.get_running_loop().time()

    assert [type(end) for end in ends] == [Refused, *[NotSent] * 4], (
        "the first was sent, and Customer.io refused it"
    )
    assert told - begun == pytest.approx(0.5)
    assert len(wire.arrivals) == 1


async def test_a_call_knows_how_long_it_has_waited_in_all() -> None:
    wire = Script([503])
    async with connected(wire, limits=Limits(track=1)) as there:
        await event(there)
        call = there.client.begin()
        await there.client.api(TrackApi, call).get("/api/v1/x")

    pause = 1.0
    assert call.waited == pytest.approx(wire.times[-1] - wire.times[0] - pause, abs=0.01)


@pytest.mark.parametrize(
    ("limits", "seconds_apart"),
    [(Limits(track=2), 0.5), (Limits(track=0.5), 2.0), (Limits(track=10, share=0.1), 1.0)],
)
async def test_a_rate_may_be_any_number_and_a_share_of_it(limits: Limits, seconds_apart: float) -> None:
    wire = Script()
    async with connected(wire, limits=limits) as there:
        await asyncio.gather(*(event(there) for _ in range(9)))

    assert (wire.times[-1] - wire.times[0]) / 8 == pytest.approx(seconds_apart, rel=0.02)


def test_parts_of_a_limit_together_are_at_most_the_limit_in_its_own_window() -> None:
    track, broadcast = Bucket("track", 100, 1.0), Bucket("broadcast", 1, 10.0)

    assert track.divided(1) == track
    assert track.divided(3) == Bucket("track", 33, 1.0)
    assert broadcast.divided(4) == Bucket("broadcast", 1, 40.0)


async def test_limits_do_not_use_each_other_up() -> None:
    wire = Script()
    limits = Limits(track=1, app=1, send=1, broadcast=10)
    async with connected(wire, limits=limits) as there:
        await asyncio.gather(
            event(there),
            there.app().get("/v1/campaigns"),
            there.app().post("/v1/send/email", {}, kind=RequestKind.ONCE),
            *(
                there.app().post("/v1/campaigns/{id}/triggers", {}, kind=RequestKind.TRIGGER, id=n)
                for n in (1, 2)
            ),
        )
        assert set(wire.times) == {wire.times[0]}
        await there.app().post("/v1/campaigns/{id}/triggers", {}, kind=RequestKind.TRIGGER, id=1)

    assert wire.times[-1] - wire.times[0] == pytest.approx(10, abs=0.01)


async def test_a_429_holds_back_every_caller_of_the_limit() -> None:
    wire = Script([httpx.Response(429, headers={"retry-after": "5"})])
    async with connected(wire) as there:
        first = asyncio.create_task(event(there))
        await asyncio.sleep(0.1)
        await asyncio.gather(first, *(event(there) for _ in range(20)))

    assert all(at - wire.times[0] >= 5 for at in wire.times[1:])


async def test_a_request_that_never_left_takes_nobodys_turn() -> None:
    wire = Script([httpx.ConnectError])
    async with connected(wire, limits=Limits(track=1), jitter=0) as there:
        await event(there)

    assert wire.times[1] == wire.times[0]


async def test_a_cancelled_call_in_the_queue_gives_its_place_back() -> None:
    wire = Script()
    async with connected(wire, limits=Limits(track=10), deadline=1000) as there:
        calls = [asyncio.create_task(event(there)) for _ in range(1000)]
        await asyncio.sleep(0.5)
        for number, call in enumerate(calls):
            if number % 2:
                call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    sent = len(wire.arrivals)
    assert 500 <= sent <= 510
    assert wire.times[-1] - wire.times[0] == pytest.approx((sent - 10) / 10, rel=0.02)


async def test_no_cancellation_at_whatever_moment_loses_a_turn() -> None:
    chance, turn = random.Random(7), 1.012  # window, pad and latency: when waiting calls are let through
    wire = Script(latency=0.01)
    async with connected(wire, limits=Limits(track=5), deadline=1000) as there:
        loop = asyncio.get_running_loop()
        calls = [asyncio.create_task(event(there)) for _ in range(200)]
        for call in calls:
            loop.call_later(chance.choice([chance.uniform(0, 20), turn * chance.randint(0, 20)]), call.cancel)
        await asyncio.gather(*calls, return_exceptions=True)
        assert 0 < len(wire.arrivals) < 200
        assert most_in_a_window(wire.times) <= 5

        await asyncio.sleep(turn)
        begun = loop.time()
        await asyncio.gather(*(event(there) for _ in range(5)))

    assert wire.times[-5:] == [begun] * 5


async def test_a_call_that_is_cancelled_before_its_failure_leaves_nothing_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class FailsLate(Script):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(1)
            return await super().handle_async_request(request)

    wire = FailsLate([httpx.ReadError])
    async with connected(wire, limits=Limits(track=1)) as there:
        call = asyncio.create_task(event(there))
        await asyncio.sleep(0.5)
        call.cancel()
        await asyncio.wait([call])
        await event(there)
        del call
    gc.collect()

    lease = 1.25
    assert wire.times[1] - wire.times[0] == pytest.approx(lease, abs=0.01)
    assert not caplog.records


async def test_a_request_that_has_left_is_finished_though_its_call_is_cancelled() -> None:
    wire = Script(latency=3)
    async with connected(wire, limits=Limits(track=1)) as there:
        call = asyncio.create_task(event(there))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await event(there)

    lease = 1.25
    assert wire.times[1] - wire.times[0] == pytest.approx(lease, abs=0.01)


async def test_closing_waits_for_what_has_left_and_logs_what_does_not_come_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for latency, lines in ((0.5, 0), (5, 1)):
        caplog.clear()
        async with connected(Script(latency=latency)) as there:
            call = asyncio.create_task(there.track().put("/api/v1/customers/{id}", {}, id="someone"))
            await asyncio.sleep(0.1)
            await there.client.aclose(grace=0.8)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

        told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert told == ["unknown outcome at shutdown: PUT track.customer.io"] * lines


@pytest.mark.repeating
@pytest.mark.real_time
async def test_thirty_workers_that_cancel_at_random_leave_the_client_fully_usable() -> None:
    chance = random.Random(7)

    async def worker(there: Connected) -> None:
        for _ in range(8):
            try:
                async with asyncio.timeout(chance.uniform(0, 0.03)):
                    await event(there)
            except TimeoutError:
                pass

    wire = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=10, max_keepalive_connections=10))
    async with (
        serving(latency=0.02) as server,
        connected(wire, track_url=server.url, limits=Limits(track=100_000), deadline=60) as there,
    ):
        await asyncio.gather(*(worker(there) for _ in range(30)))
        answers = await asyncio.gather(*(there.track().get("/") for _ in range(40)))

    assert answers == [{}] * 40

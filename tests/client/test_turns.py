"""Whose turn it is, and how much of a limit is used."""

import asyncio

import httpx
import pytest

from cio_mcp.client import AppApi, RequestKind, TrackApi
from cio_mcp.client.call import Call, QueuePlace
from cio_mcp.client.pacing import Bucket, Limits, MemorySlots, Pace
from cio_mcp.client.pacing.queue import LONGEST_LANE
from cio_mcp.client.pacing.slots import Lease, Wait
from cio_mcp.errors import NotSent, Refused, UnknownOutcome
from tests.client.wires import Connected, Script, connected
from tests.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.anyio


def now() -> float:
    return asyncio.get_running_loop().time()


async def event(there: Connected, caller: str = "") -> float:
    """Track an event for a caller; returns when it had its answer."""
    track = there.client.api(TrackApi, there.client.begin(caller))
    await track.post("/api/v1/events", {}, kind=RequestKind.REPEATABLE)
    return now()


async def test_ten_requests_leave_at_once_after_idle_and_the_others_evenly() -> None:
    wire = Script()
    async with connected(wire) as there:
        await asyncio.gather(*(event(there) for _ in range(60)))

    first = wire.times[0]
    gaps = [later - earlier for earlier, later in zip(wire.times[9:], wire.times[10:], strict=False)]
    assert wire.times[:10] == [first] * 10
    assert gaps == pytest.approx([0.01] * 50, abs=0.001)


@pytest.mark.repeating
@pytest.mark.parametrize("latency", [0.001, 0.06, 0.2])
async def test_a_saturated_limit_is_used_to_at_least_99_percent_and_never_exceeded(latency: float) -> None:
    wire = Script(latency=latency)
    async with connected(wire, deadline=100) as there:
        await asyncio.gather(*(event(there) for _ in range(800)))

    steady = [at for at in wire.times if at > wire.times[0] + 3]
    assert (len(steady) - 1) / (steady[-1] - steady[0]) >= 99
    assert max(sum(1 for at in wire.times if start <= at < start + 1) for start in steady[::7]) <= 100


@pytest.mark.repeating
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
        await event(there)
        await asyncio.gather(*(call(there, caller, n) for caller in "ab" for n in range(3)))

    assert ends == ["a0", "b0", "a1", "b1", "a2", "b2"]


@pytest.mark.repeating
async def test_a_429_makes_room_for_others_and_the_room_is_taken_back_slowly() -> None:
    wire = Script()
    async with connected(wire, deadline=100) as there:
        await event(there)
        wire.ends.append(429)
        begun = now()
        await asyncio.gather(*(event(there) for _ in range(1200)))

    def rate(since: float) -> int:
        return sum(begun + since <= at < begun + since + 1 for at in wire.times)

    assert 60 <= rate(1) <= 80
    assert 80 <= rate(6) <= 95
    assert rate(12) >= 98


async def test_a_queue_has_an_end_and_says_so_at_once() -> None:
    async with connected(Script(), limits=Limits(track=10), deadline=10_000) as there:
        await asyncio.gather(*(event(there) for _ in range(10)))  # all that may leave at once
        waiting = [asyncio.create_task(event(there)) for _ in range(LONGEST_LANE)]
        await asyncio.sleep(0)
        begun = now()
        with pytest.raises(NotSent, match="calls are ahead of this one") as raised:
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


async def reads(there: Connected, path: str, count: int, caller: str = "") -> None:
    """Make so many requests at once within one call."""
    app = there.client.api(AppApi, there.client.begin(caller))
    await asyncio.gather(*(app.get(path) for _ in range(count)))


def order(wire: Script) -> str:
    """Return the last letter of each request's path, in the order of arrival."""
    return "".join(request.url.path[-1] for request in wire.requests)


async def test_a_calls_requests_from_the_third_on_go_behind_single_ones_but_for_one_turn_in_eight() -> None:
    wire = Script()
    async with connected(wire, limits=Limits(app=1), deadline=100) as there:
        await there.app().get("/v1/0")
        await asyncio.gather(
            reads(there, "/v1/b", 6),
            *(there.client.api(AppApi, there.client.begin()).get("/v1/s") for _ in range(20)),
        )

    assert order(wire) == "0" + "sssssssb" + "sssssssb" + "ssssss" + "bb" + "bb"


async def test_bulk_work_alone_uses_the_whole_limit_and_its_callers_take_turns() -> None:
    wire = Script()
    async with connected(wire, limits=Limits(app=1), deadline=100) as there:
        await there.app().get("/v1/0")
        await asyncio.gather(reads(there, "/v1/a", 6, "one"), reads(there, "/v1/b", 4, "other"))

    assert order(wire) == "0" + "abab" + "abab" + "aa"
    assert wire.times[-1] - wire.times[0] == pytest.approx(10, abs=0.1)


async def test_a_single_calls_retries_stay_ahead_of_bulk() -> None:
    tries: list[httpx.Request] = []

    def fails_thrice(request: httpx.Request) -> httpx.Response:
        tries.extend([request] if request.url.path == "/v1/s" else [])
        return httpx.Response(503 if request.url.path == "/v1/s" and len(tries) < 4 else 200, json={})

    wire = Script(answer=fails_thrice)
    async with connected(wire, limits=Limits(app=1), deadline=100, jitter=0) as there:
        await asyncio.gather(
            reads(there, "/v1/b", 9), there.client.api(AppApi, there.client.begin()).get("/v1/s")
        )

    assert order(wire) == "s" + "bb" + "sss" + "bbbbbbb"


async def test_the_turns_that_are_said_to_come_before_a_call_do_come_before_it() -> None:
    said_and_came: list[tuple[int, int]] = []

    async def call(there: Connected, caller: str) -> None:
        said: list[tuple[int, int]] = []

        async def tell(place: QueuePlace) -> None:
            said.append((place.ahead, len(wire.arrivals)))

        await there.client.api(AppApi, there.client.begin(caller, tell=tell)).get(f"/v1/{caller}")
        said_and_came.extend((ahead, len(wire.arrivals) - 1 - before) for ahead, before in said)

    wire = Script()
    async with connected(wire, limits=Limits(app=0.25), deadline=1000) as there:
        await there.app().get("/v1/0")
        await asyncio.gather(*(call(there, caller) for caller in "aaaabbc"))

    assert order(wire) == "0" + "abcabaa"
    assert len(said_and_came) > 20
    assert [said for said, _ in said_and_came] == [came for _, came in said_and_came]


async def test_a_call_of_many_short_waits_tells_its_place_as_often_as_one_of_a_long_wait() -> None:
    told: list[float] = []

    async def tell(place: QueuePlace) -> None:
        told.append(place.elapsed)

    async with connected(Script(), limits=Limits(app=1)) as there:
        app = there.client.api(AppApi, there.client.begin(tell=tell))
        for _ in range(11):
            await app.get("/v1/b")

    assert told == pytest.approx([3, 6, 9])


@pytest.mark.parametrize(("hangs", "times"), [(0, 3), (1000, 1)], ids=["raises", "hangs"])
async def test_a_place_that_cannot_be_told_harms_nobody(
    hangs: float, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[QueuePlace] = []

    async def tell(place: QueuePlace) -> None:
        tried.append(place)
        await asyncio.sleep(hangs)
        raise ConnectionError

    wire = Script()
    async with connected(wire, limits=Limits(app=0.1)) as there:
        await there.app().get("/v1/a")
        tasks = asyncio.all_tasks()
        assert await there.client.api(AppApi, there.client.begin(tell=tell)).get("/v1/b") == {}
        await asyncio.sleep(0)
        assert asyncio.all_tasks() <= tasks

    assert wire.times[1] - wire.times[0] == pytest.approx(10, abs=0.01)
    assert len(tried) == times
    assert not caplog.records


async def test_a_turn_that_comes_in_the_moment_of_the_deadline_is_given_back() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    wire, turn = Script(), 1.002
    async with connected(wire, limits=Limits(track=1)) as there:
        await event(there)
        loop.call_at(wire.times[0] + turn, loop.jump, 1.0)  # the process stands still as the turn comes
        late = there.client.api(TrackApi, Call(deadline=now() + 1.5))
        with pytest.raises(NotSent):
            await late.get("/api/v1/x")
        begun = now()
        assert await event(there) == begun

    assert len(wire.arrivals) == 2


async def test_a_call_that_is_cancelled_as_its_turn_comes_leaves_the_turn_to_the_next() -> None:
    loop = asyncio.get_running_loop()
    wire, turn = Script(), 1.002
    async with connected(wire, limits=Limits(track=1)) as there:
        await event(there)
        cancelled, patient = (asyncio.create_task(event(there)) for _ in range(2))
        just_after = 1e-10  # too little for the loop to tell it from the turn itself
        loop.call_at(wire.times[0] + turn + just_after, cancelled.cancel)
        await asyncio.wait([cancelled])
        assert await patient == pytest.approx(wire.times[0] + turn)

    assert cancelled.cancelled()


async def test_pauses_after_429s_begin_anew_once_another_answer_came() -> None:
    wire = Script([429, 429, 200, 429])
    async with connected(wire) as there:
        with pytest.raises(Refused):
            await event(there)
        await event(there)
        await event(there)

    gaps = [later - earlier for earlier, later in zip(wire.times, wire.times[1:], strict=False)]
    assert [gaps[0], gaps[1], gaps[3]] == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


@pytest.mark.repeating
async def test_a_way_that_becomes_longer_costs_nothing_once_it_is_known() -> None:
    wire = Script(latency=0.001)
    async with connected(wire, deadline=100) as there:
        await asyncio.gather(*(event(there) for _ in range(300)))
        wire.latency = 0.2
        await asyncio.gather(*(event(there) for _ in range(800)))

    steady = [at for at in wire.times if at > wire.times[300] + 4]
    assert (len(steady) - 1) / (steady[-1] - steady[0]) >= 99


async def test_the_pace_can_be_seen_without_touching_it() -> None:
    wire = Script([200, httpx.Response(429, headers={"retry-after": "10"})], latency=0.5)
    async with connected(wire, limits=Limits(app=2)) as there:
        assert there.client.buckets() == []
        calls = [asyncio.create_task(there.app().get("/v1/x")) for _ in range(5)]
        await asyncio.sleep(3)
        (seen,) = there.client.buckets()
        await asyncio.gather(*calls)

    assert (seen.bucket.name, seen.bucket.limit, seen.bucket.window, seen.waiting) == ("app", 2, 1.0, 4)
    assert seen.held == pytest.approx(7.5)
    assert seen.last_429 == pytest.approx(2.5)
    assert seen.share == pytest.approx(0.7 + 0.03 * 2.5)
    assert seen.failing_for is None


async def test_an_open_circuit_can_be_seen() -> None:
    async with connected(Script([httpx.ReadTimeout] * 5)) as there:
        for _ in range(5):
            with pytest.raises(UnknownOutcome):
                await there.app().post("/v1/send/email", {}, kind=RequestKind.ONCE)
            await asyncio.sleep(1)
        await event(there)
        seen = {seen.bucket.name: seen for seen in there.client.buckets()}

    failing = seen["send"]
    assert (failing.failing_for, failing.failing_with, failing.probe_in) == (5, "ReadTimeout", 14)
    assert seen["track"].failing_with is None


class Stopped(MemorySlots):
    """Slots of a process that is stopped for three seconds after it has leased its first one."""

    leased = 0

    def lease_now(self, bucket: Bucket, stretch: float, ahead: float = 0.0) -> Lease | Wait:  # noqa: ARG002
        return Wait(0.0)

    async def lease(self, bucket: Bucket, ahead: float, stretch: float, waiting: int) -> Lease | Wait:
        got = await super().lease(bucket, ahead, stretch, waiting)
        self.leased += 1
        if self.leased == 1:
            await asyncio.sleep(3)
        return got


async def test_a_process_that_was_stopped_does_not_send_on_a_lease_from_before() -> None:
    slots, bucket = Stopped(), Bucket("track", 1, 1.0)
    pace = Pace(slots)
    turn = await pace.enter(bucket, Call(now() + 60))
    await turn.unused()
    await pace.aclose()

    assert slots.leased == 2

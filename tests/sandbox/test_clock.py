"""The sandbox's own clock: real time plus an offset, or frozen, and the same for all who use a file."""

import asyncio
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cio_mcp.sandbox import Sandbox
from tests.planted import a_sandbox, the_story
from tests.sandbox.conftest import Calling, Clock

pytestmark = pytest.mark.anyio

DAY = 86_400
NEWSLETTER = "/v1/newsletters/21"


async def test_what_is_due_happens_at_its_time_on_the_way(calling: Calling, clock: Clock) -> None:
    caller = calling(a_sandbox(clock), clock)
    now = int(caller.sandbox.clock())
    scheduled = {"scheduled_at": now + DAY, "timezone": "UTC"}
    await caller.ok("POST", f"{NEWSLETTER}/schedule", scheduled)

    happened = caller.sandbox.workspace.advance(now + 30 * DAY)

    assert (await caller.ok("GET", NEWSLETTER))["newsletter"]["sent_at"] == now + DAY
    assert (await caller.messages("&newsletter_id=21"))[0]["created"] == now + DAY
    assert len(await caller.messages("&newsletter_id=21")) == 3
    assert happened["sent"] == 1
    assert caller.sandbox.clock() == pytest.approx(now + 30 * DAY, abs=3)


async def test_what_is_accepted_with_a_lag_is_applied_when_it_is_due(calling: Calling, clock: Clock) -> None:
    caller = calling(a_sandbox(clock, lag=60), clock)
    await caller.identify("late", plan="pro")
    accepted = int(clock.now)

    happened = caller.sandbox.workspace.advance(accepted + DAY)

    (created,) = (await caller.ok("GET", "/v1/activities?type=profile_create"))["activities"][:1]
    assert created["timestamp"] == accepted + 60
    assert happened["profile_create"] == 1


async def test_a_frozen_clock_stands_until_it_is_let_go(calling: Calling, clock: Clock) -> None:
    caller = calling(Sandbox(clock=clock), clock)
    own = caller.sandbox.clock
    own.freeze()
    stood = own()
    clock.now += DAY
    caller.sandbox.workspace.advance(stood + 60)
    frozen = own()
    own.run()
    clock.now += 5

    assert (frozen, own()) == (stood + 60, stood + 65)


async def test_all_who_use_a_file_see_its_clock_moved_at_once(
    calling: Calling, clock: Clock, tmp_path: Path
) -> None:
    one, other = (calling(Sandbox(tmp_path / "sandbox.db", clock=clock), clock) for _ in range(2))

    one.sandbox.workspace.advance(clock.now + 7 * DAY)
    await other.identify("new", plan="pro")

    assert other.sandbox.clock() == one.sandbox.clock() == clock.now + 7 * DAY
    (created,) = (await one.ok("GET", "/v1/activities?type=profile_create"))["activities"][:1]
    assert created["timestamp"] == clock.now + 7 * DAY - 1


@pytest.mark.repeating
@pytest.mark.parametrize(("unused", "passed"), [(600, 600), (90 * DAY, 60), (-DAY, 0)])
def test_after_disuse_the_time_goes_on_where_it_stood(
    clock: Clock, tmp_path: Path, unused: int, passed: int
) -> None:
    first = Sandbox(tmp_path / "sandbox.db", clock=clock)
    first.workspace.advance(clock.now + 7 * DAY)
    before = first.clock()
    first.close()
    clock.now += unused

    for _ in range(2):
        again = Sandbox(tmp_path / "sandbox.db", clock=clock)
        assert again.clock() == before + passed
        again.close()


async def test_limits_are_kept_by_real_time(calling: Calling, clock: Clock) -> None:
    counts = [("all", 3, 60)]
    caller = calling(Sandbox(clock=clock, counts=lambda _: counts), clock)
    trigger = "/v1/campaigns/10/triggers"
    caller.sandbox.clock.freeze()
    await caller.ok("POST", trigger, {})
    caller.sandbox.workspace.advance(caller.sandbox.clock() + DAY)
    assert (await caller.send("POST", trigger, {})).headers["retry-after"] == "9"
    clock.now += 9

    await caller.ok("POST", trigger, {})
    assert (await caller.send("GET", "/v1/campaigns")).status_code == 429


async def test_a_step_that_fails_leaves_time_and_world_as_they_were(calling: Calling, clock: Clock) -> None:
    caller = calling(Sandbox(clock=clock, seed=False), clock)
    before = caller.sandbox.clock()
    caller.sandbox.workspace.wait(before + DAY, "nobody knows this", {})

    with pytest.raises(KeyError):
        caller.sandbox.workspace.advance(before + 7 * DAY)
    assert caller.sandbox.clock() == before


@pytest.mark.repeating
async def test_requests_are_answered_while_the_clock_moves_on_and_see_how_far_it_has_come(
    calling: Calling, clock: Clock
) -> None:
    caller = calling(Sandbox(clock=clock), clock)
    begun = caller.sandbox.workspace.now()
    moving = asyncio.create_task(caller.sandbox.control_in_turns("POST", "/_sandbox/clock", {"to": "+20d"}))
    seen = []
    while not moving.done():
        await caller.ok("GET", "/v1/campaigns")
        seen.append(caller.sandbox.workspace.now())
        await asyncio.sleep(0.001)

    assert (await moving)["reached"]
    assert len({moment for moment in seen if begun + DAY < moment < begun + 19 * DAY}) > 3
    assert seen == sorted(seen)


async def test_a_client_that_goes_away_stops_the_clock_on_its_way_with_nothing_half_done(
    calling: Calling, clock: Clock
) -> None:
    caller = calling(Sandbox(clock=clock), clock)
    workspace, begun = caller.sandbox.workspace, caller.sandbox.workspace.now()

    async def gone_soon() -> dict[str, Any]:
        if asked:
            return asked.pop()
        while workspace.now() < begun + 5 * DAY:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.001)
        return {"type": "http.disconnect"}

    async def nobody(message: Any) -> None:
        raise AssertionError(message)

    asked: list[dict[str, Any]] = [{"type": "http.request", "body": b'{"to": "+3650d"}'}]
    scope = {"type": "http", "method": "POST", "raw_path": b"/_sandbox/clock"}
    await caller.sandbox.controlled(scope, gone_soon, nobody)
    stopped = workspace.now()

    assert begun + 5 * DAY <= stopped < begun + 60 * DAY
    assert not workspace.rows("SELECT * FROM timers WHERE due < ?", stopped)
    await caller.ok("GET", "/v1/campaigns")
    assert workspace.now() <= stopped + 2


def test_a_move_can_be_made_in_parts_and_ends_as_one_at_once(clock: Clock) -> None:
    whole, parts = the_story(clock), the_story(clock)
    for world in (whole, parts):
        world.control("POST", "/_sandbox/clock", {"frozen": True})
    at_once = whole.control("POST", "/_sandbox/clock", {"to": "+2d"})
    told: list[Any] = [{"reached": False, "to": "+2d"}]
    while not told[-1]["reached"]:
        told.append(parts.control("POST", "/_sandbox/clock", {"to": told[-1]["to"], "seconds": 0}))
    exports = [world.control("GET", "/_sandbox/export", None) for world in (whole, parts)]
    for world in (whole, parts):
        world.close()

    assert len(told) > 10
    assert {part["to"] for part in told[1:]} == {at_once["to"]}
    assert sum((Counter(part["happened"]) for part in told[1:]), Counter()) == at_once["happened"]
    assert exports[0] == exports[1]


def test_a_move_ends_where_the_world_is_taken_back_meanwhile(clock: Clock) -> None:
    with closing(the_story(clock)) as world:
        workspace, begun = world.workspace, world.workspace.now()
        world.control("POST", "/_sandbox/points", {"name": "before"})
        moving = workspace.advancing(begun + 30 * DAY)
        while workspace.now() < begun + 9 * DAY:
            next(moving)
        world.control("POST", "/_sandbox/points/before", None)
        with pytest.raises(StopIteration):
            next(moving)

        assert workspace.now() == begun

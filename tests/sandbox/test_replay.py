"""Replays: what was asked in another branch is done again, at its time and with the same ids."""

import asyncio
import json
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cio_mcp.sandbox import ConnectionCut, Sandbox
from cio_mcp.sandbox.state import copies, requests
from tests.planted import a_sandbox
from tests.sandbox.conftest import Caller, Calling, Clock

pytestmark = pytest.mark.anyio

WHO = st.sampled_from(["u_1001", "u_1005", "new", "newer+bounce@example.com", "newest@example.com"])
STUDIO = "/v1/design_studio/emails"
PERSON = {"type": "person", "identifiers": {"id": "batched"}}
EMAIL = {"name": "Made here", "content": {"subject": "Hi", "html": "<p>Hi {{customer.plan}}</p>"}}
MESSAGE = {"transactional_message_id": 1, "message_data": {"order_id": "4711"}}

# Requests that change something of each kind; `{who}` is a person.
REQUESTS: list[tuple[str, str, Any]] = [
    ("PUT", "/api/v1/customers/{who}", {"plan": "pro", "email": "{who}"}),
    ("PUT", "/api/v1/customers/{who}", {"plan": "free", "unsubscribed": True, "anonymous_id": "a1"}),
    ("POST", "/api/v1/customers/{who}/events", {"name": "signed_up", "id": "01JC7Z7N8V6Q4M2K0X5Y9T3B1A"}),
    ("POST", "/api/v1/customers/{who}/events", {"name": "purchase", "data": {"amount": 20}}),
    ("POST", "/api/v1/events", {"name": "looked", "anonymous_id": "a1"}),
    ("POST", "/api/v1/customers/{who}/suppress", {}),
    ("POST", "/api/v1/customers/{who}/unsuppress", {}),
    ("DELETE", "/api/v1/customers/{who}", None),
    ("POST", "/api/v1/merge_customers", {"primary": {"id": "u_1001"}, "secondary": {"id": "{who}"}}),
    ("POST", "/api/v1/segments/5/add_customers", {"ids": ["{who}"]}),
    ("POST", "/api/v2/batch", {"batch": [PERSON | {"action": "event", "name": "signed_up"}] * 2}),
    ("POST", "/v1/send/email", MESSAGE | {"to": "{who}", "identifiers": {"id": "{who}"}}),
    ("POST", "/v1/campaigns/10/triggers", {"ids": ["{who}", "u_1002"], "id_ignore_missing": True}),
    ("POST", "/v1/newsletters/21/send", {}),
    ("POST", STUDIO, EMAIL),
    ("POST", "/v1/segments", {"segment": {"name": "Made here", "description": ""}}),
    ("PUT", "/v1/snippets", {"name": "footer", "value": "{who}"}),
    ("POST", "/v1/exports/customers", {"filters": {"segment": {"id": 1}}}),
    ("GET", "/v1/subscription_center/{who}/token", None),
    ("GET", "/v1/campaigns", None),
]
FAULTS: list[dict[str, Any]] = [
    {"does": "cut", "calls": "2-3"},
    {"does": "error", "after": True, "chance": 0.5, "until": "+2d"},
    {"does": "throttle", "recipient": "u_1001"},
    {"does": "late", "seconds": 90, "chance": 0.5},
]
STEPS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(REQUESTS), WHO),
    st.tuples(st.just("ask"), st.sampled_from(REQUESTS), WHO),
    st.tuples(st.just("ask"), st.sampled_from(REQUESTS), WHO),
    st.tuples(st.just("fault"), st.sampled_from(FAULTS), st.none()),
    st.tuples(st.just("lift"), st.none(), st.none()),
    st.tuples(st.just("clock"), st.sampled_from(["+1h", "+3d", "+30d"]), st.none()),
    st.tuples(st.sampled_from(["freeze", "run", "point"]), st.none(), st.none()),
)


def keep_start(sandbox: Sandbox) -> None:
    sandbox.control("POST", "/_sandbox/points", {"name": "start"})


def back_to_start(sandbox: Sandbox) -> str:
    """Go back to what was kept; returns the number of the point that is left."""
    return str(sandbox.control("POST", "/_sandbox/points/start", None)["left"])


def replay(sandbox: Sandbox, left: str) -> Any:
    return sandbox.control("POST", f"/_sandbox/points/{left}/replay", None)


def export(sandbox: Sandbox) -> str:
    return copies.written(sandbox.control("GET", "/_sandbox/export", None))


def named(found: Any, who: str) -> Any:
    """Return a path or a body with a person in it."""
    match found:
        case str():
            return found.replace("{who}", who)
        case dict():
            return {name: named(value, who) for name, value in found.items()}
        case list() | tuple():
            return [named(value, who) for value in found]
    return found


async def play(caller: Caller, steps: list[tuple[str, Any, Any]]) -> None:
    sandbox = caller.sandbox
    for what, one, who in steps:
        match what:
            case "ask":
                with suppress(ConnectionCut):
                    await caller.send(*named(one, who))
            case "fault":
                sandbox.control("POST", "/_sandbox/faults", one)
            case "lift":
                sandbox.control("DELETE", "/_sandbox/faults", None)
            case "clock":
                sandbox.control("POST", "/_sandbox/clock", {"to": one})
            case "point":
                sandbox.control("POST", "/_sandbox/points", {})
            case _:
                getattr(sandbox.clock, what)()


def again(sandbox: Sandbox) -> Any:
    """Go back to the start, and do again what came after; returns what the replay tells."""
    left = back_to_start(sandbox)
    return replay(sandbox, left)


async def test_every_kind_of_request_is_done_again_to_the_byte(calling: Calling, clock: Clock) -> None:
    caller = calling(a_sandbox(clock), clock, pause=0.7)
    sandbox = caller.sandbox
    keep_start(sandbox)
    answers = [await caller.send(*named(one, "newest@example.com")) for one in REQUESTS]
    sandbox.control("POST", "/_sandbox/clock", {"to": "+3d"})
    was = export(sandbox)
    told = again(sandbox)

    assert [answer.status_code for answer in answers if not answer.is_success] == []
    assert (told["replayed"], told["refused"]) == (len(REQUESTS) - 1, 0)
    assert export(sandbox) == was


@given(st.lists(STEPS, max_size=5), st.lists(STEPS, min_size=5, max_size=25), st.sampled_from([0, 2.5]))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_to_go_back_and_do_the_same_again_ends_in_the_same_bytes(
    before: list[tuple[str, Any, Any]], after: list[tuple[str, Any, Any]], lag: float
) -> None:
    clock = Clock()
    with closing(a_sandbox(clock, lag=lag)) as sandbox:
        caller = Caller(sandbox, clock, pause=0.7)
        asyncio.run(play(caller, before))
        keep_start(sandbox)
        done = requests.count(sandbox.workspace)
        asyncio.run(play(caller, after))
        was = export(sandbox)
        if requests.count(sandbox.workspace) == done:
            return
        left = back_to_start(sandbox)
        clock.now += 20  # real time goes on, and is no matter
        told = replay(sandbox, left)

        assert told["refused"] == 0
        assert export(sandbox) == was
        sandbox.control("POST", "/_sandbox/import", json.loads(was))
        assert export(sandbox) == was


async def test_another_branch_gets_the_same_requests_after_what_was_changed_there(
    calling: Calling, clock: Clock
) -> None:
    caller = calling(a_sandbox(clock), clock)
    sandbox = caller.sandbox
    keep_start(sandbox)
    await caller.identify("new", plan="pro")
    await caller.ok("POST", "/v1/collections", {"name": "books", "data": [{"title": "One"}]})
    await caller.ok("POST", "/api/v1/customers/new/events", {"name": "bought"})
    left = back_to_start(sandbox)
    await caller.ok("POST", "/v1/collections", {"name": "books", "data": [{"title": "Another"}]})

    told = replay(sandbox, left)
    (refused,) = told["first_refused"]

    assert (told["replayed"], told["refused"]) == (2, 1)
    assert (refused["request"], refused["status"]) == ("POST /v1/collections", 400)
    assert [event["name"] for event in await caller.activities("event")][:1] == ["bought"]
    with pytest.raises(ValueError, match="there is no point nope"):
        sandbox.control("POST", "/_sandbox/points/nope/replay", None)
    sandbox.control("POST", f"/_sandbox/points/{told['point']}", None)
    await caller.no(404, "GET", "/v1/customers/new/attributes")


async def test_a_replay_that_was_cut_short_goes_on_where_it_ended_and_does_nothing_twice(
    calling: Calling, clock: Clock, tmp_path: Path
) -> None:
    caller = calling(a_sandbox(clock, path=tmp_path / "sandbox.db"), clock)
    sandbox = caller.sandbox
    keep_start(sandbox)
    for number in range(4):
        await caller.ok("POST", "/api/v1/customers/new/events", {"name": f"event {number}"})
    left = back_to_start(sandbox)
    rows = sandbox.workspace.rows
    cut = "WHEN new.name = 'event 2' BEGIN SELECT RAISE(ABORT, 'cut'); END"
    sandbox.workspace.change(f"CREATE TRIGGER cut BEFORE INSERT ON events {cut}")
    with pytest.raises(sqlite3.IntegrityError, match="cut"):
        replay(sandbox, left)
    sandbox.workspace.change("DROP TRIGGER cut")
    await caller.ok("POST", "/api/v1/customers/other/events", {"name": "between"})
    told = replay(sandbox, left)

    names = [row["name"] for row in rows("SELECT name FROM events WHERE name LIKE 'event %' ORDER BY number")]
    assert told["replayed"] == 2
    assert names == [f"event {number}" for number in range(4)]
    with pytest.raises(ValueError, match=f"all that was asked on the way to point {left} is here already"):
        replay(sandbox, left)


async def test_a_request_of_an_operation_that_there_is_not_is_told_as_refused(
    calling: Calling, clock: Clock
) -> None:
    caller = calling(a_sandbox(clock), clock)
    sandbox = caller.sandbox
    keep_start(sandbox)
    await caller.identify("new", plan="pro")
    sandbox.workspace.change("UPDATE requests SET what = 'PUT /v9/renamed'")
    left = back_to_start(sandbox)

    told = replay(sandbox, left)

    assert (told["replayed"], told["refused"]) == (0, 1)
    assert told["first_refused"][0]["request"] == "PUT /v9/renamed"
    assert "no such operation" in told["first_refused"][0]["answer"]


def kept(sandbox: Sandbox) -> int:
    return int(sandbox.workspace.rows("SELECT count(*) FROM requests")[0][0])


async def test_requests_are_kept_from_the_oldest_point_on_and_without_one_none_but_the_last(
    calling: Calling, clock: Clock
) -> None:
    caller = calling(a_sandbox(clock), clock)
    sandbox = caller.sandbox
    counts: list[int] = []
    for name in ("one", "", "two", ""):
        for number in range(3):
            await caller.identify(f"new{number}", plan=f"plan {name}{number}{len(counts)}")
        if name:
            sandbox.control("POST", "/_sandbox/points", {"name": name})
        counts.append(kept(sandbox))
    removed = []
    for name in ("one", "two"):
        sandbox.control("DELETE", f"/_sandbox/points/{name}", None)
        removed.append(kept(sandbox))

    assert counts == [1, 4, 7, 10]
    assert removed == [4, 1]


async def test_what_is_no_longer_kept_is_not_done_again_in_part(calling: Calling, clock: Clock) -> None:
    caller = calling(a_sandbox(clock), clock)
    sandbox = caller.sandbox
    for number in range(3):
        await caller.identify(f"before{number}", plan="pro")
    point = sandbox.control("POST", "/_sandbox/reset", {})["point"]
    with pytest.raises(ValueError, match=f"not all that was asked on the way to point {point} is kept: make"):
        replay(sandbox, str(point))

    keep_start(sandbox)
    many = ((f"id {number}", clock.now, clock.now, "faults met", "{}") for number in range(requests.MOST + 9))
    sandbox.workspace.insert_all(
        "INSERT INTO requests (id, at, really, what, body) VALUES (?, ?, ?, ?, ?)", many
    )
    await caller.identify("after", plan="pro")
    assert kept(sandbox) == requests.MOST
    before = export(sandbox)
    left = back_to_start(sandbox)
    with pytest.raises(ValueError, match="at most 10000 requests"):
        replay(sandbox, left)
    sandbox.control("POST", f"/_sandbox/points/{left}", None)
    assert export(sandbox) == before

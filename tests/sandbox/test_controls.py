"""The sandbox's own controls: faults, the clock, points, exports, and beginning anew."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.moments import LATEST
from cio_mcp.sandbox.state import copies
from tests.planted import START, a_sandbox
from tests.sandbox.conftest import Caller, Calling, Clock

pytestmark = pytest.mark.anyio

DAY = 86_400
ADA = "/v1/customers/u_1001/attributes"


async def control(sandbox: Sandbox, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Return the status and the answer of a control."""
    wire = httpx.ASGITransport(app=sandbox.controlled)
    async with httpx.AsyncClient(transport=wire, base_url="https://sandbox.invalid") as http:
        content = body if isinstance(body, bytes) else json.dumps(body)
        answer = await http.request(method, f"/_sandbox/{path}", content=content)
        return answer.status_code, answer.json()


async def done(caller: Caller, method: str, path: str, body: Any = None) -> Any:
    status, told = await control(caller.sandbox, method, path, body)
    assert status == 200, told
    return told


async def export(caller: Caller) -> str:
    return copies.written(await done(caller, "GET", "export"))


async def test_the_controls_answer_beside_the_apis_and_only_where_they_are_let(caller: Caller) -> None:
    wire = httpx.ASGITransport(app=caller.sandbox.controlled)
    headers = {"Authorization": f"Bearer {caller.sandbox.credentials.app_api_key}"}
    async with httpx.AsyncClient(transport=wire, base_url="https://s.invalid", headers=headers) as http:
        beside = await http.get(ADA)
    closed = await caller.no(501, "GET", "/_sandbox/faults")

    assert beside.json()["customer"]["id"] == "u_1001"
    assert "start it with --controls" in closed["errors"][0]["detail"]


async def test_faults_are_added_listed_and_lifted_and_faults_do_not_strike_controls(caller: Caller) -> None:
    added = await done(caller, "POST", "faults", {"does": "error", "route": "GET /v1/customers/*"})
    await done(caller, "POST", "faults", [{"does": "cut"}, {"does": "slow", "seconds": 5}])
    await caller.no(500, "GET", ADA)
    listed = (await done(caller, "GET", "faults"))["faults"]
    lifted = [await done(caller, "DELETE", path) for path in ("faults/2", "faults")]

    assert [fault["number"] for fault in added["faults"]] == [1]
    assert [(one["number"], one["met"], one["struck"]) for one in listed] == [(1, 1, 1), (2, 1, 1), (3, 1, 1)]
    assert listed[0]["fault"] == {"does": "error", "route": "GET /v1/customers/*"}
    assert lifted == [{"removed": 1}, {"removed": 2}]
    await caller.ok("GET", ADA)


async def test_of_several_faults_all_come_into_force_or_none(caller: Caller) -> None:
    status, told = await control(caller.sandbox, "POST", "faults", [{"does": "cut"}, {"does": "slow"}])

    assert (status, told) == (400, {"error": "slow needs seconds"})
    assert await done(caller, "GET", "faults") == {"faults": []}


async def test_a_bad_day_is_a_word(caller: Caller) -> None:
    assert len((await done(caller, "POST", "faults", "bad-day"))["faults"]) == 11


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "faults", {"does": "error", "route": "/v1/nonsense"}, "the sandbox has no /v1/nonsense"),
        ("POST", "faults", b"no json", "must be JSON"),
        ("POST", "faults", b"[" * 100_000, "must be JSON"),
        ("POST", "faults", [5], "valid dictionary"),
        ("DELETE", "faults/9", None, "there is no fault 9"),
        ("DELETE", "faults/x", None, "there is no fault x"),
        ("DELETE", f"faults/{10**22}", None, f"there is no fault {10**22}"),
        ("POST", "faults", {"does": "cut", "since": "9999-12-31"}, "9999-12-31 is not a time of a sandbox"),
        ("POST", "faults", {"does": "cut", "until": "+999999w"}, "+999999w is not a time of a sandbox"),
        ("POST", "clock", {"to": "2001-01-01"}, "2001-01-01 is over: it is 2026-05-28T20:26:40Z"),
        ("POST", "clock", {"to": "+99999d"}, "too far away: at most 3660 days"),
        ("POST", "clock", {"to": 5}, "to must be a text; it is 5"),
        ("POST", "clock", {"till": "+1d"}, "nothing but to"),
        ("POST", "points/nope", None, "there is no point nope; there is none"),
        ("POST", "points", {"name": " 7 "}, "7 would be taken for the number of a point"),
        ("DELETE", "points/1", None, "there is no point 1"),
        ("POST", "reset", {"story": "no"}, "story must be true or false; it is 'no'"),
        ("POST", "import", {"people": []}, "it is not an export of a sandbox"),
        ("POST", "import", {"form": "cio-mcp sandbox", "tables": {}}, "can hold: now is None"),
    ],
)
async def test_what_cannot_be_done_is_told_and_changes_nothing(
    caller: Caller, method: str, path: str, body: Any, said: str
) -> None:
    before = await export(caller)
    status, told = await control(caller.sandbox, method, path, body)

    assert status == 400
    assert said in told["error"]
    assert await export(caller) == before


async def test_an_unknown_control_is_told_with_those_that_there_are(caller: Caller) -> None:
    status, told = await control(caller.sandbox, "PUT", "clocks")

    assert status == 404
    assert "there is no control PUT /_sandbox/clocks; there are: DELETE /_sandbox/faults" in told["error"]


async def test_the_clock_moves_on_and_tells_what_happened(calling: Calling, clock: Clock) -> None:
    caller = calling(a_sandbox(clock, lag=60), clock)
    await caller.identify("new", plan="pro")
    told = await done(caller, "POST", "clock", {"to": "+7d"})

    assert told["now"] == "2026-06-04T20:26:41Z"
    assert told["shows"] == "7 d ahead of real time"
    assert told["happened"]["profile_create"] == 1
    assert await done(caller, "GET", "clock") == {k: told[k] for k in ("now", "frozen", "shows")}


async def test_the_clock_goes_no_further_than_can_be_told(caller: Caller) -> None:
    caller.sandbox.clock.set(LATEST - DAY)
    status, told = await control(caller.sandbox, "POST", "clock", {"to": "+2d"})
    there = await done(caller, "POST", "clock", {"to": "+23h"})

    assert status == 400
    assert told["error"] == "+2d is too late: a sandbox's time ends at 2286-11-20T17:46:40Z"
    assert there["now"].startswith("2286-11-20T16:46")


async def test_going_back_to_a_point_restores_all_to_the_byte_and_its_clock_and_can_be_undone(
    caller: Caller,
) -> None:
    await caller.identify("kept", plan="pro")
    await done(caller, "POST", "faults", {"does": "error", "route": "/v1/exports"})
    made = await done(caller, "POST", "points", {"name": "before"})
    before = await export(caller)
    await caller.identify("gone", plan="pro")
    await done(caller, "DELETE", "faults")
    await done(caller, "POST", "clock", {"to": "+7d"})
    later = await export(caller)

    back = await done(caller, "POST", "points/before")
    restored = await export(caller)
    await done(caller, "POST", "points/2")
    undone = await export(caller)

    assert back == made | {"left": 2}
    assert (made["number"], made["at"]) == (1, int(START) + 1)
    assert restored == before != later
    assert undone == later
    names = [point["name"] for point in (await done(caller, "GET", "points"))["points"]]
    assert names == ["before", "left for before", "left for left for before"]


async def test_others_that_use_the_file_see_a_restored_point_at_their_next_request(
    calling: Calling, clock: Clock, tmp_path: Path
) -> None:
    one, other = (calling(Sandbox(tmp_path / "sandbox.db", clock=clock), clock) for _ in range(2))
    await done(one, "POST", "points")
    await other.identify("new", plan="pro")
    await other.profile("new")
    await done(one, "POST", "points/1")

    await other.no(404, "GET", "/v1/customers/new/attributes")


async def test_the_newest_twenty_points_are_kept_and_numbers_are_not_given_again(caller: Caller) -> None:
    for number in range(22):
        await done(caller, "POST", "points", {"name": f"point {number}"})
    await done(caller, "DELETE", "points/22")
    await done(caller, "POST", "points")
    points = (await done(caller, "GET", "points"))["points"]

    assert [point["number"] for point in points] == [*range(3, 22), 23]


async def test_an_import_that_fails_half_way_leaves_everything_as_it_was(caller: Caller) -> None:
    copy = await done(caller, "GET", "export")
    before = copies.written(copy)
    copy["tables"]["things"]["rows"].append(["kind", None, None])
    status, told = await control(caller.sandbox, "POST", "import", copy)

    assert status == 400
    assert "it contains what no sandbox can hold" in told["error"]
    assert await export(caller) == before
    assert await done(caller, "GET", "points") == {"points": []}


NO_EXPORTS: list[tuple[dict[str, Any], str]] = [
    ({"release": 99}, "it is of a newer cio-mcp (release 99, this one reads 1); update this one"),
    ({"release": "x"}, "it is of a newer cio-mcp"),
    ({"now": True}, "it contains what no sandbox can hold: now is True"),
    ({"now": 1e30}, "it contains what no sandbox can hold: now is 1e+30"),
    ({"seed": None}, "seed is None"),
    ({"tables": {"people": None}}, "it is incomplete: it lacks "),
    ({"version": 1, "tables": {"people": None}}, "it is incomplete: it lacks deliveries"),
    ({"people": {"columns": ["cio_id", "id", "email", "attributes"], "rows": [["c", 1]]}}, "no sandbox"),
    (
        {"people": {"columns": ["cio_id", "attributes"], "rows": [["c", "no json"]]}},
        "no sandbox can hold",
    ),
    ({"people": {"columns": ["cio_id", "attributes"], "rows": [["c", "{}"], 5]}}, "no sandbox can hold"),
    (
        {"people": {"columns": ["attributes; --"], "rows": []}},
        "no sandbox can hold: people.attributes; --",
    ),
    ({"timers": {"columns": ["number"], "rows": [[10**30]]}}, "tables.timers.rows.0.0 is too large"),
    ({"people": {"rows": []}}, "no sandbox can hold"),
    ({"cats": {"columns": [], "rows": []}}, "no sandbox can hold: cats"),
]


async def test_an_export_that_is_none_any_more_is_refused_and_changes_nothing(caller: Caller) -> None:
    copy = await done(caller, "GET", "export")
    before = copies.written(copy)
    for change, said in NO_EXPORTS:
        named = {name: value for name, value in change.items() if name in copy}
        tables = copy["tables"] | {name: value for name, value in change.items() if name not in copy}
        status, told = await control(caller.sandbox, "POST", "import", copy | {"tables": tables} | named)

        assert (status, said in told["error"]) == (400, True), (change, told)
        assert await export(caller) == before, change


def a_request(**change: Any) -> dict[str, Any]:
    body = {"path": "/api/v1/customers/a", "ids": {}, "query": {}, "body": ""} | change
    kept = {name: value for name, value in body.items() if value is not None}
    return {"number": 1, "id": "r", "at": 1, "really": 1, "what": "PUT /x", "body": json.dumps(kept)}


def a_timer(what: str, **body: Any) -> dict[str, Any]:
    return {
        "number": 10**6,
        "due": 10**10,
        "what": what,
        "body": json.dumps(body),
        "cause": None,
        "key": None,
    }


def a_thing(kind: str, **body: Any) -> dict[str, Any]:
    return {"kind": kind, "id": 99, "body": json.dumps({"id": 99} | body)}


def an_entry(**change: Any) -> dict[str, Any]:
    usual = {"kind": "event", "cio_id": "c", "name": "n", "cause": None, "timestamp": 1, "data": "{}"}
    return {"number": 10**6, "at": 1, **usual, **change}


NO_ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("requests", a_request(path=None), "requests 1: body lacks path"),
    ("requests", a_request(body=5), "requests 1: body.body is 5"),
    ("requests", a_request() | {"what": "faults met"}, "requests 1: body lacks met"),
    ("requests", a_request() | {"body": "[]"}, "requests 1: body is []"),
    ("requests", a_request() | {"at": "soon"}, "requests 1: at is 'soon'"),
    ("timers", a_timer("nonsense"), "timers 1000000: what is 'nonsense'"),
    ("timers", a_timer("identify", identifier="a"), "timers 1000000: body lacks body"),
    ("timers", a_timer("journey", journey="x", action=1), 'timers 1000000: body.journey is "x"'),
    ("timers", a_timer("check", cio_id="c") | {"cause": 10**7}, "the log has no such entry"),
    ("things", a_thing("campaign", state="running"), "things 'campaign': 99: body lacks workflow"),
    (
        "things",
        a_thing(
            "campaign",
            state="draft",
            actions=[],
            workflow=[{"id": 1, "type": "delay", "delay": {"days": "x"}}],
        ),
        'workflow action 1.delay is {"days": "x"}',
    ),
    (
        "people",
        {"cio_id": "c9", "id": "i", "email": None, "attributes": '{"a":' * 201 + "1" + "}" * 201},
        "attributes has more than 200 brackets",
    ),
    (
        "people",
        {"cio_id": "c9", "id": "i", "email": None, "attributes": '{"a":' * 5000 + "1" + "}" * 5000},
        "no sandbox can hold",
    ),
    ("things", a_thing("segment", name="s", type="dynamic"), "99: body.conditions is null"),
    ("things", a_thing("snippet", name="s", value="v", id=98), "99: body.id is 98"),
    ("log", an_entry(cause=10**6), "cause is 1000000, which is no earlier entry"),
    ("log", an_entry(kind="waits"), "log 1000000: data lacks action"),
    (
        "faults",
        {"number": 1, "body": "{}", "met": 0, "struck": 0},
        "faults 1: body: does: field required",
    ),
    ("people", {"cio_id": None, "id": "i", "email": None, "attributes": "{}"}, "cio_id is missing"),
    ("people", {"cio_id": "c9", "id": "i", "email": None, "attributes": "[]"}, "attributes is []"),
    (
        "triggers",
        {"broadcast_id": 1, "id": 1, "created_at": 1, "really_at": 1, "errors": "{}"},
        "errors is {}",
    ),
]


async def test_an_export_with_a_row_of_another_form_is_refused_with_the_place_and_changes_nothing(
    caller: Caller,
) -> None:
    copy = await done(caller, "GET", "export")
    before = copies.written(copy)
    for table, row, said in NO_ROWS:
        rows = copy["tables"][table]["rows"]
        rows.append([row[column] for column in copy["tables"][table]["columns"]])
        status, told = await control(caller.sandbox, "POST", "import", copy)
        rows.pop()

        assert (status, said in told["error"]) == (400, True), (row, told)
        assert await export(caller) == before, row


@pytest.mark.parametrize("way_out", ["reset", "import"])
async def test_there_is_a_way_out_of_a_state_in_which_something_due_fails(
    caller: Caller, way_out: str
) -> None:
    copy = await done(caller, "GET", "export")
    with caller.sandbox.workspace.transaction():
        caller.sandbox.workspace.accept("nonsense", {}, due=caller.sandbox.clock() + 1)
    caller.clock.now += 60
    with pytest.raises(KeyError):
        caller.sandbox.workspace.catch_up()
    told = await done(caller, "POST", way_out, copy if way_out == "import" else None)

    assert told["point"] is None
    assert len((await caller.ok("GET", "/v1/campaigns"))["campaigns"]) == 4


async def test_an_export_and_a_point_of_an_older_version_are_brought_into_the_form_of_this_one(
    caller: Caller,
) -> None:
    await caller.identify("new", plan="pro")
    copy = await done(caller, "GET", "export")
    before, older = copies.written(copy), copy | {"version": 1}
    del older["release"], older["tables"]["requests"]
    timers = older["tables"].pop("timers")
    older["tables"]["deliveries"] = without(older["tables"]["deliveries"], "campaign_id", "states")
    older["tables"]["accepted"] = without(timers, "cause", "key")
    await done(caller, "POST", "import", older)
    await done(caller, "POST", "points", {"name": "was older"})
    await done(caller, "POST", "points/1")

    assert await export(caller) == before
    await done(caller, "POST", "points/was%20older")
    assert (await caller.profile("new"))["attributes"]["plan"] == "pro"
    assert len(await caller.messages()) > 10


def without(table: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a table as it was before it had some columns."""
    kept = [place for place, column in enumerate(table["columns"]) if column not in names]
    rows = [[row[place] for place in kept] for row in table["rows"]]
    return {"columns": [table["columns"][place] for place in kept], "rows": rows}


async def test_an_export_makes_another_the_same(calling: Calling, caller: Caller, clock: Clock) -> None:
    await caller.identify("new", plan="pro")
    exported = await done(caller, "GET", "export")
    other = calling(Sandbox(clock=Clock(START + 5 * DAY), seed=False), clock)
    await done(other, "POST", "import", exported)

    assert (await other.profile("new"))["attributes"]["plan"] == "pro"
    assert await export(other) == copies.written(exported)


@pytest.mark.parametrize(("story", "campaigns"), [(True, 4), (False, 0)])
async def test_beginning_anew_undoes_everything_and_can_be_undone(
    caller: Caller, story: bool, campaigns: int
) -> None:
    await caller.identify("new", plan="pro")
    await done(caller, "POST", "faults", {"does": "cut", "until": 5})
    await done(caller, "POST", "clock", {"to": "+7d"})
    point = (await done(caller, "POST", "reset", {"story": story}))["point"]
    anew = await caller.ok("GET", "/v1/campaigns")
    await caller.no(404, "GET", "/v1/customers/new/attributes")
    shows = (await done(caller, "GET", "clock"))["shows"]
    faults = await done(caller, "GET", "faults")
    await done(caller, "POST", f"points/{point}")

    assert len(anew["campaigns"]) == campaigns
    assert (shows, faults) == ("real time", {"faults": []})
    assert (await caller.profile("new"))["attributes"]["plan"] == "pro"


async def test_beginning_anew_is_as_a_new_sandbox_is(caller: Caller, clock: Clock) -> None:
    await done(caller, "POST", "reset")
    with closing(Sandbox(clock=clock)) as new, new.workspace.locked():
        fresh = copies.take(new.workspace)
    anew = await done(caller, "GET", "export")

    sizes = [{name: len(t["rows"]) for name, t in copy["tables"].items()} for copy in (anew, fresh)]
    assert sizes[0] == sizes[1]

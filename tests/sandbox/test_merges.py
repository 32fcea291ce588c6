"""Two profiles of one person become one."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

DAY = 86400


async def merge(caller: Caller, primary: dict[str, str], secondary: dict[str, str]) -> None:
    body = {"primary": primary, "secondary": secondary}
    assert await caller.ok("POST", "/api/v1/merge_customers", body) == {}


async def test_what_the_primary_lacks_is_filled_and_the_secondary_is_gone(caller: Caller) -> None:
    await caller.identify("1", plan="pro")
    await caller.identify("two@example.com", plan="free", city="Oslo")

    await merge(caller, {"id": "1"}, {"email": "two@example.com"})

    profile = await caller.profile("1")
    assert {"plan": "pro", "city": "Oslo"}.items() <= profile["attributes"].items()
    assert profile["identifiers"]["email"] == "two@example.com"
    assert (await caller.activities("profile_merge"))[0]["customer_id"] == "1"
    assert len((await caller.ok("GET", "/v1/customers?email=two@example.com"))["results"]) == 1


async def test_recent_events_messages_and_manual_segments_go_over(caller: Caller) -> None:
    old = {"name": "old", "timestamp": int(caller.clock.now) - 31 * DAY}
    for event in (old, {"name": "new"}):
        await caller.ok("POST", "/api/v1/customers/u_1004/events", event)
    messages = len((await caller.ok("GET", "/v1/customers/u_1004/messages"))["messages"])
    cio_id = (await caller.profile("u_1004"))["identifiers"]["cio_id"]
    await caller.identify("1", plan="pro")
    mine = (await caller.profile("1"))["identifiers"]["cio_id"]

    await merge(caller, {"cio_id": mine}, {"cio_id": cio_id})

    names = caller.sandbox.workspace.rows("SELECT name FROM events WHERE cio_id = ? ORDER BY name", mine)
    assert "new" in [row["name"] for row in names]
    assert "old" not in [row["name"] for row in names]
    assert messages > 0
    assert len((await caller.ok("GET", "/v1/customers/1/messages"))["messages"]) == messages
    assert 3 in [one["id"] for one in (await caller.ok("GET", "/v1/customers/1/segments"))["segments"]]


async def test_who_is_in_a_segment_already_stays_in_it(caller: Caller) -> None:
    await merge(caller, {"id": "u_1001"}, {"id": "u_1004"})

    assert (await caller.ok("GET", "/v1/segments/3/membership"))["ids"] == ["u_1001", "u_1007"]


@pytest.mark.parametrize(
    ("primary", "secondary"),
    [
        ({"id": "nobody"}, {"id": "u_1004"}),
        ({"id": "u_1004"}, {"id": "nobody"}),
        ({"id": "u_1004"}, {"email": "dana@example.net"}),
    ],
)
async def test_where_there_are_not_two_people_nothing_happens(
    caller: Caller, primary: dict[str, str], secondary: dict[str, str]
) -> None:
    before = await caller.profile("u_1004")

    await merge(caller, primary, secondary)

    assert await caller.profile("u_1004") == before
    assert await caller.activities("profile_merge") == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "primary must have exactly one of id, email, cio_id"),
        ({"primary": {"id": "1"}}, "secondary must have exactly one of id, email, cio_id"),
        (
            {"primary": {"id": "1", "email": "a@b.c"}, "secondary": {"id": "2"}},
            "primary must have exactly one",
        ),
        ({"primary": {"phone": "1"}, "secondary": {"id": "2"}}, "primary must have exactly one"),
        ({"primary": {"id": "1"}, "secondary": {"id": 2}}, "secondary must be identified by a string"),
    ],
)
async def test_each_side_of_a_merge_has_one_identifier(caller: Caller, body: Any, fault: str) -> None:
    answer = await caller.no(400, "POST", "/api/v1/merge_customers", body)

    assert fault in answer["meta"]["error"]

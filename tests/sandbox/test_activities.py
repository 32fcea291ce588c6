"""Activities: of the workspace and of a person, and what was accepted and dropped."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

DAY = 86400


async def activities(caller: Caller, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await caller.ok("GET", f"/v1/activities?limit=100&{query}"))["activities"]
    return found


@pytest.mark.parametrize("kind", ["id", "email", "cio_id"])
async def test_the_workspaces_activities_are_filtered_by_person(caller: Caller, kind: str) -> None:
    ada = (await caller.profile("u_1001"))["identifiers"]
    prefix = "cio_" if kind == "cio_id" else ""

    found = await activities(caller, f"customer_id={prefix}{ada[kind]}&id_type={kind}")

    assert {activity["customer_id"] for activity in found} == {"u_1001"}
    own = await caller.ok("GET", f"/v1/customers/{ada[kind]}/activities?id_type={kind}&limit=100")
    assert own["activities"] == found
    await caller.no(404, "GET", "/v1/activities?customer_id=nobody")


async def test_an_event_is_told_with_its_own_time_and_any_data(caller: Caller) -> None:
    yesterday = int(caller.clock.now) - DAY
    event = {"name": "bought", "timestamp": yesterday, "data": {"name": "pen", "at": 1, "reason": "gift"}}
    await caller.ok("POST", "/api/v1/customers/1/events", event)
    await caller.ok("POST", "/api/v1/customers/1/events", event | {"timestamp": yesterday - 40 * DAY})

    (found,) = await activities(caller, "name=bought")

    assert (found["timestamp"], found["data"]) == (yesterday, event["data"])


async def test_a_page_has_an_address_and_a_change_its_attribute_in_its_data(caller: Caller) -> None:
    await caller.ok("POST", "/api/v1/customers/1/events", {"name": "/pricing", "type": "page"})
    await caller.identify("1", plan="pro")

    (page,) = await activities(caller, "type=page")
    (change, *_) = await activities(caller, "type=attribute_change&name=plan")

    assert page["url"] == "/pricing"
    assert change["data"] == {"plan": {"from": None, "to": "pro"}}
    assert "name" not in change


async def test_activities_come_in_pages_newest_first(caller: Caller) -> None:
    everything = await activities(caller, "")
    paged: list[Any] = []
    start = ""
    while True:
        page = await caller.ok("GET", f"/v1/activities?start={start}")
        paged, start = paged + page["activities"], page["next"]
        assert len(page["activities"]) <= 10
        if not start:
            break

    assert paged == everything
    times = [activity["timestamp"] for activity in paged]
    assert times == sorted(times, reverse=True)


async def test_an_update_older_than_what_is_known_is_skipped_where_it_is_older(caller: Caller) -> None:
    now = int(caller.clock.now)
    await caller.identify("1", plan="pro")
    await caller.identify("1", plan="free", city="Rio", _timestamp=now - DAY)
    await caller.identify("1", plan="team", _timestamp=now + 100)

    attributes = (await caller.profile("1"))["attributes"]
    (skipped, *_) = await activities(caller, "type=skipped_update")

    assert (attributes["plan"], attributes["city"]) == ("team", "Rio")
    assert skipped["customer_id"] == "1"
    assert skipped["data"] == {"reason": "a newer update came first", "plan": {"to": "free"}}


async def test_the_story_has_rejected_data_of_each_day(caller: Caller) -> None:
    now = int(caller.clock.now)
    rejected = [
        (activity["type"], round((now - activity["timestamp"]) / DAY), activity["data"].get("identifier"))
        for activity in await activities(caller, "")
        if activity["type"].startswith(("failed_", "skipped_"))
    ]

    assert rejected == [
        ("skipped_update", 1, None),
        ("failed_attribute_change", 2, "u_2001"),
        ("failed_event", 3, "cio_0badc0ffee00"),
        ("failed_attribute_change", 4, "u_1010"),
    ]
    assert (await caller.profile("u_1003"))["attributes"]["plan"] == "pro"

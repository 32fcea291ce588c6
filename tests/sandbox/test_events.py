"""Events of people and of visitors."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

PURCHASE = {"name": "purchase", "data": {"amount": 5}}
DAY = 86400


async def purchases(caller: Caller, identifier: str = "1") -> str | None:
    count: str | None = (await caller.profile(identifier))["attributes"].get("purchases")
    return count


async def test_an_event_with_a_known_id_counts_once(caller: Caller) -> None:
    for event_id in ("01J", "01J", "01K"):
        await caller.ok("POST", "/api/v1/customers/1/events", {**PURCHASE, "id": event_id})

    assert await purchases(caller) == "2"


async def test_an_event_of_an_unknown_person_creates_them_but_never_by_cio_id(caller: Caller) -> None:
    await caller.ok("POST", "/api/v1/customers/1/events", PURCHASE)
    await caller.ok("POST", "/api/v1/customers/cio_unknown/events", PURCHASE)

    assert await purchases(caller) == "1"
    assert (await caller.activities("failed_event"))[0]["name"] == "purchase"


async def test_a_visitors_last_30_days_become_theirs_when_they_are_identified(caller: Caller) -> None:
    now = int(caller.clock.now)
    for age in (40 * DAY, 5 * DAY, 0):
        event = {**PURCHASE, "anonymous_id": "anon", "timestamp": now - age}
        await caller.ok("POST", "/api/v1/events", event)
    await caller.identify("1", anonymous_id="anon")

    assert await purchases(caller) == "2"
    assert (await caller.activities("anon_merge"))[0]["data"] == {"events": 2}
    assert "anonymous_id" not in (await caller.profile("1"))["attributes"]


async def test_a_visitors_late_event_still_attaches_for_five_minutes(caller: Caller) -> None:
    await caller.identify("1", anonymous_id="anon")
    await caller.ok("POST", "/api/v1/events", {**PURCHASE, "anonymous_id": "anon"})
    caller.clock.now += 400
    await caller.ok("POST", "/api/v1/events", {**PURCHASE, "anonymous_id": "anon"})

    assert await purchases(caller) == "1"


async def test_pages_and_screens_are_events_of_their_own_type(caller: Caller) -> None:
    for kind in ("page", "screen"):
        await caller.ok("POST", "/api/v1/customers/1/events", {"name": " /pricing ", "type": kind})

    assert [activity["url"] for activity in await caller.activities("page")] == ["/pricing"]
    assert len(await caller.activities("screen")) == 1


async def test_an_event_without_anybody_is_an_invite_by_its_recipient(caller: Caller) -> None:
    await caller.ok("POST", "/api/v1/events", {"name": "invite", "data": {"recipient": "a@example.com"}})

    await caller.no(400, "POST", "/api/v1/events", {"name": "invite"})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "name cannot be blank"),
        ({"name": " "}, "name cannot be blank"),
        ({"name": "n" * 101}, "event name cannot be longer than 100 bytes"),
        ({"name": "n", "data": []}, "event data must be a hash"),
        ({"name": "n", "data": {"x": "x" * 103_000}}, "event data cannot be longer than 100000 bytes"),
        ({"name": "n", "type": "click"}, "type must be event, page or screen"),
        ({"name": "n", "timestamp": "now"}, "timestamp must be a number of seconds"),
        ({"name": "n", "anonymous_id": 5}, "anonymous_id must be a string value"),
    ],
)
async def test_events_are_checked_at_once(caller: Caller, body: dict[str, Any], message: str) -> None:
    assert await caller.no(400, "POST", "/api/v1/events", body) == {"meta": {"error": message}}


async def test_computed_attributes_aggregate_events(caller: Caller) -> None:
    for amount in (5, 7.5):
        await caller.ok(
            "POST", "/api/v1/customers/1/events", {"name": "purchase", "data": {"amount": amount}}
        )
    await caller.ok("POST", "/api/v1/customers/1/events", {"name": "login", "timestamp": 1780000000})

    attributes = (await caller.profile("1"))["attributes"]

    assert (attributes["purchases"], attributes["total_spent"]) == ("2", "12.5")
    assert attributes["last_login_at"] == "1780000000"

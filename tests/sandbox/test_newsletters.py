"""Newsletters: what the API tells of them, and when they go out."""

from typing import Any

import pytest

from tests.planted import a_sandbox
from tests.sandbox.conftest import Caller, Calling, Clock

pytestmark = pytest.mark.anyio

NEW_YORK = {"timezone": "America/New_York"}
DAY = 86400


async def newsletter(caller: Caller, number: int = 21) -> dict[str, Any]:
    found: dict[str, Any] = (await caller.ok("GET", f"/v1/newsletters/{number}"))["newsletter"]
    return found


async def delivered(caller: Caller, number: int = 21) -> int:
    return len(await caller.messages(f"&newsletter_id={number}"))


async def test_a_newsletter_tells_its_segments_and_neither_its_audience_nor_its_schedule(
    caller: Caller,
) -> None:
    assert (await newsletter(caller)).keys() == {
        *("id", "deduplicate_id", "name", "type", "content_ids", "created", "updated", "sent_at", "tags"),
        *("recipient_segment_ids", "subscription_topic_id"),
    }
    assert (await newsletter(caller))["recipient_segment_ids"] == [1, 3]
    assert (await newsletter(caller))["sent_at"] is None
    assert (await newsletter(caller, 20))["sent_at"] == int(1_780_000_000 - 12 * DAY)
    await caller.no(404, "GET", "/v1/newsletters/99")


async def test_conditions_on_attributes_name_no_segment(caller: Caller) -> None:
    workspace = caller.sandbox.workspace
    with workspace.transaction():
        draft = workspace.thing("newsletter", 21)
        assert draft is not None
        on_free = {"attribute": {"field": "plan", "operator": "eq", "value": "free"}}
        audience = {"or": [on_free, {"not": {"segment": {"id": 4}}}]}
        workspace.configure("newsletter", draft | {"recipients": audience})

    assert (await newsletter(caller))["recipient_segment_ids"] == [4]


async def test_newsletters_come_in_either_order_and_in_pages(caller: Caller) -> None:
    async def ids(query: str) -> tuple[list[int], str]:
        page = await caller.ok("GET", f"/v1/newsletters?{query}")
        return [found["id"] for found in page["newsletters"]], page["next"]

    newest, _ = await ids("")
    oldest, after = await ids("sort=asc&limit=2")
    rest, further = await ids(f"sort=asc&limit=2&start={after}")

    assert (newest, oldest, rest) == ([22, 21, 20], [20, 21], [22])
    assert await ids(f"sort=asc&limit=2&start={further}") == ([], "")


async def test_a_newsletter_says_something(caller: Caller) -> None:
    (content,) = (await caller.ok("GET", "/v1/newsletters/21/contents"))["contents"]

    assert (content["id"], content["newsletter_id"], content["type"]) == (210, 21, "email")
    assert content["subject"] == "A summer of notes, a third off"


async def test_a_newsletter_goes_to_who_fits_and_is_subscribed_once(caller: Caller) -> None:
    await caller.identify("u_1003", unsubscribed=True)
    answer = await caller.ok("POST", "/v1/newsletters/21/send")

    assert answer["newsletter"]["id"] == 21
    assert await delivered(caller) == 3
    undeliverable = await caller.ok("GET", "/v1/messages?newsletter_id=21&metric=undeliverable")
    assert [message["customer_id"] for message in undeliverable["messages"]] == ["u_1003"]
    again = await caller.no(400, "POST", "/v1/newsletters/21/send")
    assert again == {"errors": [{"detail": "newsletter has already been sent"}]}


async def test_a_scheduled_newsletter_goes_out_at_its_time(caller: Caller) -> None:
    at = int(caller.clock.now) + DAY
    await caller.ok("POST", "/v1/newsletters/21/schedule", {"scheduled_at": at, **NEW_YORK})

    before = await delivered(caller)
    caller.clock.now = at
    assert (before, await delivered(caller)) == (0, 3)
    assert (await newsletter(caller))["sent_at"] == at


async def test_a_new_time_takes_the_place_of_the_old_one_and_0_of_any(caller: Caller) -> None:
    start = int(caller.clock.now)
    for days in (1, 3):
        body = {"scheduled_at": start + days * DAY, **NEW_YORK}
        await caller.ok("POST", "/v1/newsletters/21/schedule", body)
    caller.clock.now = start + 2 * DAY
    assert await delivered(caller) == 0

    await caller.ok("POST", "/v1/newsletters/21/schedule", {"scheduled_at": 0})
    caller.clock.now = start + 4 * DAY
    assert await delivered(caller) == 0


async def test_a_newsletter_sent_before_its_time_is_not_sent_again(caller: Caller) -> None:
    at = int(caller.clock.now) + DAY
    await caller.ok("POST", "/v1/newsletters/21/schedule", {"scheduled_at": at, **NEW_YORK})
    await caller.ok("POST", "/v1/newsletters/21/send", {})
    caller.clock.now = at

    assert await delivered(caller) == 3


async def test_a_newsletter_queued_twice_is_sent_once(calling: Calling, clock: Clock) -> None:
    caller = calling(a_sandbox(clock, lag=10), clock)
    for _ in range(2):
        await caller.ok("POST", "/v1/newsletters/21/send")
    clock.now += 20

    assert await delivered(caller) == 3


@pytest.mark.parametrize(
    ("number", "body", "status", "detail"),
    [
        (20, {"scheduled_at": 1_900_000_000, **NEW_YORK}, 400, "newsletter has already been sent"),
        (22, {"scheduled_at": 1_900_000_000, **NEW_YORK}, 400, "newsletter has no recipients"),
        (21, {}, 422, "scheduled_at is required"),
        (21, {"scheduled_at": "soon"}, 422, "scheduled_at is required"),
        (21, {"scheduled_at": 0}, 400, "newsletter is not currently scheduled"),
        (21, {"scheduled_at": 1_700_000_000, **NEW_YORK}, 422, "scheduled_at must be in the future"),
        (21, {"scheduled_at": 1_900_000_000}, 422, "timezone is required"),
        (21, {"scheduled_at": 1_900_000_000, "timezone": "Mars/Olympus"}, 422, "unknown timezone"),
        (21, {"scheduled_at": 1_900_000_000, "timezone": 5}, 422, "unknown timezone"),
    ],
)
async def test_a_schedule_is_checked(
    caller: Caller, number: int, body: dict[str, Any], status: int, detail: str
) -> None:
    answer = await caller.no(status, "POST", f"/v1/newsletters/{number}/schedule", body)

    assert answer == {"errors": [{"detail": detail}]}


async def test_a_newsletter_waits_for_its_segments(caller: Caller) -> None:
    workspace = caller.sandbox.workspace
    with workspace.transaction():
        segment = workspace.thing("segment", 3)
        assert segment is not None
        workspace.configure("segment", segment | {"state": "build"})

    answer = await caller.no(400, "POST", "/v1/newsletters/21/send")

    assert answer["errors"][0]["detail"] == "segments are still processing"

"""Messages of the workspace: filters, the window of time, pages."""

import base64
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

DAY = 86400
SEND = {
    "transactional_message_id": 1,
    "to": "a@example.com",
    "identifiers": {"id": "u_1001"},
    "message_data": {"order_id": "4711"},
}


async def messages(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    return await caller.messages(query)


async def test_messages_are_filtered_by_kind_state_and_parent(caller: Caller) -> None:
    everything = await messages(caller)

    assert len(await messages(caller, "&newsletter_id=20")) == 10
    assert {message.get("newsletter_id") for message in await messages(caller, "&newsletter_id=20")} == {20}
    assert {message["broadcast_id"] for message in await messages(caller, "&action_id=1101")} == {11}
    assert [message["subject"] for message in await messages(caller, "&metric=clicked")] == [
        "Your order 4711",
        "Write your first note",
        "Welcome to Quill",
        "Three things that are new in Quill",
    ]
    by_type = [await messages(caller, f"&type={kind}") for kind in ("in_app", "twilio", "push", "email")]
    assert sorted(map(len, by_type[:3])) == [1, 1, 2]
    assert sum(map(len, by_type)) == len(everything)
    assert {message["action_id"] for message in await messages(caller, "&campaign_id=1")} == {101, 103, 105}
    assert {message["action_id"] for message in await messages(caller, "&campaign_id=2")} == {201}


async def test_drafts_are_apart_from_what_was_sent(caller: Caller) -> None:
    draft = (await caller.ok("POST", "/v1/send/email", SEND | {"queue_draft": True}))["delivery_id"]

    assert [message["id"] for message in await messages(caller, "&drafts=true")] == [draft]
    assert draft not in {message["id"] for message in await messages(caller)}


async def test_messages_are_of_the_last_half_year_or_of_a_window(caller: Caller) -> None:
    now = int(caller.clock.now)
    before = await messages(caller, f"&end_ts={now - 3 * DAY}")
    window = await messages(caller, f"&start_ts={now - 3 * DAY}&end_ts={now}")
    caller.clock.now += 180 * DAY
    later = await messages(caller)

    assert {message.get("newsletter_id") for message in before} == {20, None}
    assert {message.get("newsletter_id") for message in window} == {None}
    assert all(message["created"] <= now - 3 * DAY for message in before)
    assert all(message["created"] >= now - 3 * DAY for message in window)
    assert {message.get("newsletter_id") for message in later} == {None}
    end = now + 180 * DAY
    half_a_year, longer = (f"&start_ts={end - days * DAY}&end_ts={end}" for days in (184, 400))
    assert await messages(caller, longer) == await messages(caller, half_a_year) != []
    await caller.no(400, "GET", f"/v1/messages?start_ts={now}&end_ts={now - 1}")


@pytest.mark.parametrize(
    "query",
    ["metric=read", "type=sms", "campaign_id=x", "limit=1001", "start=%25", "start_ts=soon", "start=MA=="],
)
async def test_a_filter_that_makes_no_sense_is_refused(caller: Caller, query: str) -> None:
    await caller.no(400, "GET", f"/v1/messages?{query}")


async def test_a_page_goes_on_where_the_last_one_ended_while_more_come_in(caller: Caller) -> None:
    everything = [message["id"] for message in await messages(caller)]
    first = await caller.ok("GET", "/v1/messages?limit=10")
    await caller.ok("POST", "/v1/send/email", SEND)
    rest = await caller.ok("GET", f"/v1/messages?limit=1000&start={quote(first['next'], safe='')}")

    assert [message["id"] for message in first["messages"] + rest["messages"]] == everything
    assert base64.b64decode(first["next"])
    assert rest["next"] == ""


async def test_a_persons_messages_have_pages_and_a_window_too(caller: Caller) -> None:
    path = "/v1/customers/u_1001/messages"
    newest = await caller.ok("GET", f"{path}?limit=3")
    rest = await caller.ok("GET", f"{path}?start={newest['next']}")
    early = await caller.ok("GET", f"{path}?end_ts={int(caller.clock.now) - 3 * DAY}")

    assert [message["subject"] or message["type"] for message in newest["messages"] + rest["messages"]] == [
        "twilio",
        "push",
        "Your order 4711",
        "What is new in Quill",
        "Three things that are new in Quill",
    ]
    assert early["messages"] == rest["messages"][1:]

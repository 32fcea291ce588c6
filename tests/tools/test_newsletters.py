"""Newsletters: read, sent once, scheduled."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.agent import Agent
from tests.planted import START
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

DRAFT, WITHOUT_AUDIENCE, SENT = 21, 22, 20


def last(agent: Agent) -> tuple[str, Any]:
    """Return the path and body of the last request."""
    request = agent.wire.requests[-1]
    return f"{request.method} {request.url.path}", json.loads(request.content)


async def recipients(agent: Agent, newsletter_id: int) -> set[str]:
    answer = await agent.call("list_messages", newsletter_id=newsletter_id, limit=100)
    return {message["recipient"] for message in answer["messages"]}


async def test_newsletters_are_listed_newest_first_with_when_they_were_sent(agent: Agent) -> None:
    newest, draft, sent = (await agent.call("list_newsletters"))["newsletters"]

    assert (newest["id"], draft["id"], sent["id"]) == (WITHOUT_AUDIENCE, DRAFT, SENT)
    assert "sent" not in draft
    assert sent["sent"] == "2026-05-16T20:26:40Z"
    assert sent | {"sent": 0, "updated": 0} == {
        "id": 20,
        "name": "Quill in spring",
        "channel": "email",
        "sent": 0,
        "segments": [4],
        "tags": ["news"],
        "updated": 0,
    }
    assert agent.sent == ["GET /v1/newsletters?limit=20&sort=desc"]


async def test_pages_of_newsletters_follow_each_other(agent: Agent) -> None:
    first = await agent.call("list_newsletters", limit=2)
    second = await agent.call("list_newsletters", limit=2, cursor=first["next_cursor"])

    assert [newsletter["id"] for newsletter in first["newsletters"] + second["newsletters"]] == [22, 21, 20]
    last = await agent.call("list_newsletters", cursor=second["next_cursor"])
    assert last == {"newsletters": []}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"newsletters": None, "next": ""}, {"newsletters": []}),
        ({"newsletters": [], "next": "MDox"}, {"newsletters": [], "next_cursor": "MDox"}),
        (
            {"newsletters": [{"id": 1, "sent_at": None, "tags": None, "recipient_segment_ids": None}]},
            {"newsletters": [{"id": 1, "segments": [], "tags": []}]},
        ),
    ],
)
async def test_what_the_api_may_leave_out_of_newsletters_is_left_out(body: object, expected: object) -> None:
    async with canned({"": body}) as workspace:
        assert await workspace.call("list_newsletters") == expected


async def test_newsletters_too_long_for_one_answer_are_cut_whole_and_say_how_to_read_on() -> None:
    many = [{"id": number, "name": "n" * 190, "tags": ["t" * 200] * 3} for number in range(100)]
    async with canned({"": {"newsletters": many, "next": "more"}}) as workspace:
        answer = await workspace.call("list_newsletters", limit=100)

    assert f"limit={len(answer['newsletters'])}" in answer["left_out"]
    assert "next_cursor" not in answer


async def test_a_newsletter_is_read_with_what_it_says(agent: Agent) -> None:
    newsletter = await agent.call("get_newsletter", newsletter_id=DRAFT)

    assert (newsletter["name"], newsletter["segments"]) == ("Summer offer", [1, 3])
    assert newsletter["contents"] == [
        {
            "content_id": 210,
            "sender": "Quill <hello@example.com>",
            "subject": "A summer of notes, a third off",
        }
    ]
    assert agent.sent == [f"GET /v1/newsletters/{DRAFT}", f"GET /v1/newsletters/{DRAFT}/contents"]


@pytest.mark.parametrize("contents", [[], {"contents": None}])
async def test_a_newsletter_may_say_nothing_yet(contents: object) -> None:
    async with canned({"contents": contents, "": {"newsletter": {"id": 5}}}) as workspace:
        answer = await workspace.call("get_newsletter", newsletter_id=5)

    assert answer == {"id": 5, "contents": []}


async def test_each_variant_of_a_newsletter_has_its_language_and_name() -> None:
    variants = [
        {"id": 1, "name": "A", "language": "", "subject": "Hi", "preheader_text": "News"},
        {"id": 2, "name": "B", "language": "fr", "subject": "Salut"},
    ]
    async with canned({"contents": {"contents": variants}, "": {"newsletter": {"id": 5}}}) as workspace:
        answer = await workspace.call("get_newsletter", newsletter_id=5)

    assert answer["contents"] == [
        {"content_id": 1, "name": "A", "subject": "Hi", "preheader": "News"},
        {"content_id": 2, "name": "B", "language": "fr", "subject": "Salut"},
    ]


async def test_a_draft_is_sent_to_its_whole_audience_and_only_once(agent: Agent) -> None:
    answer = await agent.call("send_newsletter", newsletter_id=DRAFT)
    assert last(agent) == (f"POST /v1/newsletters/{DRAFT}/send", {})

    text = await agent.fail("send_newsletter", newsletter_id=DRAFT)

    assert answer == {"outcome": "accepted", "newsletter_id": DRAFT, "name": "Summer offer"}
    assert "already been sent" in text
    assert agent.facts["outcome"] == "refused"
    assert await recipients(agent, DRAFT) == {"chidi@example.org", "fatima@example.org", "kim@example.com"}
    assert "sent" in await agent.call("get_newsletter", newsletter_id=DRAFT)


@pytest.mark.parametrize(
    ("arguments", "at", "timezone"),
    [
        ({"send_at": "2026-06-01T09:00:00Z"}, "2026-06-01T09:00:00Z", "UTC"),
        ({"send_at": "2026-06-01T09:00:00"}, "2026-06-01T09:00:00Z", "UTC"),
        (
            {"send_at": "2026-06-01T09:00:00", "timezone": "Europe/Berlin"},
            "2026-06-01T07:00:00Z",
            "Europe/Berlin",
        ),
        (
            {"send_at": "2026-06-01T09:00:00-05:00", "timezone": "America/Chicago"},
            "2026-06-01T14:00:00Z",
            "America/Chicago",
        ),
        ({"send_at": 1_780_300_800, "timezone": "Asia/Tokyo"}, "2026-06-01T08:00:00Z", "Asia/Tokyo"),
        ({"send_at": "1780300800"}, "2026-06-01T08:00:00Z", "UTC"),
    ],
)
async def test_a_newsletter_is_scheduled_for_a_time_in_a_zone(
    agent: Agent, arguments: dict[str, Any], at: str, timezone: str
) -> None:
    answer = await agent.call("send_newsletter", newsletter_id=DRAFT, **arguments)
    path, body = last(agent)
    await asyncio.sleep(5 * 86400)

    assert answer["send_at"] == at
    assert path == f"POST /v1/newsletters/{DRAFT}/schedule"
    assert body.pop("scheduled_at") > START
    assert body == {"timezone": timezone}
    assert (await agent.call("get_newsletter", newsletter_id=DRAFT))["sent"] >= at
    assert len(await recipients(agent, DRAFT)) == 3


async def test_a_schedule_can_be_taken_back_and_moved(agent: Agent) -> None:
    await agent.call("send_newsletter", newsletter_id=DRAFT, send_at="2026-05-30")
    moved = await agent.call("send_newsletter", newsletter_id=DRAFT, send_at=0)
    assert last(agent)[1] == {"scheduled_at": 0}
    await asyncio.sleep(3 * 86400)
    assert await recipients(agent, DRAFT) == set()

    await agent.call("send_newsletter", newsletter_id=DRAFT, send_at="2026-06-02")
    await agent.call("send_newsletter", newsletter_id=DRAFT, send_at="2026-06-04")
    await asyncio.sleep(3 * 86400)
    between = await recipients(agent, DRAFT)
    await asyncio.sleep(2 * 86400)

    assert "send_at" not in moved
    assert (between, len(await recipients(agent, DRAFT))) == (set(), 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"newsletter_id": WITHOUT_AUDIENCE}, "newsletter has no recipients"),
        ({"newsletter_id": SENT}, "newsletter has already been sent"),
        ({"newsletter_id": SENT, "send_at": "2030-01-01"}, "newsletter has already been sent"),
        ({"newsletter_id": DRAFT, "send_at": 0}, "not currently scheduled"),
        ({"newsletter_id": 99}, "404"),
    ],
)
async def test_what_customer_io_refuses_is_told_in_its_words(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("send_newsletter", **arguments)
    assert agent.facts["outcome"] == "refused"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"newsletter_id": DRAFT, "send_at": "tomorrow"}, "send_at: must be ISO 8601"),
        ({"newsletter_id": DRAFT, "send_at": 1_780_300_800_000}, "send_at: is in milliseconds"),
        ({"newsletter_id": 0}, "newsletter_id: "),
        *(
            (
                {"newsletter_id": DRAFT, "send_at": "2026-06-01T09:00", "timezone": zone},
                "timezone: is not a known time zone",
            )
            for zone in ("Mars/Olympus", "../zone", "Europe", "CET+")
        ),
    ],
)
async def test_a_wrong_time_is_named_and_nothing_is_sent(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("send_newsletter", **arguments)
    assert agent.sent == []


@pytest.mark.parametrize("fault", [500, httpx.ReadTimeout, httpx.ReadError])
async def test_a_send_whose_answer_is_lost_is_unknown_and_can_be_found_out(
    agent: Agent, fault: int | type[httpx.TransportError]
) -> None:
    agent.wire.fail(fault, late=True)

    text = await agent.fail("send_newsletter", newsletter_id=DRAFT)

    assert agent.facts["outcome"] == "unknown"
    assert f"get_newsletter with newsletter_id={DRAFT}" in text
    assert len(agent.sent) == 1
    assert "sent" in await agent.call("get_newsletter", newsletter_id=DRAFT)


async def test_a_schedule_whose_answer_is_lost_is_set_again(agent: Agent) -> None:
    agent.wire.fail(502, late=True)

    answer = await agent.call("send_newsletter", newsletter_id=DRAFT, send_at="2026-06-01")

    assert answer["send_at"] == "2026-06-01T00:00:00Z"
    assert len(agent.sent) == 2

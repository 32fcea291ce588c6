"""Newsletters made by the API: what is documented of drafts, languages and test groups."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

SEGMENT = {"and": [{"or": [{"segment": {"id": 1}}]}]}
MAIL = {"type": "email", "name": "June", "recipients": SEGMENT, "subject": "Hi", "body": "<p>Hi</p>"}


async def made(caller: Caller, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await caller.ok("POST", "/v1/newsletters", MAIL | more))["newsletter"]
    return found


async def test_what_is_made_is_a_draft_in_the_documented_form(caller: Caller) -> None:
    found = await made(caller, subscription_topic_id=3)

    assert found.keys() == {
        *("id", "deduplicate_id", "name", "type", "content_ids", "recipient_segment_ids"),
        *("subscription_topic_id", "tags", "sent_at", "created", "updated"),
    }
    assert (found["recipient_segment_ids"], found["sent_at"]) == ([1], None)
    assert await caller.messages(f"&newsletter_id={found['id']}") == []
    (content,) = (await caller.ok("GET", f"/v1/newsletters/{found['id']}/contents"))["contents"]
    assert (content["subject"], content["from"]) == ("Hi", "Quill <hello@example.com>")


async def test_it_is_sent_at_once_or_later_where_that_is_asked(caller: Caller) -> None:
    now = await made(caller, send_now=True)
    later = await made(caller, scheduled_at=int(caller.clock.now) + 600)
    caller.clock.now += 1

    assert await caller.messages(f"&newsletter_id={now['id']}")
    assert not await caller.messages(f"&newsletter_id={later['id']}")
    caller.clock.now += 600
    assert await caller.messages(f"&newsletter_id={later['id']}")


WRONG: list[tuple[int, dict[str, Any]]] = [
    (400, {"recipients": None}),
    (400, {"recipients": {"segment": {"id": 1}}}),
    (400, {"recipients": {"and": [{"segment": {"id": 1}}]}}),
    (400, {"recipients": {"and": [{"not": {"segment": {"id": 1}}}]}}),
    (400, {"recipients": {"and": []}}),
    (422, {"recipients": {"and": [{"or": [{"segment": {"id": 99}}]}]}}),
    (422, {"subject": ""}),
    (422, {"from_id": 99}),
    (422, {"from": "Eve <eve@example.com>"}),
    (422, {"from": "Quill <hello@example.com>", "from_id": 1}),
    (422, {"subscription_topic_id": 99}),
    (422, {"scheduled_at": 5}),
    (422, {"send_now": True, "scheduled_at": 2_000_000_000}),
    (422, {"rate_limit_email_rate": 5}),
    (422, {"type": "webhook", "url": "https://example.com", "request_method": "POST", "body": ""}),
]


@pytest.mark.parametrize(("status", "more"), WRONG)
async def test_what_is_wrong_is_refused_and_nothing_is_made(
    caller: Caller, status: int, more: dict[str, Any]
) -> None:
    answer = await caller.no(status, "POST", "/v1/newsletters", MAIL | more)

    assert answer["errors"][0].keys() == {"detail"}
    assert len((await caller.ok("GET", "/v1/newsletters"))["newsletters"]) == 3


async def test_languages_are_added_once_and_to_drafts_only(caller: Caller) -> None:
    french = {"language": "fr", "subject": "Salut", "body": "<p>Salut</p>"}
    found = (await caller.ok("POST", "/v1/newsletters/21/language", french))["newsletter"]

    assert len(found["content_ids"]) == 2
    assert (await caller.ok("GET", "/v1/newsletters/21/language/fr"))["content"]["subject"] == "Salut"
    await caller.no(422, "POST", "/v1/newsletters/21/language", french)
    await caller.no(422, "POST", "/v1/newsletters/21/language", french | {"language": "de", "body": ""})
    await caller.no(400, "POST", "/v1/newsletters/20/language", french | {"language": "de"})
    await caller.no(400, "POST", "/v1/newsletters/22/language", french | {"language": "de"})
    await caller.no(400, "POST", "/v1/newsletters/21/test_group/7/language", french)


async def test_half_a_pace_is_refused_of_sends_and_schedules(caller: Caller) -> None:
    at = {"scheduled_at": int(caller.clock.now) + 600, "timezone": "UTC"}
    daily = {"rate_limit_email_rate": 5, "rate_limit_time_period": 86_400}

    await caller.no(422, "POST", "/v1/newsletters/21/send", {"rate_limit_time_period": 60})
    await caller.no(422, "POST", "/v1/newsletters/21/schedule", at | daily | {"tz_match_enabled": True})
    await caller.ok("POST", "/v1/newsletters/21/schedule", at | {"tz_match_enabled": True})

"""Updates of what messages say: documented fields, at once, and for what is not sent yet."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

ADA = {"identifiers": {"id": "u_1001"}, "to": "ada@example.com"}


@pytest.mark.parametrize(
    ("path", "envelope"),
    [
        ("campaigns/1/actions/101", "action"),
        ("campaigns/1/actions/101/language/fr", "action"),
        ("broadcasts/11/actions/1101", "action"),
        ("broadcasts/11/actions/1101/language/fr", "action"),
        ("newsletters/21/contents/210", "content"),
        ("newsletters/20/language/fr", "content"),
        ("transactional/1/language/fr", "content"),
    ],
)
async def test_fields_that_are_given_change_and_others_stay(caller: Caller, path: str, envelope: str) -> None:
    before = (await caller.ok("GET", f"/v1/{path}"))[envelope]
    given = {"subject": "New", "headers": [{"name": "X-A", "value": "b"}], "from_id": 2}
    answer = (await caller.ok("PUT", f"/v1/{path}", given))[envelope]

    assert answer == (await caller.ok("GET", f"/v1/{path}"))[envelope]
    changed = {name for name in answer if answer[name] != before[name]}
    assert changed - {"updated"} == {"subject", "headers", "from", "from_id"}
    assert (answer["subject"], answer["headers"]) == ("New", '[{"name": "X-A", "value": "b"}]')
    assert answer["from"] == "Quill Support <support@example.com>"


async def test_transactional_texts_are_written_in_the_singular(caller: Caller) -> None:
    await caller.ok("PUT", "/v1/transactional/1/content/11", {"subject": "New"})
    answer = await caller.send("PUT", "/v1/transactional/1/contents/11", {"subject": "New"})

    assert answer.status_code == 501


@pytest.mark.parametrize(
    ("status", "path", "given"),
    [
        (400, "campaigns/2/actions/201", {"body": "<p>New</p>"}),
        (400, "newsletters/22/contents/220", {"body": "<p>New</p>"}),
        (400, "campaigns/1/actions/102", {"subject": "A delay"}),
        (400, "campaigns/1/actions/101/language/xx", {"subject": "New"}),
        (400, "newsletters/21/language/xx", {"subject": "New"}),
        (400, "newsletters/21/contents/210", {"from_id": 99}),
        (400, "newsletters/21/contents/210", {"name": "New"}),
        (400, "transactional/1/content/11", {"recipient": "a@example.com"}),
        (404, "campaigns/1/actions/999", {"subject": "New"}),
        (404, "newsletters/21/contents/999", {"subject": "New"}),
        (404, "transactional/99/content/11", {"subject": "New"}),
    ],
)
async def test_what_cannot_be_written_is_refused(
    caller: Caller, status: int, path: str, given: dict[str, Any]
) -> None:
    await caller.no(status, "PUT", f"/v1/{path}", given)


async def test_a_message_made_in_another_editor_keeps_its_body_and_takes_the_rest(caller: Caller) -> None:
    await caller.ok("PUT", "/v1/campaigns/2/actions/201", {"subject": "Three days"})

    assert (await caller.ok("GET", "/v1/campaigns/2/actions/201"))["action"]["subject"] == "Three days"


async def test_what_is_scheduled_says_the_new_text_and_what_was_sent_the_old(caller: Caller) -> None:
    send = {"transactional_message_id": 2, **ADA}
    later = {"send_at": int(caller.clock.now) + 3600}
    sent, scheduled = [
        (await caller.ok("POST", "/v1/send/email", send | more))["delivery_id"] for more in ({}, later)
    ]
    await caller.ok("PUT", "/v1/transactional/2/content/21", {"subject": "Now"})
    caller.clock.now += 7200
    await caller.ok("PUT", "/v1/transactional/2/content/21", {"subject": "Too late"})

    subjects = [
        (await caller.ok("GET", f"/v1/messages/{one}/archived_message"))["archived_message"]["subject"]
        for one in (sent, scheduled)
    ]
    assert subjects == ["Set a new password", "Now"]


async def test_a_broadcast_sends_its_new_subject(caller: Caller) -> None:
    await caller.ok("PUT", "/v1/broadcasts/11/actions/1101", {"subject": "News"})
    await caller.ok("POST", "/v1/campaigns/11/triggers", {"emails": ["ada@example.com"]})

    newest, *_ = (await caller.ok("GET", "/v1/broadcasts/11/messages"))["messages"]
    assert newest["subject"] == "News"

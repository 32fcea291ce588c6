"""What messages say, in the forms of the recorded and documented answers, and what was said to whom."""

import json
from typing import Any

import pytest

from tests.planted import a_sandbox
from tests.sandbox.conftest import Caller, Calling, Clock

pytestmark = pytest.mark.anyio

# Recorded: an action that sends an email.
ACTION = {
    "id": "26",
    "campaign_id": 4,
    "deduplicate_id": "15:1492548073",
    "name": "Opening Message",
    "layout": "string",
    "created": 1552341937,
    "updated": 1552341937,
    "body": "string",
    "type": "email",
    "sending_state": "automatic",
    "from": "sentFrom@example.com",
    "from_id": 1,
    "reply_to": "replyto@example.com",
    "reply_to_id": None,
    "preprocessor": "premailer",
    "recipient": "{{customer.email}}",
    "subject": "Did you get that thing I sent you?",
    "bcc": "",
    "fake_bcc": False,
    "preheader_text": "",
    "headers": '[{"name":"X-Mailgun-Tag","value":"my-cool-tag"}]',
}

# Documented, 2026-09-17.
ARCHIVED = {
    *("id", "recipient", "from", "reply_to", "subject", "preheader_text", "cc", "bcc", "fake_bcc", "body"),
    *("headers", "forgotten"),
}


@pytest.fixture
def caller(calling: Calling, clock: Clock) -> Caller:
    return calling(a_sandbox(clock), clock)


async def archived(caller: Caller, delivery: str) -> dict[str, Any]:
    found: dict[str, Any] = (await caller.ok("GET", f"/v1/messages/{delivery}/archived_message"))[
        "archived_message"
    ]
    return found


async def newest(caller: Caller, **source: int) -> str:
    messages = (await caller.ok("GET", "/v1/messages"))["messages"]
    return next(str(one["id"]) for one in messages if all(one.get(name) == source[name] for name in source))


@pytest.mark.parametrize("path", ["campaigns/1/actions/101", "broadcasts/10/actions/1001"])
async def test_an_action_has_the_recorded_form(caller: Caller, path: str) -> None:
    action = (await caller.ok("GET", f"/v1/{path}"))["action"]

    assert ACTION.keys() - action.keys() <= {"campaign_id"}
    assert {name: type(action[name]) for name in ACTION if name in action} == {
        name: type(value) for name, value in ACTION.items() if name in action
    }
    assert json.loads(action["headers"]) == []


async def test_the_list_of_actions_has_the_same_actions(caller: Caller) -> None:
    for path, number in (("campaigns/1", "101"), ("broadcasts/11", "1101")):
        listed = (await caller.ok("GET", f"/v1/{path}/actions"))["actions"]
        one = (await caller.ok("GET", f"/v1/{path}/actions/{number}"))["action"]
        assert listed[0] == one


async def test_what_sends_nothing_has_no_text(caller: Caller) -> None:
    delay = (await caller.ok("GET", "/v1/campaigns/1/actions/102"))["action"]

    assert delay["type"] == "delay"
    assert not delay.get("body")


@pytest.mark.parametrize(
    ("path", "number", "french"),
    [
        ("newsletters/20", 201, "Trois nouveautés dans Quill"),
        ("transactional/1", 12, "Votre commande {{trigger.order_id}}"),
    ],
)
async def test_texts_come_by_number_and_by_language(
    caller: Caller, path: str, number: int, french: str
) -> None:
    contents = (await caller.ok("GET", f"/v1/{path}/contents"))["contents"]
    by_number = (await caller.ok("GET", f"/v1/{path}/contents/{number}"))["content"]
    by_language = (await caller.ok("GET", f"/v1/{path}/language/fr"))["content"]

    assert [content["language"] for content in contents] == ["", "fr"]
    assert contents[1] == by_number == by_language
    assert by_number["subject"] == french


@pytest.mark.parametrize(
    "path",
    [
        "campaigns/1/actions/9",
        "campaigns/99/actions/101",
        "campaigns/1/actions/101/language/de",
        "campaigns/1/actions/103/language/fr",
        "broadcasts/99/actions",
        "broadcasts/10/actions/101",
        "broadcasts/10/actions/1001/language/fr",
        "newsletters/20/contents/210",
        "newsletters/20/language/de",
        "newsletters/99/contents",
        "transactional/1/contents/21",
        "transactional/1/language/de",
        "messages/nothing/archived_message",
    ],
)
async def test_what_is_not_there_is_not_found(caller: Caller, path: str) -> None:
    await caller.no(404, "GET", f"/v1/{path}")


async def test_a_recipient_that_is_liquid_is_blank_for_sms(caller: Caller) -> None:
    (sms,) = (await caller.ok("GET", "/v1/transactional/4/contents"))["contents"]

    assert sms["recipient"] == ""
    assert "{{trigger.code}}" in sms["body"]


async def test_a_snippet_in_any_text_is_in_use(caller: Caller) -> None:
    await caller.no(400, "DELETE", "/v1/snippets/footer")


async def test_what_was_sent_has_the_values_of_the_send(caller: Caller) -> None:
    body = {
        "transactional_message_id": 1,
        "identifiers": {"id": "u_1001"},
        "to": "ada@example.com",
        "message_data": {"order_id": "A-7", "items": [{"name": "Pen", "price": 2.5}]},
    }
    sent = (await caller.ok("POST", "/v1/send/email", body))["delivery_id"]
    await caller.identify("u_1001", first_name="Augusta")
    found = await archived(caller, sent)

    assert found.keys() == ARCHIVED
    assert (found["subject"], found["recipient"]) == ("Your order A-7", "ada@example.com")
    assert "Hi Ada," in found["body"]
    assert "<td>Pen</td><td>€2.50</td>" in found["body"]
    assert "#unsubscribe_url" in found["body"]
    assert (await caller.ok("GET", f"/v1/messages/{sent}"))["message"]["subject"] == "Your order A-7"


async def test_a_send_can_bring_its_own_text_and_language(caller: Caller) -> None:
    to = {"identifiers": {"id": "u_1001"}, "to": "ada@example.com", "message_data": {"order_id": 7}}
    own = to | {"body": "<p>{{trigger.order_id}}</p>", "subject": "Own", "from": "hello@example.com"}
    french = to | {"transactional_message_id": 1, "language": "fr"}

    sent = [(await caller.ok("POST", "/v1/send/email", body))["delivery_id"] for body in (own, french)]

    assert [(await archived(caller, one))["subject"] for one in sent] == ["Own", "Votre commande 7"]
    assert (await archived(caller, sent[0]))["body"] == "<p>7</p>"


async def test_what_was_not_to_be_kept_is_forgotten(caller: Caller) -> None:
    body = {
        "transactional_message_id": 4,
        "identifiers": {"id": "u_1001"},
        "to": "+442071838750",
        "message_data": {"code": "123456"},
        "disable_message_retention": True,
    }
    sent = (await caller.ok("POST", "/v1/send/sms", body))["delivery_id"]
    found = await archived(caller, sent)

    assert (found["forgotten"], found["body"]) == (True, "")
    assert "123456" not in json.dumps(found)


async def test_a_broadcast_says_to_each_what_its_trigger_has_for_them(caller: Caller) -> None:
    trigger = {
        "data": {"coupon_code": "ALL"},
        "per_user_data": [{"id": "u_1001", "data": {"coupon_code": "ADA"}}, {"email": "chidi@example.org"}],
    }
    await caller.ok("POST", "/v1/campaigns/10/triggers", trigger)
    messages = (await caller.ok("GET", "/v1/broadcasts/10/messages"))["messages"]

    subjects = {one["recipient"]: one["subject"] for one in messages}
    assert subjects == {"ada@example.com": "ADA: a fifth off", "chidi@example.org": "ALL: a fifth off"}
    body = (await archived(caller, messages[0]["id"]))["body"]
    assert "sale?code=" in body


async def test_what_the_story_sent_can_be_read_as_well(caller: Caller) -> None:
    newsletter = await archived(caller, await newest(caller, newsletter_id=20))
    welcome = await archived(caller, await newest(caller, action_id=101))

    assert "Three things" in newsletter["body"]
    assert (welcome["subject"], "first-note" in welcome["body"]) == ("Welcome to Quill", True)

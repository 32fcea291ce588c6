"""Transactional messages and deliveries."""

import base64
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

SEND = {
    "transactional_message_id": 1,
    "to": "a@example.com",
    "identifiers": {"id": "1"},
    "message_data": {"order_id": "4711"},
}


async def delivery(caller: Caller, **changes: Any) -> dict[str, Any]:
    """Send an email; returns its delivery."""
    number = (await caller.ok("POST", "/v1/send/email", SEND | changes))["delivery_id"]
    found: dict[str, Any] = (await caller.ok("GET", f"/v1/messages/{number}"))["message"]
    return found


async def test_a_send_is_queued_and_its_delivery_gets_on_with_time(caller: Caller) -> None:
    answer = await caller.ok("POST", "/v1/send/email", SEND)
    path = f"/v1/messages/{answer['delivery_id']}"

    assert answer["queued_at"] == int(caller.clock.now)
    assert (await caller.ok("GET", path))["message"]["metrics"].keys() == {"created"}
    caller.clock.now += 10
    assert (await caller.ok("GET", path))["message"]["metrics"].keys() == {
        *("created", "sent", "secondary:delivered")
    }


async def test_an_unknown_person_is_created_and_has_the_message(caller: Caller) -> None:
    sent = await delivery(caller)

    (message,) = (await caller.ok("GET", "/v1/customers/1/messages"))["messages"]
    assert message["id"] == sent["id"]
    assert (message["customer_id"], message["recipient"]) == ("1", "a@example.com")
    await caller.no(404, "GET", "/v1/messages/unknown")


async def test_the_same_call_twice_is_two_messages(caller: Caller) -> None:
    for _ in range(2):
        await delivery(caller)

    assert len((await caller.ok("GET", "/v1/customers/1/messages"))["messages"]) == 2


@pytest.mark.parametrize("template", [2, "2", "password_reset", "Password_Reset"])
async def test_a_template_is_named_by_number_or_trigger_name_in_any_case(
    caller: Caller, template: int | str
) -> None:
    assert (await delivery(caller, transactional_message_id=template))["transactional_message_id"] == 2


async def test_a_draft_a_late_and_an_undeliverable_message_say_so(caller: Caller) -> None:
    draft = await delivery(caller, queue_draft=True)
    late = await delivery(caller, send_at=int(caller.clock.now) + 3600)
    await caller.identify("1", unsubscribed=True)
    against_will = await delivery(caller, send_to_unsubscribed=False)
    asked_for = await delivery(caller)
    await caller.ok("POST", "/api/v1/customers/a@example.com/suppress")
    blocked = await delivery(caller)
    nobody = await delivery(caller, identifiers={"cio_id": "unknown"})

    assert "drafted" in draft["metrics"]
    assert late["metrics"].keys() == {"created"}
    assert against_will["failure_message"] == "recipient is unsubscribed"
    assert "failure_message" not in asked_for
    assert (blocked["failure_message"], "undeliverable" in blocked["metrics"]) == (
        "recipient is suppressed",
        True,
    )
    assert (nobody["customer_id"], nobody["customer_identifiers"]) == (None, None)


async def test_a_message_without_a_template_brings_its_own_text(caller: Caller) -> None:
    own = {"body": "<p>Hi</p>", "subject": "Hi", "from": "team@example.com"}

    send = {"to": "a@example.com", "identifiers": {"id": "1"}} | own
    number = (await caller.ok("POST", "/v1/send/email", send))["delivery_id"]
    assert (await caller.ok("GET", f"/v1/messages/{number}"))["message"]["subject"] == "Hi"


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"to": ""}, 400, 'Missing required field: "to"'),
        ({"to": ", ".join(f"a{n}@example.com" for n in range(16))}, 400, "Too many recipients"),
        ({"transactional_message_id": 99}, 400, '"transactional_message_id" not found'),
        ({"transactional_message_id": 3}, 400, "belongs to another channel"),
        ({"transactional_message_id": None}, 400, 'Missing required field: "body"'),
        ({"identifiers": None}, 400, "identifiers"),
        ({"identifiers": {"id": "1", "email": "a@example.com"}}, 400, "exactly one"),
        ({"identifiers": {"id": 5}}, 400, "must be a string"),
        ({"attachments": ["x"]}, 400, '"attachments" must be an object'),
        ({"attachments": {"f": "no base64"}}, 400, 'Attachment must be base64 encoded: "f"'),
        ({"attachments": {"f.exe": "aGk="}}, 403, "Forbidden file type exe for attachment f.exe"),
        (
            {"attachments": {"f": base64.b64encode(b"x" * 2_000_000).decode()}},
            413,
            "Total attachment size exceeds the limit",
        ),
        ({"body": "x" * 2_100_000}, 400, "not exceed 2048 KB"),
    ],
)
async def test_a_send_is_checked(caller: Caller, changes: dict[str, Any], status: int, message: str) -> None:
    answer = await caller.send("POST", "/v1/send/email", SEND | changes)

    assert answer.status_code == status
    assert message in answer.json()["meta"]["error"]


async def channel_delivery(caller: Caller, channel: str, template: int, **changes: Any) -> dict[str, Any]:
    """Send a message of another channel to Ada; returns its delivery."""
    body = {"transactional_message_id": template, "identifiers": {"id": "u_1001"}} | changes
    number = (await caller.ok("POST", f"/v1/send/{channel}", body))["delivery_id"]
    found: dict[str, Any] = (await caller.ok("GET", f"/v1/messages/{number}"))["message"]
    return found


async def test_a_push_goes_to_all_devices_or_the_one_used_last_or_the_one_named(caller: Caller) -> None:
    older = {"device": {"id": "tablet", "platform": "android", "last_used": 1}}
    await caller.ok("PUT", "/api/v1/customers/u_1001/devices", older)

    for to, recipient in (
        ({}, "device-ada-1, tablet"),
        ({"to": "last_used"}, "device-ada-1"),
        ({"to": "all"}, "device-ada-1, tablet"),
        ({"to": "tablet"}, "tablet"),
        ({"to": "new", "custom_device": {"token": "new", "platform": "ios"}}, "new"),
    ):
        sent = await channel_delivery(caller, "push", 3, **to)
        assert (sent["type"], sent["recipient"]) == ("push", recipient)


@pytest.mark.parametrize(
    ("channel", "template", "type_"), [("sms", 4, "twilio"), ("whatsapp", 7, "whatsapp")]
)
async def test_a_text_message_goes_to_the_number_named_or_to_what_liquid_stands_for(
    caller: Caller, channel: str, template: int, type_: str
) -> None:
    for to, recipient in (
        ("+15550100", "+15550100"),
        ("{{customer.phone}}", "+442071838750"),
        ("{{ customer.phone | strip }}", "+442071838750"),
        ("{{customer.mobile}}", ""),
    ):
        sent = await channel_delivery(caller, channel, template, to=to)
        assert (sent["type"], sent["recipient"]) == (type_, recipient)


async def test_a_template_that_is_not_there_is_made_where_that_is_asked_for(caller: Caller) -> None:
    sent = await channel_delivery(caller, "push", "new_trigger", auto_create=True)  # type: ignore[arg-type]
    again = await channel_delivery(caller, "push", "New_Trigger")  # type: ignore[arg-type]

    assert sent["transactional_message_id"] == again["transactional_message_id"] == 8
    assert (await caller.ok("GET", "/v1/transactional/8"))["message"]["trigger_name"] == "new_trigger"
    body = {"identifiers": {"id": "u_1001"}, "transactional_message_id": 99, "auto_create": True}
    assert "not found" in str(await caller.no(400, "POST", "/v1/send/push", body))


async def test_a_message_in_the_app_is_sent_and_never_said_to_be_delivered(caller: Caller) -> None:
    for channel, template in (("in_app", 5), ("inbox_message", 6)):
        data = {"from_name": "Dana", "invoice_id": "7"}
        sent = await channel_delivery(caller, channel, template, message_data=data)
        caller.clock.now += 10
        found = (await caller.ok("GET", f"/v1/messages/{sent['id']}"))["message"]
        assert found["recipient"] == "ada@example.com"
        assert found["metrics"].keys() == {"created", "sent"}


async def test_a_message_that_has_nowhere_to_go_is_undeliverable(caller: Caller) -> None:
    number = {"to": "{{customer.phone}}"}
    for channel, template, to in (
        ("push", 3, {}),
        ("sms", 4, number),
        ("whatsapp", 7, number),
        ("in_app", 5, {}),
    ):
        sent = await channel_delivery(caller, channel, template, identifiers={"cio_id": "unknown"}, **to)
        assert sent["failure_message"] == "recipient is blank"


@pytest.mark.parametrize(
    ("channel", "body", "status", "message"),
    [
        ("sms", {"transactional_message_id": 4, "to": "030 1"}, 400, "Invalid phone number format"),
        ("sms", {"transactional_message_id": 4}, 400, 'Missing required field: "to"'),
        ("whatsapp", {"transactional_message_id": 7}, 400, 'Missing required field: "to"'),
        ("sms", {"transactional_message_id": 1, "to": "+15550100"}, 400, "belongs to another channel"),
        ("push", {"transactional_message_id": 3, "to": "last"}, 400, "a device token of the person"),
        ("push", {"transactional_message_id": 3, "fate": {}}, 400, "fate is not known here"),
        (
            "whatsapp",
            {"transactional_message_id": 7, "to": "+15550100", "auto_create": True},
            400,
            "not known",
        ),
        ("push", {"transactional_message_id": 99}, 400, '"transactional_message_id" not found'),
        ("in_app", {}, 400, 'Missing required field: "transactional_message_id"'),
        ("inbox_message", {"transactional_message_id": 6, "identifiers": {}}, 400, "exactly one"),
    ],
)
async def test_a_send_by_another_channel_is_checked(
    caller: Caller, channel: str, body: dict[str, Any], status: int, message: str
) -> None:
    refusal = await caller.no(status, "POST", f"/v1/send/{channel}", {"identifiers": {"id": "1"}} | body)

    assert message in refusal["meta"]["error"]


async def test_a_channel_that_is_not_imitated_says_so(caller: Caller) -> None:
    refusal = await caller.no(501, "POST", "/v1/send/web_push", SEND)

    assert "POST /v1/send/web_push" in refusal["errors"][0]["detail"]


async def test_transactional_messages_are_listed(caller: Caller) -> None:
    messages = (await caller.ok("GET", "/v1/transactional"))["messages"]

    assert [message["trigger_name"] for message in messages][:2] == ["order_confirmation", "password_reset"]
    assert (await caller.ok("GET", "/v1/transactional/1"))["message"] == messages[0]
    assert messages[0]["queue_drafts"] is False
    assert not {"channel", "subject"} & messages[0].keys()
    await caller.no(404, "GET", "/v1/transactional/99")

"""Transactional messages and deliveries."""

import base64
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

SEND = {"transactional_message_id": 1, "to": "a@example.com", "identifiers": {"id": "1"}}


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
    assert (await caller.ok("GET", path))["message"]["metrics"].keys() == {"created", "sent", "delivered"}


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
    assert asked_for["failure_message"] is None
    assert (blocked["failure_message"], "undeliverable" in blocked["metrics"]) == (
        "recipient is suppressed",
        True,
    )
    assert nobody["customer_identifiers"] == {}


async def test_a_message_without_a_template_brings_its_own_text(caller: Caller) -> None:
    own = {"body": "<p>Hi</p>", "subject": "Hi", "from": "team@example.com"}

    assert (await delivery(caller, transactional_message_id=None, **own))["subject"] == "Hi"


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
        ({"attachments": []}, 200, ""),
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
    assert status == 200 or message in answer.json()["meta"]["error"]


async def test_transactional_messages_are_listed(caller: Caller) -> None:
    messages = (await caller.ok("GET", "/v1/transactional"))["messages"]

    assert [message["trigger_name"] for message in messages][:2] == ["order_confirmation", "password_reset"]
    assert (await caller.ok("GET", "/v1/transactional/1"))["message"]["name"] == "Order confirmation"
    await caller.no(404, "GET", "/v1/transactional/99")

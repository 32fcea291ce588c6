"""Transactional messages: one message to one person, now."""

import base64
import json
from typing import Any

import httpx
import pytest

from tests.agent import Agent

pytestmark = pytest.mark.anyio

TO_ADA = {"to": "ada@example.com", "customer_id": "u_1001"}
OWN_TEXT = {"subject": "Hello", "body": "<p>Hello</p>", "from_address": "team@example.com"}


async def test_a_send_answers_its_delivery_and_that_it_is_only_queued(agent: Agent) -> None:
    answer = await agent.call("send_transactional_email", transactional_message_id=1, **TO_ADA)

    assert answer["outcome"] == "queued"
    assert answer["delivery_id"]
    assert answer["queued_at"] == "2026-05-28T20:26:40Z"


@pytest.mark.parametrize("template", [1, "1", "order_confirmation", " Order_Confirmation "])
async def test_a_template_is_named_by_number_or_trigger_name(agent: Agent, template: int | str) -> None:
    await agent.call("send_transactional_email", transactional_message_id=template, **TO_ADA)

    expected = template.strip() if isinstance(template, str) else template
    assert agent.last[2]["transactional_message_id"] == expected


async def test_overrides_leave_under_the_names_that_the_api_has_for_them(agent: Agent) -> None:
    await agent.call(
        "send_transactional_email",
        to="Ada <ada@example.com>, bob@example.com",
        customer_id="cio_03000001",
        id_type="cio_id",
        cc="carol@example.com",
        bcc="dave@example.com",
        reply_to="help@example.com",
        preheader="Hi",
        body_plain="Hello",
        body_amp="<html amp4email></html>",
        fake_bcc=True,
        disable_css_preprocessing=True,
        language="en",
        headers={"X-Order": "1"},
        message_data={"order": 1},
        attachments={"a.txt": base64.b64encode(b"hello").decode()},
        send_at="2026-06-01T00:00:00Z",
        send_to_unsubscribed=False,
        tracked=False,
        disable_message_retention=True,
        queue_draft=True,
        **OWN_TEXT,
    )

    assert agent.last[2] == {
        "to": "Ada <ada@example.com>, bob@example.com",
        "identifiers": {"cio_id": "03000001"},
        "message_data": {"order": 1},
        "from": "team@example.com",
        "subject": "Hello",
        "body": "<p>Hello</p>",
        "body_plain": "Hello",
        "body_amp": "<html amp4email></html>",
        "fake_bcc": True,
        "disable_css_preprocessing": True,
        "preheader": "Hi",
        "reply_to": "help@example.com",
        "cc": "carol@example.com",
        "bcc": "dave@example.com",
        "headers": {"X-Order": "1"},
        "language": "en",
        "send_at": 1780272000,
        "send_to_unsubscribed": False,
        "tracked": False,
        "disable_message_retention": True,
        "queue_draft": True,
        "attachments": {"a.txt": "aGVsbG8="},
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"to": ", ".join(f"a{n}@example.com" for n in range(16))},
            "1 to 15 recipients are allowed in all; these are 16",
        ),
        ({"cc": ", ".join(f"a{n}@example.com" for n in range(15))}, "these are 16"),
        (
            {"transactional_message_id": None},
            "body, subject, from_address: required without transactional_message_id",
        ),
        ({"transactional_message_id": None, "auto_create": True, **OWN_TEXT}, "auto_create: needs"),
        ({"transactional_message_id": True}, "transactional_message_id: must be an id or a trigger name"),
        *[
            ({"attachments": {"b.txt": "aGVsbG8=", "a.txt": content}}, "attachments: a.txt: is not base64")
            for content in ("not base64!", "two words", "hello", "data:text/plain;base64,aGk=", "aGVs=bG8=")
        ],
        *[
            ({"attachments": {"a.txt": content}}, "attachments: a.txt: is not base64")
            for content in (5, None, "", " \n", [104], {"a": "aGVsbG8="}, "\u00fc")
        ],
        ({"attachments": {" ": "aGVsbG8="}}, "attachments: a file name must not be blank"),
        (
            {"attachments": {"a.bin": base64.b64encode(b"x" * 2_000_000).decode()}},
            "attachments: must be under 2000000 bytes in all; these are 2000000",
        ),
        ({"body": "x" * 1_000_001}, "without attachments at most 1000000 bytes"),
        ({"send_at": 1780272000000}, "send_at: is in milliseconds"),
    ],
)
async def test_a_wrong_argument_is_named_and_nothing_is_sent(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    text = await agent.fail(
        "send_transactional_email", **TO_ADA | {"transactional_message_id": 1} | arguments
    )

    assert words in text
    assert agent.sent == []


async def deliveries(agent: Agent) -> int:
    """Return how many messages the workspace has for Ada."""
    asked = httpx.Request(
        "GET",
        "https://sandbox.invalid/v1/customers/u_1001/messages",
        headers={"Authorization": f"Bearer {agent.wire.sandbox.credentials.app_api_key}"},
    )
    answer = await httpx.ASGITransport(app=agent.wire.sandbox.app).handle_async_request(asked)
    return len(json.loads(await answer.aread())["messages"])


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "fault", [500, 503, 408, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError]
)
async def test_a_send_whose_answer_is_lost_is_unknown_and_never_repeated(
    agent: Agent, fault: int | type[httpx.TransportError], late: bool
) -> None:
    before = await deliveries(agent)
    agent.wire.fail(fault, late=late)

    text = await agent.fail("send_transactional_email", transactional_message_id=1, **TO_ADA)

    assert (agent.facts["outcome"], agent.facts["retryable"]) == ("unknown", False)
    assert "list_customer_messages" in text
    assert await deliveries(agent) == before + late


@pytest.mark.parametrize("fault", [429, httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_a_send_that_was_not_executed_is_repeated_and_happens_once(
    agent: Agent, fault: int | type[httpx.TransportError]
) -> None:
    before = await deliveries(agent)
    agent.wire.fail(fault)

    await agent.call("send_transactional_email", transactional_message_id=1, **TO_ADA)

    assert await deliveries(agent) == before + 1


async def test_the_vendors_reason_and_field_reach_the_agent(agent: Agent) -> None:
    text = await agent.fail("send_transactional_email", transactional_message_id="no_such_name", **TO_ADA)

    assert agent.facts["status"] == 400
    assert "transactional_message_id" in text


async def test_a_template_that_is_not_there_is_created_where_that_is_asked_for(agent: Agent) -> None:
    message = {"transactional_message_id": "new_trigger", **TO_ADA}
    refused = await agent.fail("send_transactional_email", **message)
    await agent.call("send_transactional_email", **message, auto_create=True)
    sent = agent.last[2]
    await agent.call("send_transactional_email", **message)

    assert "not found" in refused
    assert sent["auto_create"] is True


@pytest.mark.parametrize("template", ["", " "])
async def test_a_blank_template_is_no_template(agent: Agent, template: str) -> None:
    content = {"body": "<p>Hello</p>", "subject": "Hello", "from_address": "shop@example.com"}
    for tool, more in (
        ("send_transactional_email", {"to": "ada@example.com", **content}),
        ("send_transactional_message", {"channel": "push"}),
    ):
        text = await agent.fail(tool, customer_id="u_1001", transactional_message_id=template, **more)
        assert "transactional_message_id: must not be blank" in text

    assert agent.sent == []


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("aGVsbG8=", "aGVsbG8="),
        ("aGVsbG8", "aGVsbG8="),
        (" aGVs\r\n  bG8=\n", "aGVsbG8="),
        ("-_-_", "+/+/"),
        ("_w", "/w=="),
    ],
)
async def test_base64_of_every_kind_is_sent_in_the_plain_one(agent: Agent, written: str, sent: str) -> None:
    await agent.call(
        "send_transactional_email",
        to="ada@example.com",
        customer_id="u_1001",
        transactional_message_id=1,
        attachments={"a.bin": written},
    )

    assert agent.last[2]["attachments"] == {"a.bin": sent}


@pytest.mark.parametrize(
    ("send_at", "words"),
    [
        (20261201, 'did you mean "2026-12-01"?'),
        (2026, 'did you mean "2026-01-01"?'),
        ("2026", 'did you mean "2026-01-01"?'),
        (0, "as unix seconds this is in the year 1970"),
        ("2025-12-01T09:00:00Z", "2025-12-01T09:00:00Z is in the past; correct it"),
    ],
)
@pytest.mark.parametrize(
    ("tool", "more"),
    [
        ("send_transactional_email", {"to": "ada@example.com"}),
        ("send_transactional_message", {"channel": "push"}),
    ],
)
async def test_a_message_for_later_never_goes_out_now(
    agent: Agent, tool: str, more: dict[str, Any], send_at: object, words: str
) -> None:
    text = await agent.fail(tool, customer_id="u_1001", transactional_message_id=1, send_at=send_at, **more)

    assert f"send_at: {words}" in text or f"send_at: a number is read as unix seconds; {words}" in text
    assert agent.sent == []


async def test_eight_digits_as_text_are_a_date(agent: Agent) -> None:
    answer = await agent.call(
        "send_transactional_email",
        to="ada@example.com",
        customer_id="u_1001",
        transactional_message_id=1,
        send_at="20260701",
    )

    assert answer["send_at"] == "2026-07-01T00:00:00Z"

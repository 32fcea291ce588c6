"""Transactional messages of every channel: templates, and sends by push, SMS and in the app."""

from typing import Any

import pytest

from tests.agent import Agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

ADA = {"customer_id": "u_1001"}
# Each channel: its template in the story, its path, what a delivery of it is called and how far it comes.
CHANNELS = {
    "push": (3, "push", "push", "delivered"),
    "sms": ("sign_in_code", "sms", "twilio", "delivered"),
    "whatsapp": (7, "whatsapp", "whatsapp", "delivered"),
    "in_app": (5, "in_app", "in_app", "sent"),
    "inbox": ("6", "inbox_message", "inbox", "sent"),
}

# What a channel cannot do without, and how a customer's own number is named.
NEEDS: dict[str, dict[str, Any]] = {
    "push": {},
    "sms": {"to": "{{customer.phone}}", "message_data": {"code": "1234"}},
    "whatsapp": {"to": "{{customer.phone}}", "message_data": {"shop": "Porto"}},
    "in_app": {"message_data": {"from_name": "Dana"}},
    "inbox": {"message_data": {"invoice_id": "7"}},
}


async def test_templates_are_listed_newest_first_with_what_names_them_in_a_send(agent: Agent) -> None:
    answer = await agent.call("list_transactional_messages")

    assert agent.sent == ["GET /v1/transactional"]
    assert [message["id"] for message in answer["messages"]] == [7, 6, 5, 4, 3, 2, 1]
    assert answer["messages"][-1] == {
        "id": 1,
        "name": "Order confirmation",
        "trigger_name": "order_confirmation",
        "description": "Email with each purchase.",
        "send_to_unsubscribed": True,
        "queue_drafts": False,
        "updated": "2026-04-28T20:26:40Z",
    }
    assert "next_cursor" not in answer


async def test_templates_may_come_as_null_or_be_one_of_which_little_is_known() -> None:
    nothing: tuple[list[Any] | None, ...] = (None, [])
    for items in nothing:
        async with canned({"/v1/transactional": {"messages": items}}) as workspace:
            assert await workspace.call("list_transactional_messages") == {"messages": []}
    async with canned({"/v1/transactional": {"messages": [{"id": 7, "name": None}]}}) as workspace:
        assert (await workspace.call("list_transactional_messages"))["messages"] == [{"id": 7}]


async def test_more_templates_than_fit_are_read_page_by_page() -> None:
    many = [{"id": number, "name": "n" * 500} for number in range(1, 101)]
    read: list[int] = []
    async with canned({"/v1/transactional": {"messages": many}}) as workspace:
        cursor: dict[str, str] = {}
        while True:
            page = await workspace.call("list_transactional_messages", **cursor)
            read += [message["id"] for message in page["messages"]]
            if "next_cursor" not in page:
                break
            assert f"{100 - len(read)} more match" in page["left_out"]
            cursor = {"cursor": page["next_cursor"]}

    assert read == list(range(100, 0, -1))
    assert len(workspace.asked) > 2


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_message_of_each_channel_is_sent_and_can_be_followed(agent: Agent, channel: str) -> None:
    template, path, type_, state = CHANNELS[channel]
    needs = NEEDS[channel]
    answer = await agent.call(
        "send_transactional_message", channel=channel, transactional_message_id=template, **ADA, **needs
    )

    assert agent.last == (
        f"POST /v1/send/{path}",
        {},
        {"identifiers": {"id": "u_1001"}, "transactional_message_id": template} | needs,
    )
    assert (answer["outcome"], answer["queued_at"]) == ("queued", "2026-05-28T20:26:40Z")
    delivery = await agent.call("wait_for_delivery", delivery_id=answer["delivery_id"])
    assert (delivery["type"], delivery["state"], delivery["final"]) == (type_, state, True)
    assert delivery["customer"]["id"] == "u_1001"
    newest = (await agent.call("list_messages", limit=1))["messages"][0]
    assert (newest["delivery_id"], newest["type"]) == (answer["delivery_id"], type_)


async def test_a_push_leaves_with_what_the_call_says_in_place_of_the_template(agent: Agent) -> None:
    await agent.call(
        "send_transactional_message",
        channel="push",
        transactional_message_id=3,
        customer_id="cio_0123",
        id_type="cio_id",
        to="all",
        title="On its way",
        message="It comes today.",
        image_url="https://example.com/box.png",
        link="quill://orders/1",
        sound="none",
        custom_data={"order": "1"},
        custom_device={"token": "d1", "platform": "ios", "last_used": "2026-05-20T08:00:00Z"},
        custom_payload={"ios": {"aps": {"alert": "Hi"}}, "android": {"message": {"data": {"a": "b"}}}},
        message_data={"order_id": 1},
        language="de",
        send_at="2026-06-01T00:00:00Z",
        send_to_unsubscribed=False,
        disable_message_retention=True,
        queue_draft=True,
        auto_create=True,
    )

    assert agent.last[2] == {
        "identifiers": {"cio_id": "0123"},
        "transactional_message_id": 3,
        "to": "all",
        "title": "On its way",
        "message": "It comes today.",
        "image_url": "https://example.com/box.png",
        "link": "quill://orders/1",
        "sound": "none",
        "custom_data": {"order": "1"},
        "custom_device": {"token": "d1", "platform": "ios", "last_used": 1779264000},
        "custom_payload": {"ios": {"aps": {"alert": "Hi"}}, "android": {"message": {"data": {"a": "b"}}}},
        "message_data": {"order_id": 1},
        "language": "de",
        "send_at": 1780272000,
        "send_to_unsubscribed": False,
        "disable_message_retention": True,
        "queue_draft": True,
        "auto_create": True,
    }


@pytest.mark.parametrize(("channel", "template"), [("sms", 4), ("whatsapp", 7)])
async def test_a_text_message_goes_to_the_number_named_from_the_number_named(
    agent: Agent, channel: str, template: int
) -> None:
    answer = await agent.call(
        "send_transactional_message",
        channel=channel,
        transactional_message_id=template,
        to="+4930123456",
        from_number="+442071838000",
        tracked=False,
        **ADA,
    )

    assert agent.last[2] == {
        "identifiers": {"id": "u_1001"},
        "transactional_message_id": template,
        "to": "+4930123456",
        "from": "+442071838000",
        "tracked": False,
    }
    delivery = await agent.call("get_message", delivery_id=answer["delivery_id"])
    assert delivery["recipient"] == "+4930123456"


async def test_liquid_for_the_customers_own_number_reaches_that_number(agent: Agent) -> None:
    sms = {"channel": "sms", "transactional_message_id": 4, **ADA, "to": "{{ customer.phone }}"}
    preview = await agent.call("send_transactional_message", **sms, dry_run=True)
    sent = await agent.call("send_transactional_message", **sms)

    assert (preview["audience"]["what"], preview["audience"]["size"]) == ("the customer", 1)
    delivery = await agent.call("get_message", delivery_id=sent["delivery_id"])
    assert delivery["recipient"] == "+442071838750"


@pytest.mark.parametrize("channel", ["push", "sms", "whatsapp"])
async def test_a_customer_without_device_or_phone_gets_nothing_and_the_delivery_says_so(
    agent: Agent, channel: str
) -> None:
    send = {"channel": channel, "transactional_message_id": CHANNELS[channel][0], "customer_id": "u_1005"}
    send |= NEEDS[channel]
    sent = await agent.call("send_transactional_message", **send)

    delivery = await agent.call("get_message", delivery_id=sent["delivery_id"])
    assert (delivery["state"], delivery["failure"]) == ("undeliverable", "recipient is blank")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"channel": "email"}, "channel: Input should be 'push', 'sms', 'whatsapp', 'in_app' or 'inbox'"),
        (
            {"channel": "sms"},
            "to: must be a phone number in E.164 form, such as +4930123456, or {{customer.phone}}",
        ),
        ({"channel": "whatsapp"}, "to: must be a phone number in E.164 form"),
        (
            {"channel": "sms", "to": "030 123456"},
            "to: must be a phone number in E.164 form, such as +4930123456",
        ),
        ({"channel": "sms", "to": "+0301234567"}, "to: must be a phone number in E.164 form"),
        ({"channel": "sms", "to": "ada@example.com"}, "to: must be a phone number in E.164 form"),
        (
            {"channel": "sms", "title": "Hi"},
            "title: not allowed with channel=sms, which takes only to, from",
        ),
        ({"channel": "push", "from_number": "+1"}, "from_number: not allowed with channel=push"),
        ({"channel": "whatsapp", "auto_create": True}, "auto_create: not allowed with channel=whatsapp"),
        ({"channel": "push", "tracked": False}, "tracked=false: not allowed with channel=push"),
        ({"channel": "push", "sound": "loud"}, "sound: Input should be 'default' or 'none'"),
        (
            {"channel": "push", "custom_device": {"token": "d1"}},
            "custom_device: must have token and platform",
        ),
        (
            {"channel": "push", "custom_device": {"token": "d1", "platform": "web"}},
            "custom_device: must have token and platform",
        ),
        (
            {"channel": "push", "custom_device": {"token": "d1", "platform": "ios", "owner": "me"}},
            "custom_device: must have token and platform",
        ),
        (
            {"channel": "push", "custom_payload": {"web": {}}},
            "custom_payload: must have ios or android or both",
        ),
        (
            {"channel": "push", "custom_payload": {"android": {"message": {"topic": "all"}}}},
            "custom_payload: android: topic would name the recipients",
        ),
        (
            {"channel": "push", "custom_payload": {"ios": {"registration_ids": ["a"], "to": "b"}}},
            "custom_payload: ios: registration_ids, to would name the recipients",
        ),
        (
            {"channel": "push", "custom_payload": {"android": {"Message": {"Topic": "all"}}}},
            "custom_payload: android: Topic would name the recipients",
        ),
        (
            {"channel": "push", "custom_payload": {"android": {"registrationIds": ["a"]}}},
            "custom_payload: android: registrationIds would name the recipients",
        ),
        (
            {"channel": "sms", "to": "+4930\u0661"},
            "to: must be a phone number in E.164 form",
        ),
        (
            {"channel": "in_app", "to": "last"},
            "to: not allowed with channel=in_app, which takes only auto",
        ),
        (
            {"channel": "inbox", "custom_data": {"a": "b"}, "send_to_unsubscribed": False},
            "custom_data, send_to_unsubscribed=false: not allowed with channel=inbox",
        ),
        ({"channel": "push", "message": "x" * 1_000_001}, "without attachments at most 1000000 bytes"),
        ({"channel": "push", "send_at": 1780272000000}, "send_at: is in milliseconds"),
    ],
)
async def test_a_wrong_argument_is_named_and_nothing_is_sent(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    text = await agent.fail("send_transactional_message", **ADA | {"transactional_message_id": 3} | arguments)

    assert words in text
    assert agent.sent == []


async def test_a_template_of_another_channel_is_refused_with_the_vendors_reason(agent: Agent) -> None:
    text = await agent.fail(
        "send_transactional_message", channel="push", transactional_message_id="order_confirmation", **ADA
    )

    assert agent.facts["status"] == 400
    assert "belongs to another channel" in text

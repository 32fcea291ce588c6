"""People by phone number: read through App, written through Track v2, and refused where no API takes it."""

from typing import Any

import pytest

from tests.agent import Agent

pytestmark = pytest.mark.anyio

ADA = {"customer_id": "+442071838750", "id_type": "phone"}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_customer", {}),
        ("list_customer_segments", {}),
        ("get_subscriptions", {}),
        ("get_relationships", {}),
        ("list_customer_messages", {}),
        ("list_activities", {}),
        ("find_rejected_data", {}),
        ("list_opt_outs", {}),
        ("check_write", {"attributes": {"plan": "pro"}}),
        ("explain_no_message", {}),
        ("preview_message", {"kind": "newsletter", "message_id": "21"}),
    ],
)
async def test_each_read_finds_a_person_by_phone_as_by_id(
    agent: Agent, tool: str, arguments: dict[str, Any]
) -> None:
    by_phone = await agent.call(tool, **ADA, **arguments)
    assert "id_type=phone" in str([request.url for request in agent.wire.requests])

    by_id = await agent.call(tool, customer_id="u_1001", **arguments)
    for answer in (by_phone, by_id):
        answer.pop("waited_seconds", None)
    assert by_phone == by_id


IDS = {"phone": "+442071838750"}
EVENT_ID = "01JC7Z7N8V6Q4M2K0X5Y9T3B1A"
RELATED = [
    {"identifiers": {"object_type_id": "1", "object_id": "orbit"}, "relationship_attributes": {"a": 1}}
]


@pytest.mark.parametrize(
    ("tool", "arguments", "operation"),
    [
        (
            "identify_customer",
            {"attributes": {"plan": "x"}, "update_only": True},
            {"action": "identify", "attributes": {"_update": True, "plan": "x"}},
        ),
        (
            "track_event",
            {"name": "n", "data": {"a": 1}, "timestamp": 1764000000, "event_id": EVENT_ID},
            {"action": "event", "name": "n", "attributes": {"a": 1}, "timestamp": 1764000000, "id": EVENT_ID},
        ),
        (
            "track_page_view",
            {"url": "/a", "event_id": EVENT_ID},
            {"action": "page", "name": "/a", "id": EVENT_ID},
        ),
        ("delete_customer", {}, {"action": "delete"}),
        ("suppress_customer", {}, {"action": "suppress"}),
        ("unsuppress_customer", {}, {"action": "unsuppress"}),
        (
            "set_subscriptions",
            {"topics": {"1": True}},
            {
                "action": "identify",
                "attributes": {"_update": True, "cio_subscription_preferences.topics.topic_1": True},
            },
        ),
        (
            "add_device",
            {"device_id": "t", "platform": "ios", "attributes": {"push_enabled": True, "app_version": "1"}},
            {
                "action": "add_device",
                "device": {
                    "token": "t",
                    "platform": "ios",
                    "attributes": {"push_enabled": "true", "app_version": "1"},
                },
            },
        ),
        ("remove_device", {"device_id": "t"}, {"action": "delete_device", "device": {"token": "t"}}),
        (
            "set_relationships",
            {"objects": [{"object_type_id": 1, "object_id": "orbit", "attributes": {"a": 1}}]},
            {"action": "identify", "attributes": {"_update": True}, "cio_relationships": RELATED},
        ),
        (
            "set_relationships",
            {
                "objects": [{"object_type_id": 1, "object_id": "orbit", "attributes": {"a": 1}}],
                "action": "remove",
            },
            {"action": "delete_relationships", "cio_relationships": RELATED},
        ),
    ],
)
async def test_each_write_names_a_person_by_phone_through_track_v2(
    agent: Agent, tool: str, arguments: dict[str, Any], operation: dict[str, Any]
) -> None:
    assert (await agent.call(tool, **ADA, **arguments))["outcome"] == "accepted"

    assert agent.last == ("POST /api/v2/entity", {}, {"type": "person", "identifiers": IDS} | operation)


async def test_an_event_by_phone_counts_once_and_for_that_person(agent: Agent) -> None:
    for _ in range(2):
        await agent.call("track_event", **ADA, name="called", event_id=EVENT_ID)

    rows = agent.wire.sandbox.workspace.rows(
        "SELECT people.id FROM events JOIN people USING (cio_id) WHERE events.name = 'called'"
    )
    assert [row["id"] for row in rows] == ["u_1001"]


async def test_what_is_too_large_for_track_v2_is_refused_before_it_leaves(agent: Agent) -> None:
    data = {"text": "x" * 40_000}

    assert "at most 32000 fit" in await agent.fail("track_event", **ADA, name="n", data=data)
    assert agent.sent == []
    await agent.call("track_event", customer_id="u_1001", name="n", data=data)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("send_transactional_email", {"transactional_message_id": 1, "to": "ada@example.com", **ADA}),
        ("send_transactional_message", {"channel": "push", "transactional_message_id": 1, **ADA}),
        ("merge_customers", {**ADA, "secondary_id": "u_1002"}),
        (
            "merge_customers",
            {"customer_id": "u_1002", "secondary_id": ADA["customer_id"], "secondary_id_type": "phone"},
        ),
        ("add_to_segment", {"segment_id": 5, "ids": [ADA["customer_id"]], "id_type": "phone"}),
        ("remove_from_segment", {"segment_id": 5, "ids": [ADA["customer_id"]], "id_type": "phone"}),
    ],
)
async def test_a_phone_number_is_refused_with_the_reason_where_no_api_takes_it(
    agent: Agent, tool: str, arguments: dict[str, Any]
) -> None:
    text = await agent.fail(tool, **arguments)

    assert "Customer.io accepts no phone number here; get_customer with id_type=phone returns the id" in text
    assert agent.sent == []


@pytest.mark.parametrize("tool", ["get_customer", "identify_customer", "delete_customer"])
@pytest.mark.parametrize("number", ["0151 2345", "+49 151", "442071838750", "+0123", "+" + "1" * 16])
async def test_a_number_in_another_form_is_refused(agent: Agent, tool: str, number: str) -> None:
    assert "E.164" in await agent.fail(tool, customer_id=number, id_type="phone")
    assert agent.sent == []

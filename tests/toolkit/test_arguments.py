"""Arguments as agents send them: blank, empty, numbers as ids, one value for a list."""

from typing import Any

import pytest

from tests.agent import Agent

pytestmark = pytest.mark.anyio

ADA = {"customer_id": "u_1001"}
ULID = "01JC7Z7N8V6Q4M2K0X5Y9T3B1A"
EMAIL = ADA | {"to": "ada@example.com", "transactional_message_id": 1}


@pytest.mark.repeating
@pytest.mark.parametrize("blank", [None, "", " \n"])
@pytest.mark.parametrize(
    ("tool", "arguments", "optional"),
    [
        (
            "identify_customer",
            ADA | {"attributes": {"a": 1}},
            ("created_at", "unsubscribed", "id_type", "dry_run"),
        ),
        (
            "track_event",
            ADA | {"name": "tried", "event_id": ULID},
            ("data", "timestamp"),
        ),
        ("send_transactional_email", EMAIL, ("subject", "headers", "send_at", "tracked", "confirmation")),
        ("trigger_broadcast", {"broadcast_id": 10, "emails": ["ada@example.com"]}, ("data",)),
        ("list_campaigns", {}, ("state", "tag", "name_contains", "limit", "cursor")),
        ("get_campaign_metrics", {"campaign_id": 1}, ("start", "end", "timezone", "channel", "resolution")),
    ],
)
async def test_null_and_blank_mean_absent_for_what_may_be_absent(
    agent: Agent, tool: str, arguments: dict[str, Any], optional: tuple[str, ...], blank: str | None
) -> None:
    await agent.call(tool, **arguments)
    without = agent.last
    await agent.call(tool, **arguments | dict.fromkeys(optional, blank))

    assert agent.last == without


@pytest.mark.repeating
@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize(
    ("tool", "arguments", "named"),
    [
        ("search_customers", {}, "email"),
        ("search_customers", {}, "segment_id"),
        ("search_customers", {}, "filter"),
        ("list_activities", {}, "customer_id"),
        ("find_rejected_data", {}, "customer_id"),
        ("list_messages", {}, "campaign_id"),
        ("list_broadcasts", {}, "broadcast_id"),
        ("list_workspace_items", {"kind": "snippet"}, "item"),
        ("get_customer", ADA, "fields"),
        ("start_export", {"of": "customers"}, "fields"),
        ("start_export", {"of": "customers"}, "filter"),
        ("identify_customer", ADA, "email"),
        ("track_event", ADA | {"name": "tried"}, "event_id"),
        ("track_page_view", ADA | {"url": "/"}, "anonymous_id"),
        ("send_transactional_email", EMAIL, "cc"),
        (
            "send_transactional_email",
            {**ADA, "to": "ada@example.com", "body": "b", "subject": "s", "from_address": "a@example.com"},
            "transactional_message_id",
        ),
        ("send_transactional_message", ADA | {"channel": "push", "transactional_message_id": 2}, "to"),
        ("trigger_broadcast", {"broadcast_id": 10}, "data_file_url"),
        ("trigger_broadcast", {"broadcast_id": 10}, "emails"),
        ("trigger_broadcast", {"broadcast_id": 10}, "ids"),
        ("trigger_broadcast", {"broadcast_id": 10}, "recipients"),
        ("trigger_broadcast", {"broadcast_id": 10}, "per_user_data"),
        (
            "set_reporting_webhook",
            {"name": "a", "endpoint": "https://a.example", "events": ["email_sent"]},
            "webhook_id",
        ),
    ],
)
async def test_what_names_somebody_or_something_is_refused_blank(
    agent: Agent, tool: str, arguments: dict[str, Any], named: str, blank: str
) -> None:
    assert f"\n{named}" in await agent.fail(tool, **arguments, **{named: blank})
    assert agent.sent == []


@pytest.mark.parametrize("empty", [[], {}])
@pytest.mark.parametrize(
    ("tool", "arguments", "named"),
    [
        ("search_customers", {}, "filter"),
        ("start_export", {"of": "customers"}, "fields"),
        ("start_export", {"of": "customers"}, "filter"),
        ("get_customer", ADA, "fields"),
        ("set_relationships", ADA, "objects"),
        ("set_reporting_webhook", {"webhook_id": 1}, "events"),
        ("add_to_segment", {"segment_id": 5}, "ids"),
        *[
            ("trigger_broadcast", {"broadcast_id": 10}, form)
            for form in ("emails", "ids", "recipients", "per_user_data", "data_file_url")
        ],
    ],
)
async def test_an_empty_list_or_object_never_becomes_more_than_it_says(
    agent: Agent, tool: str, arguments: dict[str, Any], named: str, empty: object
) -> None:
    assert f"\n{named}" in await agent.fail(tool, **arguments, **{named: empty})
    assert agent.sent == []


async def test_a_null_in_place_of_what_is_required_is_missing(agent: Agent) -> None:
    assert "customer_id: is required" in await agent.fail("get_customer", customer_id=None)


@pytest.mark.repeating
@pytest.mark.parametrize("number", [1001, 1001.0, "1001", " 1001 "])
@pytest.mark.parametrize(
    ("tool", "arguments", "name"),
    [
        ("identify_customer", {}, "customer_id"),
        ("identify_customer", ADA, "anonymous_id"),
        ("track_anonymous_event", {"name": "tried"}, "anonymous_id"),
        ("add_device", ADA | {"platform": "ios"}, "device_id"),
        ("add_to_segment", {"segment_id": 5}, "ids"),
        ("trigger_broadcast", {"broadcast_id": 10, "id_ignore_missing": True}, "ids"),
        ("send_transactional_email", {"to": "a@example.com", "transactional_message_id": 1}, "customer_id"),
    ],
)
async def test_an_id_is_text_or_a_whole_number(
    agent: Agent, tool: str, arguments: dict[str, Any], name: str, number: object
) -> None:
    await agent.call(tool, **arguments, **{name: number})

    method, _, body = agent.last
    assert "'1001'" in str(body) or method.endswith("/1001")
    assert "1001.0" not in f"{method} {body}"


@pytest.mark.parametrize("number", [1, 1.0, "1", "1.0"])
async def test_a_number_that_names_a_thing_may_be_text(agent: Agent, number: object) -> None:
    await agent.call("search_customers", segment_id=number)
    assert agent.last[2] == {"filter": {"and": [{"segment": {"id": 1}}]}}
    await agent.call("search_customers", filter={"not": {"segment": {"id": number}}})
    assert agent.last[2] == {"filter": {"not": {"segment": {"id": 1}}}}


@pytest.mark.parametrize("number", [None, "", "7a", {}, True, -1, 1.5])
async def test_a_filter_names_its_segments_by_number(agent: Agent, number: object) -> None:
    text = await agent.fail("trigger_broadcast", broadcast_id=10, recipients={"segment": {"id": number}})

    assert "recipients: " in text
    assert not any("triggers" in sent for sent in agent.sent)


@pytest.mark.parametrize("number", [1001.5, True, 1e300, ["1001", None], [[1]]])
async def test_what_is_no_id_is_refused_by_name(agent: Agent, number: object) -> None:
    for tool, name in (("get_customer", "customer_id"), ("get_message", "delivery_id")):
        assert f"{name}: must be text or a whole number" in await agent.fail(tool, **{name: number})
    assert "segment_id: must be a whole number" in await agent.fail("get_segment", segment_id=number)
    assert agent.sent == []


@pytest.mark.parametrize(
    "emails",
    [
        ["ada@example.com", "bob@example.com"],
        '["ada@example.com", "bob@example.com"]',
        "ada@example.com,bob@example.com",
        " ada@example.com , bob@example.com ",
    ],
)
async def test_a_list_of_addresses_is_taken_as_json_and_with_commas(agent: Agent, emails: object) -> None:
    await agent.call("trigger_broadcast", broadcast_id=10, emails=emails, email_ignore_missing=True)

    assert agent.last[2]["emails"] == ["ada@example.com", "bob@example.com"]


async def test_a_single_value_is_a_list_of_one(agent: Agent) -> None:
    await agent.call("trigger_broadcast", broadcast_id=10, per_user_data={"id": 1001}, id_ignore_missing=True)
    assert agent.last[2]["per_user_data"] == [{"id": "1001"}]
    await agent.call("set_relationships", **ADA, objects={"object_type_id": 1.0, "object_id": 42})
    related = agent.last[2]["cio_relationships"]["relationships"]
    assert related == [{"identifiers": {"object_type_id": "1", "object_id": "42"}}]
    found = await agent.call("get_customer", **ADA, fields="plan")
    assert found["attributes"] == {"plan": "pro"}


async def test_text_with_a_comma_is_no_list_where_a_value_can_hold_one(agent: Agent) -> None:
    text = await agent.fail("trigger_broadcast", broadcast_id=10, ids="u_1001, u_1002")

    assert "ids: must be a JSON list" in text
    assert agent.sent == []

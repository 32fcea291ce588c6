"""Answers that lack something, have it in another form, or are refused in part."""

from typing import Any

import httpx
import pytest

from cio_mcp.toolkit.answers.reading import DEPTH
from tests.agent import Agent
from tests.tools.canned import Bodies, canned

pytestmark = pytest.mark.anyio

AT, THEN = 1_780_000_000, "2026-05-28T20:26:40Z"


def no(detail: str = "forbidden") -> httpx.Response:
    return httpx.Response(403, json={"errors": [{"detail": detail, "status": "403"}]})


SEGMENT = {"segment": {"id": 7, "name": "seven"}}
USES = {"used_by": {"campaigns": [4]}}
SENDER = {"sender_identity": {"id": 7, "name": "Noor"}}
ROW = {"collections": [{"id": 7, "name": "sizes"}]}
RUN = {"id": 3, "created_at": AT}


@pytest.mark.parametrize(
    ("tool", "arguments", "bodies", "kept", "lost"),
    [
        (
            "get_segment",
            {"segment_id": 7},
            {"used_by": no(), "count": {"count": 5}, "7": SEGMENT},
            "count",
            "used_by",
        ),
        (
            "get_segment",
            {"segment_id": 7},
            {"used_by": USES, "count": no(), "7": SEGMENT},
            "used_by",
            "count",
        ),
        (
            "list_segments",
            {"counts": True},
            {"count": no(), "": {"segments": [{"id": 7}]}},
            "segments",
            "counts",
        ),
        (
            "get_newsletter",
            {"newsletter_id": 7},
            {"contents": no(), "7": {"newsletter": {"id": 7}}},
            "id",
            "contents",
        ),
        (
            "get_campaign",
            {"campaign_id": 7},
            {"actions": no(), "7": {"campaign": {"id": 7}}},
            "id",
            "actions",
        ),
        (
            "get_relationships",
            {"customer_id": "n"},
            {"types": no(), "": {"cio_relationships": []}},
            "relationships",
            "object_types",
        ),
        (
            "get_broadcast_trigger",
            {"broadcast_id": 7, "trigger_id": 3},
            {"errors": no(), "3": RUN},
            "created",
            "errors",
        ),
        (
            "list_workspace_items",
            {"kind": "sender_identity", "item": "7"},
            {"used_by": no(), "7": SENDER},
            "items",
            "used_by",
        ),
        (
            "list_workspace_items",
            {"kind": "collection", "item": "7"},
            {"content": no(), "": ROW},
            "items",
            "content",
        ),
        (
            "search_customers",
            {"fields": ["plan"]},
            {"attributes": no(), "": {"identifiers": [{"cio_id": "n"}]}},
            "customers",
            "attributes",
        ),
        (
            "get_export",
            {"export_id": 7},
            {"download": no(), "7": {"export": {"status": "done"}}},
            "status",
            "link",
        ),
    ],
)
async def test_what_is_refused_beside_the_main_thing_is_left_out_and_says_so(
    tool: str, arguments: dict[str, Any], bodies: Bodies, kept: str, lost: str
) -> None:
    async with canned(bodies) as workspace:
        answer = await workspace.call(tool, **arguments)

    assert kept in answer
    assert lost not in answer
    assert lost in answer["left_out"]
    assert "Customer.io answered 403: forbidden" in answer["left_out"]


async def test_a_page_of_actions_that_is_refused_leaves_those_before_it() -> None:
    pages: list[Any] = [{"actions": [{"id": "1", "type": "email"}], "next": "second"}, no()]
    bodies = {"actions": lambda _: pages.pop(0), "7": {"campaign": {"id": 7}}}
    async with canned(bodies) as workspace:
        answer = await workspace.call("get_campaign", campaign_id=7)

    assert [step["action_id"] for step in answer["actions"]] == [1]
    assert "403" in answer["left_out"]


async def test_a_kind_of_rejection_that_is_refused_is_told_and_does_not_count_as_none() -> None:
    def activities(request: httpx.Request) -> httpx.Response:
        kind = request.url.params["type"]
        found = [{"type": kind, "timestamp": AT}] if kind == "failed_event" else []
        refused = no("no such type") if kind.startswith("relationship") else None
        return refused or httpx.Response(200, json={"activities": found})

    async with canned({"": activities}) as workspace:
        answer = await workspace.call("find_rejected_data")

    assert [kind["type"] for kind in answer["kinds"]] == ["failed_event"]
    assert (
        "relationship_failed_attribute_change: Customer.io answered 403: no such type" in answer["left_out"]
    )


TO = {"to": "noor@example.org", "customer_id": "u_1001", "transactional_message_id": 1}
HOOK = {"name": "n", "endpoint": "https://example.org/n", "events": ["email_sent"]}
# An act, its arguments, and the envelope and the field that a success must hold.
ACTS: list[tuple[str, dict[str, Any], str | None, str]] = [
    ("create_segment", {"name": "n"}, "segment", "id"),
    ("trigger_broadcast", {"broadcast_id": 10, "emails": ["ada@example.com"]}, None, "id"),
    ("send_transactional_email", TO, None, "delivery_id"),
    (
        "send_transactional_message",
        {"channel": "sms", "transactional_message_id": 4, "to": "+15550100", "customer_id": "u_1001"},
        None,
        "delivery_id",
    ),
    ("start_export", {"of": "customers"}, "export", "id"),
    ("set_reporting_webhook", HOOK, None, "id"),
    ("send_newsletter", {"newsletter_id": 21}, "newsletter", "id"),
]


# Under which name an answer has what was made.
NAMES = ("segment_id", "trigger_id", "delivery_id", "export_id", "id")


@pytest.mark.parametrize("lacking", ["empty", "empty envelope", "null", "nested"])
@pytest.mark.parametrize(("tool", "arguments", "envelope", "field"), ACTS, ids=[act[0] for act in ACTS])
async def test_a_success_of_an_act_that_lacks_what_it_must_hold_is_an_unknown_outcome(
    agent: Agent, tool: str, arguments: dict[str, Any], envelope: str | None, field: str, lacking: str
) -> None:
    inner: Any = {"null": {field: None}, "nested": {field: {"id": 7}}}.get(lacking, {})
    body = {} if lacking == "empty" else {envelope: inner} if envelope else inner
    agent.wire.fail(httpx.Response(200, json=body), late=True)

    text = await agent.fail(tool, **arguments)

    assert (agent.facts["outcome"], agent.facts["retryable"]) == ("unknown", False)
    assert "Unknown outcome" in text
    assert "yet: " in text, "how to find out"
    assert len(agent.sent) == 1


@pytest.mark.parametrize(("tool", "arguments", "envelope", "field"), ACTS, ids=[act[0] for act in ACTS])
async def test_a_number_as_text_and_an_envelope_too_many_or_too_few_are_read(
    agent: Agent, tool: str, arguments: dict[str, Any], envelope: str | None, field: str
) -> None:
    for body in ({field: "7"}, {envelope: {field: "7"}}) if envelope else ({field: "7"},):
        agent.wire.fail(httpx.Response(200, json=body), late=True)
        answer = await agent.call(tool, **arguments)
        told = answer.get("webhook", answer)
        # A newsletter is told by the id that it was asked for.
        assert tool == "send_newsletter" or {7, "7"} & {told.get(name) for name in NAMES}


async def test_a_new_collection_that_is_not_told_is_an_unknown_outcome(agent: Agent) -> None:
    agent.wire.fail(httpx.Response(200, json={"collections": []}))
    agent.wire.fail(httpx.Response(200, json={"collection": {"id": None}}), late=True)

    await agent.fail("set_workspace_item", kind="collection", name="n", data=[{"a": 1}])

    assert agent.facts["outcome"] == "unknown"
    assert "safe to call again" in agent.facts["next"]


async def test_a_webhook_is_told_as_it_was_sent_where_the_answer_does_not_say(agent: Agent) -> None:
    agent.wire.fail(httpx.Response(200, json={"id": 9, "name": None, "events": "all", "disabled": None}))

    answer = await agent.call("set_reporting_webhook", **HOOK)

    assert answer["webhook"] == {"id": 9, **HOOK}


@pytest.mark.parametrize("lacking", ["with_content", "full_resolution", "events", "disabled"])
async def test_a_webhook_of_which_something_is_unknown_is_not_changed(agent: Agent, lacking: str) -> None:
    stored = {**HOOK, "id": 1, "disabled": False, "with_content": True, "full_resolution": False}
    agent.wire.fail(httpx.Response(200, json={**stored, lacking: None if lacking != "events" else "all"}))

    text = await agent.fail("set_reporting_webhook", webhook_id=1, name="new")

    assert f"its answer cannot be used: it has no {lacking}" in text
    assert len(agent.sent) == 1, "only the read"


async def test_who_would_be_reached_is_not_counted_as_nobody_where_it_is_not_told(agent: Agent) -> None:
    agent.wire.fail(httpx.Response(200, json={"segment_id": 1, "count": None}), times=2)

    text = await agent.fail(
        "trigger_broadcast", broadcast_id=10, recipients={"segment": {"id": 1}}, dry_run=True
    )

    assert "its answer cannot be used: it has no count" in text
    assert not [request for request in agent.sent if "triggers" in request]


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (AT, THEN),
        (str(AT), THEN),
        (AT + 0.5, "2026-05-28T20:26:40.500000Z"),
        (AT * 1000, str(AT * 1000)),
        ("2026-05-28 20:26:40 +0000 UTC", "2026-05-28 20:26:40 +0000 UTC"),
        ("2026-05-28", "2026-05-28"),
        ("yesterday", "yesterday"),
        (20260528, "20260528"),
        (-5, "-5"),
        (0, None),
        ("", None),
        (None, None),
        (True, None),
        ({"at": AT}, None),
    ],
)
async def test_a_time_that_is_no_unix_seconds_is_shown_as_it_is(at: object, told: str | None) -> None:
    profile = {
        "attributes": {"created_at": at},
        "devices": [{"id": "t", "last_used": at}],
        "identifiers": {"id": "n"},
    }
    message = {"id": "d", "created": at, "metrics": {"sent": at}}
    bodies = {
        "messages": {"messages": [message]},
        "d": {"message": message},
        "attributes": {"customer": profile},
        "activities": {"activities": [{"type": "event", "timestamp": at}]},
    }
    async with canned(bodies) as workspace:
        (listed,) = (await workspace.call("list_messages"))["messages"]
        one = await workspace.call("get_message", delivery_id="d")
        customer = await workspace.call("get_customer", customer_id="n")
        (activity,) = (await workspace.call("list_activities"))["activities"]

    seen = [listed.get("created"), one.get("created"), one.get("reached", {}).get("sent")]
    seen += [customer.get("created_at"), customer["devices"][0].get("last_used"), activity.get("time")]
    assert seen == [told] * 6


@pytest.mark.parametrize("at", [AT * 1000, "2026-05-28T20:26:40Z", str(AT)])
async def test_a_write_is_found_by_a_time_in_another_form(at: object) -> None:
    event = {"type": "event", "name": "paid", "timestamp": at}
    async with canned({"": {"activities": [event]}}) as workspace:
        seen = await workspace.call("check_write", customer_id="n", event="paid", since=AT - 60)
        before = await workspace.call("check_write", customer_id="n", event="paid", since=AT + 60)

    assert (seen["state"], seen["count"]) == ("applied", 1)
    assert before["count"] == 0


async def test_what_may_be_a_write_but_has_no_readable_time_is_neither_seen_nor_unseen() -> None:
    event = {"type": "event", "name": "paid", "timestamp": "lately"}
    async with canned({"": {"activities": [event]}}) as workspace:
        assert "without a readable time" in await workspace.fail("check_write", customer_id="n", event="paid")
        other = await workspace.call("check_write", customer_id="n", event="refunded")

    assert other["state"] == "pending"


@pytest.mark.parametrize(
    "customer", [{"attributes": None}, {"attributes": {"plan": "pro"}}, {"unsubscribed": False}]
)
async def test_a_write_is_not_unapplied_because_the_customer_is_told_in_part(customer: object) -> None:
    async with canned({"attributes": {"customer": customer}, "": {"activities": []}}) as workspace:
        text = await workspace.fail("check_write", customer_id="n", attributes={"unsubscribed": True})

    assert "cannot be used" in text


async def test_counts_that_cannot_be_read_are_told_and_no_rate_is_made_of_them() -> None:
    series = {
        "sent": [4, "5", 6],
        "delivered": [4, None, 6],
        "opened": "many",
        "human_opened": [1],
        "clicked": [1, 1, 1.0],
        "converted": [2, -1, 0],
        "bounced": None,
    }
    async with canned({"": {"metric": {"series": series}}}) as workspace:
        answer = await workspace.call("get_message_metrics", kind="newsletter", source_id=1, series=True)

    assert answer["periods"] == 3
    assert answer["totals"] == {"sent": 15, "delivered": 10, "human_opened": 1, "clicked": 3, "converted": 2}
    assert answer["series"]["delivered"] == [4, 0, 6]
    assert answer["rates"] == {}
    for name, periods in (
        ("delivered", 1),
        ("opened", 3),
        ("human_opened", 2),
        ("converted", 1),
        ("bounced", 3),
    ):
        assert f"{name} in {periods} of 3 periods" in answer["left_out"]
    assert "not reported by Customer.io: human_clicked, spammed, unsubscribed" in answer["left_out"]


async def test_numbers_stand_for_texts_and_texts_for_numbers() -> None:
    bodies = {
        "transactional": {"messages": [{"id": "12", "name": 2026, "trigger_name": 77}]},
        "triggers": {"triggers": [{"id": "3", "created_at": str(AT)}]},
        "errors": {"errors": [12, {"line": 3}, None], "next": 50},
        "triggers/3": RUN,
        "segments": {
            "segments": [{"id": "5", "name": 5, "tags": [None, "a", 7, {"b": 1}], "progress": "40"}]
        },
    }
    async with canned(bodies) as workspace:
        (template,) = (await workspace.call("list_transactional_messages"))["messages"]
        (run,) = (await workspace.call("list_broadcast_triggers", broadcast_id=1))["triggers"]
        failed = await workspace.call("get_broadcast_trigger", broadcast_id=1, trigger_id=3)
        (segment,) = (await workspace.call("list_segments"))["segments"]

    assert template == {"id": 12, "name": "2026", "trigger_name": "77"}
    assert run == {"trigger_id": 3, "created": THEN}
    assert (failed["errors"], failed["next_cursor"]) == (["12", '{"line": 3}'], "50")
    assert segment == {"id": 5, "name": "5", "tags": ["a", "7", '{"b": 1}']}


async def test_a_list_may_come_without_its_envelope_and_hold_what_is_no_object() -> None:
    async with canned({"": [{"id": 2, "name": "b"}, None, "odd", {"name": "c"}, {"id": "3"}]}) as workspace:
        answer = await workspace.call("list_campaigns")

    assert answer["campaigns"] == [{"id": 3}, {"id": 2, "name": "b"}, {}, {"name": "c"}]


async def test_a_page_goes_on_after_items_without_an_id_only_as_far_as_there_are_ids() -> None:
    many = [{"id": number, "name": "n"} for number in range(1, 4)] + [{"name": "odd"}] * 3
    async with canned({"": {"segments": many}}) as workspace:
        first = await workspace.call("list_segments", limit=2)
        second = await workspace.call("list_segments", limit=2, cursor=first["next_cursor"])

    assert [segment.get("id") for segment in first["segments"] + second["segments"]] == [3, 2, 1, None]
    assert "next_cursor" not in second
    assert second["left_out"] == "2 more, which have no id"


async def test_what_uses_a_segment_in_an_unknown_way_is_told_by_its_ids() -> None:
    uses = {
        "campaigns": ["4", 5],
        "flows": [{"id": 6, "name": "f"}, {"id": "7"}],
        "boards": [{"name": "x"}],
        "note": "n",
    }
    bodies = {"used_by": {"used_by": uses}, "count": {"count": "0"}, "7": SEGMENT}
    async with canned(bodies) as workspace:
        answer = await workspace.call("get_segment", segment_id=7)

    assert answer["used_by"] == {"campaigns": [4, 5], "flows": [6, 7]}
    assert answer["count"] == 0
    assert answer["left_out"] == "used_by.boards: its ids could not be read"


async def test_nulls_and_nested_values_in_attributes_are_told_as_they_are() -> None:
    values = {"seats": None, "tags": [None, "a"], "address": {"city": None}, "score": 1.5}
    relationship = {"object_type_id": 1, "identifiers": {"object_id": 7}, "attributes": values}
    bodies = {
        "relationships": {"cio_relationships": [relationship]},
        "types": {
            "types": [{"id": 1, "name": "Companies"}, {"id": None, "name": "none"}, {"id": 2, "name": None}]
        },
        "attributes": {"customers": [{"identifiers": {"cio_id": "n"}, "attributes": values}]},
        "content": [values, None, 7],
        "collections": ROW,
        "customers": {"identifiers": [{"cio_id": "n"}]},
    }
    async with canned(bodies) as workspace:
        related = await workspace.call("get_relationships", customer_id="n")
        (found,) = (await workspace.call("search_customers", fields=[*values]))["customers"]
        (collection,) = (await workspace.call("list_workspace_items", kind="collection", item="7"))["items"]

    assert related["relationships"] == [{"object_type_id": "1", "object_id": "7", "attributes": values}]
    assert related["object_types"] == {"1": "Companies"}
    assert found["attributes"] == {name: value for name, value in values.items() if value is not None}
    assert collection["content"] == [values, {"value": None}, {"value": 7}]


async def test_what_is_nested_too_deeply_is_told_as_text() -> None:
    deep: Any = "end"
    for _ in range(300):
        deep = {"in": deep}
    bodies = {
        "attributes": {"customer": {"attributes": {"deep": deep}}},
        "": {"activities": [{"type": "event", "data": deep}]},
    }
    async with canned(bodies) as workspace:
        customer = await workspace.call("get_customer", customer_id="n")
        (activity,) = (await workspace.call("list_activities"))["activities"]

    for told in (customer["attributes"]["deep"], activity["data"]):
        value, levels = told, 0
        while isinstance(value, dict):
            value, levels = value["in"], levels + 1
        assert levels <= DEPTH
        assert value.endswith('"end"' + "}" * (300 - levels))


async def test_half_a_character_does_not_take_down_an_answer_or_a_refusal() -> None:
    body = b'{"segments": [{"id": 1, "name": "half \\ud83d"}, {"id": 2, "name": "whole \\ud83d\\ude00"}]}'
    refused = b'{"errors": [{"detail": "no \\udc00", "status": "400"}]}'
    bodies = {"segments": httpx.Response(200, content=body), "": httpx.Response(400, content=refused)}
    async with canned(bodies) as workspace:
        listed = await workspace.call("list_segments")
        text = await workspace.fail("list_campaigns")

    assert [segment["name"] for segment in listed["segments"]] == ["whole \U0001f600", "half \ufffd"]
    assert "no \ufffd" in text


SIZE = '{"and":[{"object_attribute":{"field":"size","operator":"gt","value":9}}]}'
STARTED = {"id": 7, "name": "s", "state": "running"}
TRIG = '{"and":[{"relationship_attribute":{"type_id":1,"field":"role","operator":"eq","value":"owner"}}]}'
PERSON = {"and": [{"attribute": {"field": "title", "operator": "exists"}}]}


@pytest.mark.parametrize(
    ("campaign", "told"),
    [
        (
            {"type": "relationship", "object_type_id": 1, "relationship_attribute_triggers": TRIG},
            {"trigger": "a relationship to an object of type 1 where relationship's role is owner"},
        ),
        (
            {
                "type": None,
                "object_type_id": "2",
                "object_attribute_triggers": {
                    "object_attribute": {"field": "stage", "operator": "eq", "value": "won"}
                },
                "audience": {"type": 1, "person_filters": PERSON, "relationship_filters": TRIG},
                "filter_object_attributes": SIZE,
            },
            {
                "trigger": "an object of type 2 where object's stage is won",
                "audience": "the people in the object, if title is set and relationship's role is owner",
                "filter": "object's size gt 9",
            },
        ),
        (
            {"type": "object", "audience": {"type": 0}},
            {"trigger": "an object", "audience": "the person who was added to the object"},
        ),
        ({"type": "webhook", "webhook_id": 12}, {"trigger": "webhook 12"}),
        ({"type": "form"}, {"trigger": "form"}),
        (
            {"type": "relationship", "relationship_attribute_triggers": "not json"},
            {"trigger": "a relationship to an object where not json"},
        ),
        ({"audience": {"type": 9}, "filter_object_attributes": 5}, {"filter": "5"}),
    ],
)
async def test_whatever_starts_and_filters_a_campaign_is_told_in_words(
    campaign: Any, told: dict[str, Any]
) -> None:
    async with canned({"actions": {"actions": []}, "": {"campaign": STARTED | campaign}}) as workspace:
        answer = await workspace.call("get_campaign", campaign_id=7)

    assert {name: answer[name] for name in ("trigger", "filter", "audience") if name in answer} == told


BOUGHT = {
    "event": {
        "id": 3,
        "name": "bought",
        "filters": {"and": [{"field": "price", "operator": "gt", "value": 5}]},
    }
}


@pytest.mark.parametrize(
    ("conditions", "who"),
    [
        (
            {"attribute": {"field": "plan", "operator": "eq", "value": "pro", "inverse": True}},
            "plan is not pro",
        ),
        ({"attribute": {"field": "plan", "operator": "exists", "inverse": True}}, "plan is not set"),
        ({"attribute": {"field": "seats", "operator": "eq", "value": None}}, "seats is null"),
        (
            {"and": [{"segment": {"id": 4}}, {"or": [{"segment": {"id": "5", "inverse": True}}, BOUGHT]}]},
            "in segment 4 and (not in segment 5 or did bought with price gt 5)",
        ),
        (
            {**BOUGHT, "times": 2, "within": 30, "inverse": True},
            "did not do bought with price gt 5 times 2 within 30",
        ),
        ({"not": {"segment": {"id": 4}}}, "not (in segment 4)"),
        ([{"field": "a", "operator": "contains", "value": "b"}], "a contains b"),
        ({"weather": {"is": "fine"}}, '{"weather": {"is": "fine"}}'),
        ({"attribute": {"field": "a"}}, '{"attribute": {"field": "a"}}'),
        ({"event": {}}, '{"event": {}}'),
        ('{"segment": {"id": 4}}', "in segment 4"),
        (None, None),
        ({}, None),
    ],
)
async def test_who_is_in_a_dynamic_segment_reads_in_words(conditions: Any, who: str | None) -> None:
    segment = {"id": 7, "name": "s", "conditions": conditions}
    bodies = {"used_by": USES, "count": {"count": 1}, "7": {"segment": segment}}
    async with canned(bodies) as workspace:
        answer = await workspace.call("get_segment", segment_id=7)

    assert answer.get("who") == who

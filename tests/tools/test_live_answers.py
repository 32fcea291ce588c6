"""Forms that the live API was seen to answer with, and forms of newer channels; the values are ours."""

from typing import Any

import httpx
import pytest

from tests.agent import Agent
from tests.tools.canned import canned

pytestmark = [pytest.mark.anyio, pytest.mark.repeating]

AT, THEN = 1_780_000_000, "2026-05-28T20:26:40Z"
MORE, LATER = 1_780_028_800, "2026-05-29T04:26:40Z"

# An email-only person: the id is null, and lists have an empty text for it.
NOBODY_BY_ID = {"cio_id": "d0000007", "email": "noor@example.org", "id": None}
PROFILE = {
    "id": "d0000007",
    "identifiers": NOBODY_BY_ID,
    "attributes": {"cio_id": "d0000007", "email": "noor@example.org", "tier": "gold"},
    "timestamps": {"cio_id": AT, "tier": AT},
    "unsubscribed": False,
    "devices": [{"id": "token-noor", "platform": "android", "last_used": AT}],
}
DELIVERY = {
    "id": "dgNoor_CAtrCAgGYours==",
    "deduplicate_id": f"dgNoor_CAtrCAgGYours==:{MORE}",
    "created": AT,
    "type": "email",
    "recipient": "noor@example.org",
    "customer_id": None,
    "customer_identifiers": NOBODY_BY_ID,
    "subject": "Your plan",
    "metrics": {"sent": AT, "secondary:delivered": MORE},
    "forgotten": False,
    "transactional_message_id": 3,
    "msg_template_id": 8,
}


async def test_profiles_are_read_as_the_live_api_has_them_and_as_the_documents_have_them() -> None:
    for entry in (PROFILE, {"customer": PROFILE}):
        people = {"identifiers": [NOBODY_BY_ID], "ids": [""], "next": ""}
        async with canned({"attributes": {"customers": [entry]}, "": people}) as workspace:
            answer = await workspace.call("search_customers", fields=["tier", "unsubscribed"])
        (found,) = answer["customers"]
        assert found["attributes"] == {"tier": "gold", "unsubscribed": False}
        assert "id" not in found
        assert "left_out" not in answer


async def test_a_customer_without_an_id_is_read_with_the_envelope_and_without() -> None:
    for body in ({"customer": PROFILE}, PROFILE):
        async with canned({"": body}) as workspace:
            customer = await workspace.call("get_customer", customer_id="d0000007", id_type="cio_id")
        assert customer == {
            "email": "noor@example.org",
            "cio_id": "d0000007",
            "unsubscribed": False,
            "attributes": {"tier": "gold"},
            "devices": [{"id": "token-noor", "platform": "android", "last_used": THEN}],
        }


NOBODY = {"customers": [], "total": 0}


async def test_nobody_by_an_address_or_a_filter_is_an_empty_list() -> None:
    async with canned({"": {"results": []}}) as workspace:
        assert await workspace.call("search_customers", email="nil@example.org") == NOBODY
    async with canned({"": {"identifiers": None, "ids": None, "next": ""}}) as workspace:
        assert await workspace.call("search_customers") == NOBODY


async def test_members_come_page_by_page_and_the_last_page_is_null() -> None:
    def page(request: httpx.Request) -> dict[str, Any]:
        pages: dict[str | None, tuple[Any, str]] = {
            None: ([{"cio_id": "e1", "id": "31", "email": None}], "MDo3"),
            "MDo3": ([{"cio_id": "e2", "email": "ivo@example.org", "id": None}], "MDo4"),
            "MDo4": (None, ""),
        }
        identifiers, following = pages[request.url.params.get("start")]
        ids = identifiers and [who["id"] or "" for who in identifiers]
        return {"segment_id": 4, "ids": ids, "identifiers": identifiers, "next": following}

    async with canned({"membership": page, "customer_count": {"segment_id": 4, "count": 2}}) as workspace:
        first = await workspace.call("list_segment_members", segment_id=4)
        second = await workspace.call("list_segment_members", segment_id=4, cursor=first["next_cursor"])
        third = await workspace.call("list_segment_members", segment_id=4, cursor=second["next_cursor"])

    assert first["members"] == [{"id": "31", "cio_id": "e1"}]
    assert first["total"] == 2
    assert second["members"] == [{"email": "ivo@example.org", "cio_id": "e2"}]
    assert third == {"members": []}


async def test_segments_have_null_for_what_they_do_not_have_and_may_tell_their_rules() -> None:
    manual = {
        "id": 61,
        "deduplicate_id": f"61:{AT}",
        "name": "press",
        "description": "journalists",
        "state": "finished",
        "progress": None,
        "type": "manual",
        "tags": None,
    }
    gold = {"attribute": {"field": "tier", "operator": "eq", "value": "gold"}}
    dynamic = {
        "id": 62,
        "name": "gold",
        "type": "dynamic",
        "state": "finished",
        "tags": ["Ours"],
        "conditions": {"and": [gold]},
        "created_at": AT,
        "updated_at": MORE,
    }
    bodies = {
        "62": {"segment": dynamic},
        "used_by": {"segment_id": 62, "used_by": {"campaigns": [5]}},
        "count": {"segment_id": 62, "count": 3},
        "segments": {"segments": [manual, dynamic]},
    }
    async with canned(bodies) as workspace:
        listed = await workspace.call("list_segments")
        one = await workspace.call("get_segment", segment_id=62)

    assert listed["segments"] == [
        {"id": 62, "name": "gold", "type": "dynamic", "state": "finished", "tags": ["Ours"]},
        {
            "id": 61,
            "name": "press",
            "type": "manual",
            "description": "journalists",
            "state": "finished",
            "tags": [],
        },
    ]
    assert (one["who"], one["count"], one["used_by"]) == ("tier is gold", 3, {"campaigns": [5]})


async def test_a_created_segment_has_null_for_what_it_does_not_have(agent: Agent) -> None:
    created = {
        "id": 63,
        "deduplicate_id": f"63:{AT}",
        "name": "press",
        "description": "",
        "state": "finished",
    }
    agent.wire.fail(httpx.Response(200, json={"segment": {**created, "progress": None, "tags": None}}))

    assert (await agent.call("create_segment", name="press"))["segment_id"] == 63


CAMPAIGN = {
    "id": 14,
    "deduplicate_id": f"14:{MORE}",
    "name": "Renewal",
    "type": "event",
    "created": AT,
    "updated": MORE,
    "active": False,
    "state": "draft",
    "actions": [{"id": 71, "type": "attribute_update"}, {"id": 72, "type": "email"}],
    "first_started": 0,
    "tags": ["Ours"],
    "event_name": "renewed",
}


async def test_a_campaign_that_never_ran_started_never_and_its_actions_have_ids_of_text() -> None:
    def actions(request: httpx.Request) -> dict[str, Any]:
        update = {"id": "71", "campaign_id": 14, "name": "Count", "type": "attribute_update", "language": ""}
        message = {
            "id": "72",
            "type": "email",
            "name": "Hello",
            "sending_state": "automatic",
            "reply_to_id": None,
        }
        if "start" in request.url.params:
            return {"actions": [{**message, "id": "73", "type": "whatsapp"}], "next": ""}
        blank = {"layout": "", "body": "", "editor": "", "recipient": "", "recipient_environment_id": 9}
        return {"actions": [update | blank, message], "next": "second"}

    bodies = {"actions": actions, "14": {"campaign": CAMPAIGN}, "campaigns": {"campaigns": [CAMPAIGN]}}
    async with canned(bodies) as workspace:
        (listed,) = (await workspace.call("list_campaigns", state="draft"))["campaigns"]
        one = await workspace.call("get_campaign", campaign_id=14)

    assert listed == {
        "id": 14,
        "name": "Renewal",
        "state": "draft",
        "trigger": "renewed",
        "tags": ["Ours"],
        "updated": LATER,
    }
    assert [(step["action_id"], step["type"]) for step in one["actions"]] == [
        (71, "attribute_update"),
        (72, "email"),
        (73, "whatsapp"),
    ]
    assert "first_started" not in one


async def test_a_campaign_can_start_by_segments_and_be_filtered_by_others() -> None:
    campaign = {
        **{name: CAMPAIGN[name] for name in ("id", "name", "created", "updated", "active")},
        "type": "segment",
        "trigger_segment_ids": [90],
        "filter_segment_ids": [21, 42],
        "msg_templates": [{"type": "email", "id": 0}],
        "created_by": "sam@example.org",
    }
    async with canned({"actions": {"actions": None}, "": {"campaign": campaign}}) as workspace:
        one = await workspace.call("get_campaign", campaign_id=14)

    assert (one["trigger"], one["filter_segments"]) == ("segment 90", [21, 42])
    assert one["actions"] == []


async def test_newsletters_may_go_on_to_a_page_that_is_empty() -> None:
    letter = {
        "id": 8,
        "deduplicate_id": f"8:{MORE}",
        "content_ids": [2],
        "name": "News 8",
        "sent_at": None,
        "created": AT,
        "updated": MORE,
        "type": "email",
        "tags": [],
    }

    def page(request: httpx.Request) -> dict[str, Any]:
        last = "start" in request.url.params
        return {"newsletters": [] if last else [letter], "next": "" if last else "OA=="}

    async with canned({"newsletters": page}) as workspace:
        first = await workspace.call("list_newsletters")
        last = await workspace.call("list_newsletters", cursor=first["next_cursor"])

    assert first["newsletters"] == [
        {"id": 8, "name": "News 8", "channel": "email", "tags": [], "updated": LATER}
    ]
    assert last == {"newsletters": []}


async def test_a_workspace_without_exports_and_a_window_without_messages_have_null_lists() -> None:
    async with canned(
        {"exports": {"exports": None}, "messages": {"messages": None, "next": ""}}
    ) as workspace:
        assert await workspace.call("list_workspace_items", kind="export") == {"items": []}
        assert await workspace.call("list_messages") == {"messages": []}


async def test_an_activity_is_told_with_whose_it_is_and_its_delivery() -> None:
    opened = {
        "id": "01K4N8V8G8KVA4HN8Y50CCZ59Z",
        "type": "opened_email",
        "timestamp": AT,
        "customer_id": None,
        "customer_identifiers": {"cio_id": "d0000007", "email": "noor@example.org"},
        "delivery_id": "delivery-9",
        "delivery_type": "email",
        "data": {"delivery_id": "delivery-9", "opened": AT, "ip_address": "192.0.2.9"},
    }
    async with canned({"": {"activities": [opened], "next": "900000000000000099"}}) as workspace:
        answer = await workspace.call("list_activities")

    assert answer == {
        "activities": [
            {
                "type": "opened_email",
                "time": THEN,
                "customer": {"cio_id": "d0000007", "email": "noor@example.org"},
                "delivery_id": "delivery-9",
                "data": {"delivery_id": "delivery-9", "opened": AT, "ip_address": "192.0.2.9"},
            }
        ],
        "next_cursor": "900000000000000099",
    }


async def test_a_delivery_that_is_delivered_by_its_secondary_metric_alone_is_delivered_and_final() -> None:
    messages = {"messages": [DELIVERY, {**DELIVERY, "id": "x", "customer_identifiers": None}], "next": ""}
    async with canned({"=": {"message": DELIVERY}, "": messages}) as workspace:
        listed = (await workspace.call("list_messages"))["messages"]
        one = await workspace.call("get_message", delivery_id=DELIVERY["id"])
        waited = await workspace.call("wait_for_delivery", delivery_id=DELIVERY["id"], seconds=60)

    assert [message["state"] for message in listed] == ["delivered", "delivered"]
    assert (one["state"], one["final"]) == ("delivered", True)
    assert one["reached"] == {"sent": THEN, "delivered": LATER}
    assert one["customer"] == {"cio_id": "d0000007", "email": "noor@example.org"}
    assert one["source"] == {"transactional_message_id": 3}
    assert waited == one
    assert len(workspace.asked) == 3, "the wait was over at the first look"


@pytest.mark.parametrize(
    ("metrics", "state", "final"),
    [
        ({"created": AT, "suppressed": MORE}, "suppressed", True),
        ({"sent": AT, "deferred": MORE}, "deferred", False),
        ({"sent": AT, "delivered": AT, "prefetch_opened": MORE}, "prefetch_opened", True),
        ({"sent": AT, "delivered": AT, "replied": MORE}, "replied", True),
        ({"secondary:bounced": MORE, "attempted": AT}, "bounced", True),
        ({"delivered": AT, "secondary:delivered": MORE}, "delivered", True),
        ({"secondary:delivered": MORE, "delivered": AT}, "delivered", True),
        ({"teleported": MORE}, "teleported", False),
        ({"sent": AT, "teleported": MORE}, "sent", False),
        ({"sent": True, "delivered": None, "opened": 0, "clicked": {}}, None, False),
        (None, None, False),
        ("sent", None, False),
    ],
)
async def test_metrics_of_any_kind_are_told_and_only_known_ends_end_a_wait(
    metrics: Any, state: str | None, final: bool
) -> None:
    async with canned({"": {"message": {**DELIVERY, "metrics": metrics}}}) as workspace:
        message = await workspace.call("wait_for_delivery", delivery_id="d", seconds=3)

    assert (message.get("state"), message["final"]) == (state, final)
    assert ("next" in message) == (not final)
    if isinstance(metrics, dict):
        told = {name.removeprefix("secondary:") for name, at in metrics.items() if type(at) is int and at}
        assert set(message.get("reached", {})) == told
    if state == "delivered" and isinstance(metrics, dict) and "delivered" in metrics:
        assert message["reached"]["delivered"] == THEN, "the plain metric is the nearer one"


async def test_messages_of_newer_channels_are_told() -> None:
    survey = {
        "id": "bX2r7YZq8RCAAB5=",
        "type": "in_app",
        "created": AT,
        "recipient": "user_7",
        "subject": None,
        "metrics": {"sent": AT, "opened": MORE},
        "tracked_responses": {"very happy": {"id": 1, "ts": MORE}, "odd": None, "odder": {"id": 2}},
    }
    live = {
        **survey,
        "type": "live_notification",
        "tracked_responses": None,
        "recipient": None,
        "identifiers": {"id": 7},
    }
    async with canned({"live": {"message": live}, "": {"message": survey}}) as workspace:
        answered = await workspace.call("get_message", delivery_id="d")
        shown = await workspace.call("get_message", delivery_id="live")

    assert answered["responses"] == {"very happy": LATER}
    assert (shown["type"], shown["customer"], "responses" in shown) == (
        "live_notification",
        {"id": "7"},
        False,
    )


ODD_NAME = {"detail": "Name is odd", "source": {"pointer": "/data/attributes/name"}, "status": "422"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            httpx.Response(404, json={"errors": [{"detail": "not found (reference 01K0)", "status": "404"}]}),
            "Customer.io answered 404: not found (reference 01K0).",
        ),
        (httpx.Response(404, text="404 page not found"), "Customer.io answered 404: 404 page not found."),
        (
            httpx.Response(
                422,
                json={"errors": [ODD_NAME]},
            ),
            "Customer.io answered 422: /data/attributes/name: Name is odd.",
        ),
    ],
)
async def test_a_refusal_is_told_in_customer_ios_words(
    agent: Agent, answer: httpx.Response, told: str
) -> None:
    agent.wire.fail(answer)

    assert told in await agent.fail("get_segment", segment_id=3)


TRACKED: dict[str, dict[str, Any]] = {
    "identify_customer": {"customer_id": "n"},
    "delete_customer": {"customer_id": "n"},
    "suppress_customer": {"customer_id": "n"},
    "unsuppress_customer": {"customer_id": "n"},
    "merge_customers": {"customer_id": "n", "secondary_id": "m"},
    "track_event": {"customer_id": "n", "name": "seen"},
    "track_anonymous_event": {"anonymous_id": "n", "name": "seen"},
    "add_device": {"customer_id": "n", "device_id": "t", "platform": "ios"},
    "remove_device": {"customer_id": "n", "device_id": "t"},
    "add_to_segment": {"segment_id": 5, "ids": ["n"]},
    "remove_from_segment": {"segment_id": 5, "ids": ["n"]},
}


@pytest.mark.parametrize("tool", TRACKED)
async def test_an_empty_object_and_a_line_break_are_all_that_track_says(agent: Agent, tool: str) -> None:
    headers = {"content-type": "application/json; charset=utf-8", "status": "200 OK"}
    agent.wire.fail(httpx.Response(200, headers=headers, content=b"{}\n"))

    assert (await agent.call(tool, **TRACKED[tool]))["outcome"] == "accepted"

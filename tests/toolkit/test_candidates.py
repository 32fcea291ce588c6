"""An id or name that does not exist is answered with those that do."""

from typing import Any

import httpx
import pytest

from cio_mcp.auth.principal import Principal
from cio_mcp.safety.grant import Grant
from tests.agent import Agent, Fault, an_agent

pytestmark = pytest.mark.anyio

TO_ADA = {"customer_id": "u_1001", "to": "ada@example.com"}


@pytest.mark.parametrize(
    ("tool", "arguments", "hint"),
    [
        (
            "get_segment",
            {"segment_id": 99},
            "segment_id: no segment is 99; there are 5 (Interview candidates), 4 ",
        ),
        ("get_segment", {"segment_id": "pro"}, "segment_id: did you mean 1 (Pro plan)?"),
        ("get_campaign", {"campaign_id": "Welcom series"}, "campaign_id: did you mean 1 (Welcome series)?"),
        ("get_campaign_metrics", {"campaign_id": 99}, "campaign_id: no campaign is 99; there are 4 (Old "),
        (
            "compare_campaigns",
            {"campaign_id": 1, "other_campaign_id": 99},
            "other_campaign_id: no campaign is 99",
        ),
        (
            "trigger_broadcast",
            {"broadcast_id": 99},
            "broadcast_id: no broadcast is 99; there are 12 (Team plan",
        ),
        (
            "trigger_broadcast",
            {"broadcast_id": 10, "recipients": {"and": [{"segment": {"id": 99}}]}},
            "recipients: no segment is 99",
        ),
        ("search_customers", {"segment_id": 99}, "segment_id: no segment is 99"),
        (
            "get_newsletter",
            {"newsletter_id": 99},
            "newsletter_id: no newsletter is 99; there are 22 (Survey for",
        ),
        (
            "send_transactional_email",
            TO_ADA | {"transactional_message_id": "order_confirmaton"},
            "transactional_message_id: did you mean 1 (Order confirmation)?",
        ),
        (
            "send_transactional_email",
            TO_ADA | {"transactional_message_id": 99.0},
            "transactional_message_id: no transactional message is 99; there are 7 (Pick-up reminder), 6 "
            "(Invoice ready), 5 (Note shared), 4 (Sign-in code), 3 (Shipping update) and 2 more.",
        ),
        ("get_message_metrics", {"kind": "newsletter", "source_id": 99}, "source_id: no newsletter is 99"),
        (
            "set_subscriptions",
            {"customer_id": "u_1001", "topics": {"Product": True}},
            "topics: did you mean 1 (Product news)?",
        ),
        ("list_workspace_items", {"kind": "snippet", "item": "spring"}, "item: did you mean spring offer?"),
        (
            "list_workspace_items",
            {"kind": "collection", "item": 9},
            "no collection is 9; there are 1 (workshops).",
        ),
    ],
)
async def test_what_is_unknown_is_answered_with_what_is_near(
    agent: Agent, tool: str, arguments: dict[str, Any], hint: str
) -> None:
    text = await agent.fail(tool, **arguments)

    assert hint in text
    assert hint in agent.facts["next"]


async def test_a_404_speaks_of_what_was_asked(agent: Agent) -> None:
    assert "Check customer_id and id_type." in await agent.fail("get_customer", customer_id="nobody")
    assert "Check delivery_id." in await agent.fail("get_message", delivery_id="nothing")
    assert "Check export_id." in await agent.fail("get_export", export_id=99)
    assert "id_type" not in await agent.fail("get_segment", segment_id=99)


async def test_what_exists_is_not_suggested(agent: Agent) -> None:
    agent.wire.fail(httpx.Response(400, json={"meta": {"error": "the sender is not verified"}}))
    text = await agent.fail(
        "send_transactional_email", **TO_ADA, transactional_message_id="order_confirmation"
    )

    assert text.endswith("Correct what the reason names and call again.")


@pytest.mark.parametrize("status", [401, 403])
async def test_lists_are_read_only_after_an_answer_that_fits(agent: Agent, status: int) -> None:
    agent.wire.fail(status)
    await agent.fail("get_segment", segment_id=99)

    assert agent.sent == ["GET /v1/segments/99"]


@pytest.mark.parametrize("fault", [401, 404, 429, 500, httpx.ConnectError, httpx.ReadTimeout])
async def test_a_look_up_that_fails_hides_nothing_and_takes_no_more_than_seconds(
    agent: Agent, fault: Fault
) -> None:
    agent.wire.fail(404)
    agent.wire.fail(fault, times=99)
    begun = agent.clock()
    text = await agent.fail("get_segment", segment_id=99)

    assert text.startswith("Customer.io answered 404:")
    assert text.endswith("Check segment_id. Something created moments ago can take a few seconds to appear.")
    assert agent.clock() - begun <= 6


async def test_without_the_app_api_nothing_is_looked_up() -> None:
    async with an_agent(app_api_key="") as agent:
        agent.wire.fail(404)
        text = await agent.fail("add_to_segment", segment_id=99, ids=["u_1001"])

    assert "Check segment_id." in text
    assert len(agent.sent) == 1


@pytest.mark.parametrize("setting", [{"permissions": "send"}, {"permissions": "write,send"}])
async def test_who_may_not_read_is_told_of_nothing_else(setting: dict[str, Any]) -> None:
    async with an_agent(**setting) as agent:
        unknown = TO_ADA | {"transactional_message_id": "order_confirmaton"}
        text = await agent.fail("send_transactional_email", **unknown)

    assert "did you mean" not in text
    assert agent.sent == ["POST /v1/send/email"]


async def test_a_token_that_does_not_read_is_told_of_nothing_else(agent: Agent) -> None:
    sender = Principal("sender", (Grant(name="sender", permissions=("send",)),))
    outcome = await agent.app.call("trigger_broadcast", {"broadcast_id": 99}, sender)

    assert "Check broadcast_id." in str(outcome.error)
    assert "there are" not in str(outcome.error)

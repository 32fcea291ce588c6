"""Deliveries: what was sent to whom, and what became of it."""

import asyncio

import httpx
import pytest
from mcp import Client

from cio_mcp.app import build
from cio_mcp.settings import load
from tests.agent import Agent

pytestmark = pytest.mark.anyio

TO_ADA = {"to": "ada@example.com", "customer_id": "u_1001", "transactional_message_id": 1}


async def test_a_customers_messages_are_listed_newest_first_with_state_and_source(agent: Agent) -> None:
    sent = await agent.call("send_transactional_email", **TO_ADA, subject="New")
    await asyncio.sleep(10)

    (newest, *older) = (await agent.call("list_customer_messages", customer_id="u_1001"))["messages"]

    assert newest["delivery_id"] == sent["delivery_id"]
    assert (newest["state"], newest["subject"]) == ("delivered", "New")
    assert newest["source"] == {"transactional_message_id": 1}
    assert newest["created"] > older[0]["created"]


async def test_a_send_whose_outcome_is_unknown_can_be_found(agent: Agent) -> None:
    before = len((await agent.call("list_customer_messages", customer_id="u_1001"))["messages"])
    agent.wire.fail(httpx.ReadError, late=True)
    text = await agent.fail("send_transactional_email", **TO_ADA)

    assert "list_customer_messages with customer_id=u_1001 and id_type=id" in text
    after = await agent.call("list_customer_messages", customer_id="u_1001")
    assert len(after["messages"]) == before + 1


async def test_a_message_that_cannot_go_out_says_why(agent: Agent) -> None:
    await agent.call(
        "send_transactional_email", **TO_ADA | {"customer_id": "u_1002"}, send_to_unsubscribed=False
    )

    (message, *_) = (await agent.call("list_customer_messages", customer_id="u_1002"))["messages"]

    assert (message["state"], message["failure"]) == ("undeliverable", "recipient is unsubscribed")


async def test_an_unknown_customer_has_no_list(agent: Agent) -> None:
    assert "404" in await agent.fail("list_customer_messages", customer_id="nobody")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"messages": None, "next": ""}, {"messages": []}),
        ({"messages": [], "next": "MDox"}, {"messages": [], "next_cursor": "MDox"}),
        ({"messages": [{"id": "d"}]}, {"messages": [{"delivery_id": "d", "type": "", "source": {}}]}),
    ],
)
async def test_what_the_api_may_leave_out_is_left_out(body: object, expected: object) -> None:
    wire = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    app = build(load({"CIO_APP_API_KEY": "key"}), wire=wire)
    async with Client(app.server) as client:
        result = await client.call_tool("list_customer_messages", {"customer_id": "1", "cursor": "a"})
    await app.aclose()

    answer = dict(result.structured_content or {})
    assert "never instructions" in answer.pop("notice")
    assert answer == expected


async def test_messages_too_long_for_one_answer_are_cut_whole_and_say_how_to_read_on() -> None:
    long = [{"id": str(number), "type": "email", "subject": "s" * 900} for number in range(50)]
    wire = httpx.MockTransport(lambda _: httpx.Response(200, json={"messages": long, "next": "more"}))
    app = build(load({"CIO_APP_API_KEY": "key"}), wire=wire)
    async with Client(app.server) as client:
        result = await client.call_tool("list_customer_messages", {"customer_id": "1", "limit": 50})
    await app.aclose()

    answer = result.structured_content or {}
    assert 10 < len(answer["messages"]) < 50
    assert f"limit={len(answer['messages'])}" in answer["left_out"]
    assert "next_cursor" not in answer

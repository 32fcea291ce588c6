"""What is done is what was previewed, once."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.agent import MISSING, Agent, an_agent

pytestmark = pytest.mark.anyio

DELETE = {"customer_id": "u_1001"}
OFFER: dict[str, Any] = {"broadcast_id": 10, "emails": ["ada@example.com", "chidi@example.org"]}
TO_SEGMENT: dict[str, Any] = {"broadcast_id": 10, "recipients": {"segment": {"id": 1}}}


def acts(agent: Agent) -> list[str]:
    """Return what has left that changes something."""
    return [sent for sent in agent.sent if not sent.startswith(("GET", "POST /v1/customers"))]


async def code_of(agent: Agent, tool: str, **arguments: Any) -> str:
    preview = await agent.call(tool, **arguments)
    assert preview["outcome"] == "preview"
    return str(preview["confirmation"])


async def test_a_deletion_is_shown_first_and_done_with_the_code_of_its_preview() -> None:
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call("delete_customer", **DELETE)
        assert acts(agent) == []
        answer = await agent.call("delete_customer", **DELETE, confirmation=preview["confirmation"])

    assert preview["would"] == (
        "Delete a customer (person, profile) and all their data, permanently: customer_id u_1001"
    )
    assert preview["request"]["url"].endswith("/api/v1/customers/u_1001")
    assert answer["outcome"] == "accepted"
    assert acts(agent) == ["DELETE /api/v1/customers/u_1001"]


async def test_a_broadcast_is_shown_with_template_audience_and_masked_samples() -> None:
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call("trigger_broadcast", **TO_SEGMENT)

    assert preview["template"] == 'broadcast 10: "Spring sale"'
    assert preview["audience"] == {
        "what": "customers in segment 1",
        "size": 4,
        "samples": ["a…@example.com", "c…@example.org", "f…@example.org"],
    }
    assert preview["request"]["body"] == {"recipients": {"segment": {"id": 1}}}
    assert acts(agent) == []


async def test_a_text_message_is_shown_with_its_template_and_the_number_of_the_call() -> None:
    message = {"channel": "sms", "transactional_message_id": "sign_in_code", "to": "+4930123456"}
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call(
            "send_transactional_message", customer_id="u_1001", dry_run=True, **message
        )
        await agent.call("send_transactional_message", customer_id="u_1001", **message)

    assert preview["template"] == 'transactional message 4: "Sign-in code"'
    assert preview["audience"] == {
        "what": "the customer, or the owner of the number or device that is named",
        "size": 1,
        "samples": ["+4930123456", '"Ada" u_1001'],
    }
    assert acts(agent) == ["POST /v1/send/sms"]


async def test_an_audience_that_nobody_can_count_is_called_that() -> None:
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call("trigger_broadcast", broadcast_id=10)

    assert "cannot count" in preview["audience"]["what"]
    assert "size" not in preview["audience"]
    assert preview["confirmation"]


@pytest.mark.parametrize(
    ("tool", "arguments", "changed"),
    [
        ("delete_customer", DELETE, {"customer_id": "u_1002"}),
        ("delete_customer", DELETE, {"id_type": "cio_id"}),
        ("trigger_broadcast", OFFER, {"emails": ["ada@example.com", "chidi@example.orf"]}),
        ("trigger_broadcast", OFFER, {"data": {"coupon_code": "X"}}),
        ("trigger_broadcast", OFFER, {"email_ignore_missing": True}),
    ],
)
async def test_a_code_holds_for_no_other_argument_than_those_that_were_shown(
    tool: str, arguments: dict[str, Any], changed: dict[str, Any]
) -> None:
    async with an_agent(confirm="preview") as agent:
        code = await code_of(agent, tool, **arguments)
        text = await agent.fail(tool, **arguments | changed, confirmation=code)
        assert acts(agent) == []
        fresh = agent.facts["preview"]
        answer = await agent.call(tool, **arguments | changed, confirmation=fresh["confirmation"])

    assert f"{next(iter(changed))} changed since its preview; it stays valid for that call" in text
    assert json.dumps(fresh["confirmation"]) in text
    assert answer["outcome"] in {"accepted", "triggered"}


async def test_a_code_survives_two_mistakes_and_not_a_third() -> None:
    async with an_agent(confirm="preview") as agent:
        for mistakes, holds in ((2, True), (3, False)):
            code = await code_of(agent, "trigger_broadcast", **OFFER)
            for _ in range(mistakes):
                text = await agent.fail("trigger_broadcast", **OFFER | {"data": {"a": 1}}, confirmation=code)
            assert ("after 3 mistakes the code is void" in text) == (not holds)
            if holds:
                await agent.call("trigger_broadcast", **OFFER, confirmation=code)
            await asyncio.sleep(20)
            assert "used already" in await agent.fail("trigger_broadcast", **OFFER, confirmation=code)

    assert len(acts(agent)) == 1


async def test_a_mistake_in_another_tool_or_a_grown_audience_leaves_the_code_for_its_call() -> None:
    async with an_agent(confirm="preview") as agent:
        code = await code_of(agent, "trigger_broadcast", **TO_SEGMENT)
        assert "the tool" in await agent.fail("delete_customer", **DELETE, confirmation=code)
        await agent.call("identify_customer", customer_id="new", attributes={"plan": "pro"})
        assert "grown" in await agent.fail("trigger_broadcast", **TO_SEGMENT, confirmation=code)
        await agent.call("identify_customer", customer_id="new", attributes={"plan": "free"})
        answer = await agent.call("trigger_broadcast", **TO_SEGMENT, confirmation=code)

    assert answer["outcome"] == "triggered"


async def test_what_customer_io_refuses_leaves_its_code_usable() -> None:
    async with an_agent(confirm="preview") as agent:
        code = await code_of(agent, "trigger_broadcast", **OFFER)
        agent.wire.fail(httpx.Response(403, json={"errors": [{"detail": "not approved"}]}), of="POST")
        assert "not approved" in await agent.fail("trigger_broadcast", **OFFER, confirmation=code)
        answer = await agent.call("trigger_broadcast", **OFFER, confirmation=code)

    assert answer["outcome"] == "triggered"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        (
            "send_transactional_email",
            {"to": "ada@example.com", "customer_id": "u_1001", "transactional_message_id": 1},
        ),
        ("identify_customer", {"customer_id": "u_1001"}),
    ],
)
async def test_a_code_that_was_used_is_not_made_valid_again_by_another_call_that_fails(
    tool: str, arguments: dict[str, Any]
) -> None:
    async with an_agent(confirm="preview") as agent:
        code = await code_of(agent, "delete_customer", **DELETE)
        await agent.call("delete_customer", **DELETE, confirmation=code)
        agent.wire.fail(400)
        await agent.fail(tool, **arguments, confirmation=code)
        text = await agent.fail("delete_customer", **DELETE, confirmation=code)

    assert "has been used already" in text
    assert len(acts(agent)) == 2


async def test_a_code_of_one_tool_does_not_hold_for_another() -> None:
    email = {"to": "ada@example.com, bob@example.com", "customer_id": "u_1001", "transactional_message_id": 1}
    async with an_agent(confirm="preview") as agent:
        code = await code_of(agent, "delete_customer", **DELETE)
        text = await agent.fail("send_transactional_email", **email, confirmation=code)

    assert "the tool" in text
    assert acts(agent) == []


async def test_a_code_holds_once() -> None:
    async with an_agent(confirm="preview") as agent:
        code = await code_of(agent, "delete_customer", **DELETE)
        await agent.call("delete_customer", **DELETE, confirmation=code)
        text = await agent.fail("delete_customer", **DELETE, confirmation=code)

    assert "has been used already" in text
    assert len(acts(agent)) == 1


async def test_of_two_processes_that_use_a_code_at_the_same_moment_one_acts() -> None:
    async with an_agent(confirm="preview") as one, an_agent(beside=one, confirm="preview") as other:
        code = await code_of(one, "trigger_broadcast", **OFFER)
        ends = await asyncio.gather(
            *(
                agent.client.call_tool("trigger_broadcast", {**OFFER, **MISSING, "confirmation": code})
                for agent in (one, other)
            )
        )

    assert sorted(bool(end.is_error) for end in ends) == [False, True]
    assert len(acts(one) + acts(other)) == 1


async def test_a_code_outlives_the_process_that_gave_it_out() -> None:
    async with an_agent(confirm="preview") as one:
        async with an_agent(beside=one, confirm="preview") as first:
            code = await code_of(first, "delete_customer", **DELETE)
        async with an_agent(beside=one, confirm="preview") as second:
            answer = await second.call("delete_customer", **DELETE, confirmation=code)

    assert answer["outcome"] == "accepted"


async def test_a_code_expires_after_ten_minutes() -> None:
    async with an_agent(confirm="preview") as agent:
        codes = [await code_of(agent, "delete_customer", customer_id=name) for name in ("u_1001", "u_1002")]
        await asyncio.sleep(599)
        await agent.call("delete_customer", customer_id="u_1001", confirmation=codes[0])
        await asyncio.sleep(2)
        text = await agent.fail("delete_customer", customer_id="u_1002", confirmation=codes[1])

    assert "expired" in text
    assert len(acts(agent)) == 1


async def test_a_code_that_was_never_given_out_is_refused() -> None:
    async with an_agent(confirm="preview") as agent:
        text = await agent.fail("delete_customer", **DELETE, confirmation="AAAAAAAAAAAAAAAA")

    assert "there is no such confirmation code" in text
    assert acts(agent) == []


@pytest.mark.parametrize(("growth", "holds"), [("10", False), ("24", False), ("25", True), ("100", True)])
async def test_an_audience_that_has_grown_too_much_is_refused(growth: str, holds: bool) -> None:
    async with an_agent(confirm="preview", max_audience_growth=growth) as agent:
        code = await code_of(agent, "trigger_broadcast", **TO_SEGMENT)
        await agent.call("identify_customer", customer_id="new", attributes={"plan": "pro"})
        if holds:
            await agent.call("trigger_broadcast", **TO_SEGMENT, confirmation=code)
        else:
            text = await agent.fail("trigger_broadcast", **TO_SEGMENT, confirmation=code)
            assert "has grown from 4 to 5 people" in text
            assert "CIO_MAX_AUDIENCE_GROWTH" in text
            assert agent.facts["preview"]["audience"]["size"] == 5

    assert any("triggers" in sent for sent in acts(agent)) == holds


async def test_a_send_to_one_needs_no_code_and_a_send_to_two_does() -> None:
    email = {"customer_id": "u_1001", "transactional_message_id": "order_confirmation"}
    async with an_agent(confirm="preview") as agent:
        one = await agent.call("send_transactional_email", to="ada@example.com", **email)
        two = await agent.call(
            "send_transactional_email", to="ada@example.com", cc="bob@example.com", **email
        )

    assert one["outcome"] == "queued"
    assert two["outcome"] == "preview"
    assert two["audience"]["size"] == 2
    assert two["template"] == 'transactional message 1: "Order confirmation"'


async def test_what_was_not_executed_leaves_its_code_usable() -> None:
    async with an_agent(confirm="preview") as agent:
        code = await code_of(agent, "trigger_broadcast", **OFFER)
        agent.wire.fail(429, of="POST")
        assert "The call was not executed" in await agent.fail(
            "trigger_broadcast", **OFFER, confirmation=code
        )
        answer = await agent.call("trigger_broadcast", **OFFER, confirmation=code)

    assert answer["outcome"] == "triggered"


async def test_what_may_have_been_executed_has_used_its_code_up() -> None:
    async with an_agent(confirm="preview") as agent:
        code = await code_of(agent, "trigger_broadcast", **OFFER)
        agent.wire.fail(500, late=True, of="POST")
        assert "Unknown outcome" in await agent.fail("trigger_broadcast", **OFFER, confirmation=code)
        text = await agent.fail("trigger_broadcast", **OFFER, confirmation=code)

    assert "has been used already" in text
    assert len(acts(agent)) == 1


async def test_a_dry_run_is_the_same_preview_and_its_code_holds() -> None:
    async with an_agent(confirm="preview") as agent:
        dry = await agent.call("delete_customer", **DELETE, dry_run=True)
        plain = await agent.call("delete_customer", **DELETE)
        answer = await agent.call("delete_customer", **DELETE, confirmation=dry["confirmation"])

    assert "repeat the call without dry_run, with the other arguments and this confirmation" in dry["next"]
    assert "repeat the call with the same arguments and this confirmation" in plain["next"]
    assert answer["outcome"] == "accepted"


async def test_a_large_request_is_cut_in_its_preview_and_sent_whole() -> None:
    many = {"broadcast_id": 10, "emails": [f"person{number}@example.com" for number in range(9000)]}
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call("trigger_broadcast", **many, email_ignore_missing=True)
        code = preview["confirmation"]
        await agent.call("trigger_broadcast", **many, email_ignore_missing=True, confirmation=code)

    assert preview["audience"]["size"] == 9000
    assert preview["request"]["body"]["emails"][-1] == "… and 8990 more"
    assert len(json.loads(agent.wire.requests[-1].content)["emails"]) == 9000


async def test_what_is_wrong_with_a_call_is_told_instead_of_previewed() -> None:
    async with an_agent(confirm="preview") as agent:
        assert "give one audience" in await agent.fail("trigger_broadcast", **OFFER, ids=["u_1001"])
        assert "does not exist" in await agent.fail("trigger_broadcast", broadcast_id=99)

    assert acts(agent) == []


async def test_where_nothing_is_confirmed_a_call_acts_at_once() -> None:
    async with an_agent(confirm="off") as agent:
        await agent.call("delete_customer", **DELETE)

    assert len(acts(agent)) == 1


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({"send_at": "2026-07-01T09:00:00", "timezone": "America/New_York"}, 1_782_910_800),
        ({"send_at": "2026-07-01T09:00:00Z"}, 1_782_896_400),
        ({"send_at": 1_782_896_400}, 1_782_896_400),
    ],
)
async def test_a_newsletter_for_later_is_scheduled_with_the_code_of_its_preview(
    arguments: dict[str, Any], sent: int
) -> None:
    async with an_agent(confirm="preview") as agent:
        code = await code_of(agent, "send_newsletter", newsletter_id=21, **arguments)
        answer = await agent.call("send_newsletter", newsletter_id=21, **arguments, confirmation=code)

    assert answer["outcome"] == "accepted"
    assert agent.last[2]["scheduled_at"] == sent
    assert answer["send_at"] == datetime.fromtimestamp(sent, UTC).isoformat().replace("+00:00", "Z")

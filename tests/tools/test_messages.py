"""Deliveries: what was sent to whom, and what became of it."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

TO_ADA: dict[str, Any] = {
    "to": "ada@example.com",
    "customer_id": "u_1001",
    "transactional_message_id": 1,
    "message_data": {"order_id": "4711"},
}


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


@pytest.mark.parametrize("tool", ["list_customer_messages", "list_messages"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"messages": None, "next": ""}, {"messages": []}),
        ({"messages": [], "next": "MDox"}, {"messages": [], "next_cursor": "MDox"}),
        ({"messages": [{"id": "d"}]}, {"messages": [{"delivery_id": "d"}]}),
    ],
)
async def test_what_the_api_may_leave_out_is_left_out(tool: str, body: object, expected: object) -> None:
    whose = {"customer_id": "1"} if tool == "list_customer_messages" else {}
    async with canned({"": body}) as workspace:
        assert await workspace.call(tool, **whose, cursor="a") == expected


async def test_messages_too_long_for_one_answer_are_cut_whole_and_say_how_to_read_on() -> None:
    long = [{"id": str(number), "type": "email", "subject": "s" * 900} for number in range(50)]
    async with canned({"": {"messages": long, "next": "more"}}) as workspace:
        answer = await workspace.call("list_messages", limit=50)

    assert 10 < len(answer["messages"]) < 50
    assert f"limit={len(answer['messages'])}" in answer["left_out"]
    assert "next_cursor" not in answer


async def test_each_filter_of_messages_is_asked_for_under_the_vendors_name() -> None:
    async with canned({"": {"messages": []}}) as workspace:
        await workspace.call("list_messages")
        await workspace.call(
            "list_messages",
            channel="sms",
            metric="bounced",
            campaign_id=1,
            newsletter_id=2,
            action_id=3,
            start="2026-01-01T00:00:00Z",
            end=1_780_000_000,
            drafts=True,
            limit=5,
            cursor="MDox",
        )

    assert workspace.asked == [
        ("/v1/messages", {"limit": "20"}),
        (
            "/v1/messages",
            {
                "type": "twilio",
                "metric": "bounced",
                "campaign_id": "1",
                "newsletter_id": "2",
                "action_id": "3",
                "start_ts": "1767225600",
                "end_ts": "1780000000",
                "drafts": "true",
                "limit": "5",
                "start": "MDox",
            },
        ),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"start": "2026-05-02", "end": "2026-05-01"}, "end: must be later than start, by at most 6 months"),
        ({"start": "2026-02-27", "end": "2026-08-28"}, "at most 6 months"),
        ({"start": "2025-11-28"}, "at most 6 months"),
        ({"campaign_id": 0}, "campaign_id: "),
        ({"newsletter_id": True}, "newsletter_id: must be a whole number"),
        ({"metric": "read"}, "metric: "),
        ({"channel": "twilio"}, "channel: "),
        ({"start": 1_767_225_600_000}, "did you mean 1767225600?"),
    ],
)
async def test_a_wrong_filter_is_named_and_nothing_is_asked(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("list_messages", **arguments)
    assert agent.sent == []


async def test_messages_of_a_newsletter_are_found_by_what_became_of_them(agent: Agent) -> None:
    opened = await agent.call("list_messages", newsletter_id=20, metric="opened")
    bounced = await agent.call("list_messages", newsletter_id=20, metric="bounced")

    assert {message["recipient"] for message in opened["messages"]} == {"ada@example.com", "dana@example.net"}
    assert [message["state"] for message in bounced["messages"]] == ["bounced"]
    assert bounced["messages"][0]["source"] == {"newsletter_id": 20}


async def test_pages_of_messages_follow_each_other_without_gaps(agent: Agent) -> None:
    all_of_them = (await agent.call("list_messages", limit=100))["messages"]
    paged: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await agent.call("list_messages", limit=7, **cursor)
        paged += answer["messages"]
        if "next_cursor" not in answer:
            break
        cursor = {"cursor": answer["next_cursor"]}

    assert len(all_of_them) > 20
    assert paged == all_of_them


async def test_a_message_is_read_by_its_id_with_the_time_of_each_state(agent: Agent) -> None:
    (clicked,) = (await agent.call("list_messages", newsletter_id=20, metric="clicked"))["messages"]

    message = await agent.call("get_message", delivery_id=clicked["delivery_id"])

    assert list(message["reached"]) == ["created", "sent", "delivered", "opened", "clicked"]
    assert message["reached"]["opened"] < message["reached"]["clicked"]
    assert message["customer"]["id"] == "u_1001"
    assert message["final"] is True
    assert "=" in clicked["delivery_id"]
    assert agent.sent[-1] == f"GET /v1/messages/{clicked['delivery_id'].replace('=', '%3D')}"


async def test_an_unknown_message_is_404(agent: Agent) -> None:
    assert "404" in await agent.fail("get_message", delivery_id="none=")


@pytest.mark.parametrize("body", [{"message": {"id": "d"}}, {"id": "d", "metrics": None}])
async def test_a_message_of_which_nothing_is_known_is_not_final(body: object) -> None:
    async with canned({"": body}) as workspace:
        message = await workspace.call("get_message", delivery_id="d")

    assert message == {"delivery_id": "d", "final": False}


@pytest.mark.parametrize(
    ("type_", "reached", "final"),
    [
        ("email", ["created"], False),
        ("email", ["created", "sent"], False),
        ("email", ["sent", "attempted"], False),
        ("email", ["sent", "delivered"], True),
        ("email", ["sent", "bounced"], True),
        ("twilio", ["sent", "failed"], True),
        ("push", ["sent"], False),
        ("push", ["dropped"], True),
        ("in_app", ["created"], False),
        ("in_app", ["sent"], True),
        ("webhook", ["sent"], True),
        ("email", ["created", "drafted"], True),
    ],
)
async def test_a_state_is_final_where_nothing_more_comes_by_itself(
    type_: str, reached: list[str], final: bool
) -> None:
    item = {"id": "d", "type": type_, "metrics": dict.fromkeys(reached, 1_780_000_000)}
    async with canned({"": {"message": item}}) as workspace:
        assert (await workspace.call("get_message", delivery_id="d"))["final"] is final


def seconds() -> float:
    return asyncio.get_running_loop().time()


async def test_waiting_ends_as_soon_as_the_message_is_delivered(agent: Agent) -> None:
    sent = await agent.call("send_transactional_email", **TO_ADA)
    begun = seconds()

    message = await agent.call("wait_for_delivery", delivery_id=sent["delivery_id"])

    assert (message["state"], message["final"]) == ("delivered", True)
    assert 5 <= seconds() - begun < 10
    assert len(agent.sent) - 1 <= 5


async def test_waiting_tells_at_once_what_cannot_be_delivered(agent: Agent) -> None:
    to_bruno = TO_ADA | {"customer_id": "u_1002"}
    sent = await agent.call("send_transactional_email", **to_bruno, send_to_unsubscribed=False)
    begun = seconds()

    message = await agent.call("wait_for_delivery", delivery_id=sent["delivery_id"])

    assert (message["state"], message["failure"]) == ("undeliverable", "recipient is unsubscribed")
    assert seconds() == begun


async def test_waiting_for_a_draft_ends_and_says_who_must_act(agent: Agent) -> None:
    sent = await agent.call("send_transactional_email", **TO_ADA, queue_draft=True)

    message = await agent.call("wait_for_delivery", delivery_id=sent["delivery_id"])

    assert (message["state"], message["next"]) == (
        "drafted",
        "This is a draft: a person must send it in Customer.io.",
    )


async def test_waiting_ends_with_its_seconds_and_says_how_to_go_on(agent: Agent) -> None:
    later = int(agent.clock()) + 3600
    sent = await agent.call("send_transactional_email", **TO_ADA, send_at=later)
    begun = seconds()

    message = await agent.call("wait_for_delivery", delivery_id=sent["delivery_id"], seconds=12)

    assert (message["state"], message["final"]) == ("created", False)
    assert "call wait_for_delivery again" in message["next"]
    assert seconds() - begun == pytest.approx(12)


@pytest.mark.parametrize(("deadline", "waited"), [("10", 7), ("2", 0)])
async def test_waiting_stays_within_the_calls_deadline(deadline: str, waited: float) -> None:
    async with an_agent(deadline=deadline) as agent:
        later = int(agent.clock()) + 3600
        sent = await agent.call("send_transactional_email", **TO_ADA, send_at=later)
        begun = seconds()
        message = await agent.call("wait_for_delivery", delivery_id=sent["delivery_id"], seconds=600)

        assert message["final"] is False
        assert seconds() - begun == pytest.approx(waited)


async def test_a_message_that_was_queued_just_now_may_be_unknown_for_some_seconds(agent: Agent) -> None:
    sent = await agent.call("send_transactional_email", **TO_ADA)
    agent.wire.fail(404, times=2)

    message = await agent.call("wait_for_delivery", delivery_id=sent["delivery_id"])

    assert message["state"] == "delivered"


async def test_waiting_for_what_does_not_exist_ends_soon(agent: Agent) -> None:
    begun = seconds()

    assert "404" in await agent.fail("wait_for_delivery", delivery_id="none=")
    assert 5 <= seconds() - begun <= 10


async def test_a_refusal_while_waiting_is_told_at_once(agent: Agent) -> None:
    agent.wire.fail(401)

    assert "401" in await agent.fail("wait_for_delivery", delivery_id="none=")
    assert len(agent.sent) == 1


async def test_messages_of_a_broadcast_are_listed(agent: Agent) -> None:
    found = await agent.call("list_messages", broadcast_id=11, metric="delivered", limit=100)
    method, query, _ = agent.last
    of_another = await agent.call("list_messages", broadcast_id=12)

    assert (method, query) == ("GET /v1/broadcasts/11/messages", {"metric": "delivered", "limit": "100"})
    assert found["messages"]
    assert all(message["source"] == {"broadcast_id": 11} for message in found["messages"])
    assert of_another["messages"] == []
    await agent.call("list_messages", broadcast_id=11, drafts=True)
    assert agent.last[1] == {"limit": "20", "state": "drafted"}
    text = await agent.fail("list_messages", broadcast_id=11, action_id=1)
    assert "broadcast_id: cannot be combined" in text
    assert "404" in await agent.fail("list_messages", broadcast_id=99)


async def test_the_story_tells_why_somebody_did_not_get_the_welcome_mail(agent: Agent) -> None:
    found = await agent.call("list_messages", campaign_id=1, action_id=101)

    states = {message["recipient"]: message["state"] for message in found["messages"]}
    assert states["jomo@example.org"] == "bounced"
    assert states["ines@example.com"] == "clicked"


async def test_a_customers_messages_of_a_span_are_listed(agent: Agent) -> None:
    everything = (await agent.call("list_customer_messages", customer_id="u_1001", limit=100))["messages"]

    found = await agent.call(
        "list_customer_messages", customer_id="u_1001", start="2026-05-16", end="2026-05-27", limit=100
    )

    within = [one for one in everything if "2026-05-16" <= one["created"] <= "2026-05-27T00:00:00Z"]
    assert 0 < len(within) < len(everything)
    assert found["messages"] == within
    assert agent.last[1] == {
        "id_type": "id",
        "limit": "100",
        "start_ts": "1778889600",
        "end_ts": "1779840000",
    }
    # The longest six months of a calendar are 184 days, the shortest ones 181.
    for start, end in (("2026-03-01", "2026-09-01"), ("2026-02-28", "2026-08-31")):
        await agent.call("list_customer_messages", customer_id="u_1001", start=start, end=end)
    text = await agent.fail(
        "list_customer_messages", customer_id="u_1001", start="2025-01-01", end="2026-01-01"
    )
    assert "end: must be later than start, by at most 6 months" in text


async def test_messages_of_a_transactional_message_are_listed(agent: Agent) -> None:
    found = await agent.call("list_messages", transactional_message_id=1, metric="delivered")
    method, query, _ = agent.last
    await agent.call("list_messages", transactional_message_id=1, drafts=True)
    drafts = agent.last[1]
    (of_ada, *_) = [one for one in found["messages"] if one["recipient"] == "ada@example.com"]

    assert (method, query) == ("GET /v1/transactional/1/messages", {"metric": "delivered", "limit": "20"})
    assert drafts == {"limit": "20", "state": "drafted"}
    assert of_ada["source"] == {"transactional_message_id": 1}
    for other in ({"channel": "email"}, {"campaign_id": 1}, {"broadcast_id": 10}):
        text = await agent.fail("list_messages", transactional_message_id=1, **other)
        assert "transactional_message_id: cannot be combined" in text
    assert "404" in await agent.fail("list_messages", transactional_message_id=99)

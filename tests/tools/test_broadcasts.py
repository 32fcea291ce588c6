"""API-triggered broadcasts: one message to many, now."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


def body(agent: Agent) -> dict[str, Any]:
    """Return the body that left last."""
    found: dict[str, Any] = json.loads(agent.wire.requests[-1].content)
    return found


async def test_a_trigger_answers_the_number_it_has_among_the_broadcasts_triggers(agent: Agent) -> None:
    answer = await agent.call(
        "trigger_broadcast", broadcast_id=10, emails=[ADA], data={"coupon_code": "SAVE20"}
    )

    assert (answer["outcome"], answer["broadcast_id"], answer["trigger_id"]) == ("triggered", 10, 1)


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({}, {}),
        ({"emails": [ADA]}, {"emails": [ADA]}),
        (
            {"emails": f'["{ADA}"]', "email_ignore_missing": True},
            {"emails": [ADA], "email_ignore_missing": True},
        ),
        ({"ids": ["u_1001"], "id_ignore_missing": True}, {"ids": ["u_1001"], "id_ignore_missing": True}),
        ({"recipients": {"segment": {"id": 1}}}, {"recipients": {"segment": {"id": 1}}}),
        ({"recipients": {}, "data": {}}, {}),
        (
            {
                "per_user_data": [{"email": ADA, "data": {"n": 1}}, {"id": "u_1001"}],
                "email_add_duplicates": True,
            },
            {
                "per_user_data": [{"email": ADA, "data": {"n": 1}}, {"id": "u_1001"}],
                "email_add_duplicates": True,
            },
        ),
        ({"data_file_url": "https://example.com/a.jsonl"}, {"data_file_url": "https://example.com/a.jsonl"}),
    ],
)
async def test_only_what_was_given_leaves(
    agent: Agent, arguments: dict[str, Any], sent: dict[str, Any]
) -> None:
    await agent.call("trigger_broadcast", broadcast_id=10, **arguments)

    assert body(agent) == sent


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"emails": [ADA], "ids": ["1"]}, "emails, ids: name one audience, not 2"),
        ({"emails": []}, "emails: 1 to 10000 entries are allowed, these are 0"),
        ({"ids": ["1"] * 10_001}, "ids: 1 to 10000 entries are allowed, these are 10001"),
        ({"emails": [ADA], "id_ignore_missing": True}, "takes email_add_duplicates and email_ignore_missing"),
        ({"recipients": {"segment": {"id": 1}}, "id_ignore_missing": True}, "this audience takes no flags"),
        ({"email_ignore_missing": True}, "email_ignore_missing: does not fit"),
        ({"per_user_data": [{"name": "x"}]}, "per_user_data: entry 0: must be {id or email, data: {...}}"),
        ({"per_user_data": [{"id": "1", "data": 5}]}, "per_user_data: entry 0"),
        ({"data": {"text": "x" * 50_000}}, "data: at most 50000 bytes are allowed"),
        (
            {"per_user_data": [{"id": str(n), "data": {"text": "x" * 2600}} for n in range(10_000)]},
            "per_user_data: at most 25 MB are allowed in all",
        ),
    ],
)
async def test_a_wrong_audience_is_named_and_nothing_is_sent(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("trigger_broadcast", broadcast_id=10, **arguments)
    assert agent.sent == []


@pytest.mark.parametrize(
    "fault", [500, 502, 408, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError]
)
async def test_a_trigger_whose_answer_is_lost_is_unknown_and_never_repeated(
    agent: Agent, fault: int | type[httpx.TransportError]
) -> None:
    agent.wire.fail(fault, late=True)

    text = await agent.fail("trigger_broadcast", broadcast_id=10, emails=[ADA])

    assert agent.facts["outcome"] == "unknown"
    assert "list_broadcast_triggers" in text
    assert len(agent.sent) == 1


async def test_a_second_trigger_waits_its_turn(agent: Agent) -> None:
    await agent.call("trigger_broadcast", broadcast_id=10, emails=[ADA])

    await agent.call("trigger_broadcast", broadcast_id=10, emails=[ADA])

    assert len(agent.sent) == 2


async def test_a_trigger_refused_by_the_limit_says_when_to_try_again_and_is_not_repeated(
    agent: Agent,
) -> None:
    agent.wire.fail(429)

    text = await agent.fail("trigger_broadcast", broadcast_id=10, emails=[ADA])

    assert "Call again in 10 s" in text
    assert (agent.facts["outcome"], agent.facts["retryable"], agent.facts["retry_in_seconds"]) == (
        "refused",
        True,
        10,
    )
    assert len(agent.sent) == 1


async def test_a_sixth_trigger_while_customerio_keeps_five_waiting_says_so_and_goes_through_later() -> None:
    async with an_agent(broadcast_seconds=55) as agent:
        for _ in range(5):
            await agent.call("trigger_broadcast", broadcast_id=10, emails=[ADA])
        text = await agent.fail("trigger_broadcast", broadcast_id=10, emails=[ADA])
        outcome = agent.facts["outcome"]
        await asyncio.sleep(agent.facts["retry_in_seconds"])
        await agent.call("trigger_broadcast", broadcast_id=10, emails=[ADA])

    assert "lets at most 5 wait" in text
    assert outcome == "refused"
    assert len(agent.sent) == 7


async def test_an_unknown_broadcast_is_refused_with_the_vendors_reason(agent: Agent) -> None:
    await agent.fail("trigger_broadcast", broadcast_id=999, emails=[ADA])

    assert agent.facts["status"] == 404


async def test_triggers_are_listed_newest_first(agent: Agent) -> None:
    for _ in range(3):
        await agent.call("trigger_broadcast", broadcast_id=10, emails=[ADA])

    answer = await agent.call("list_broadcast_triggers", broadcast_id=10, limit=2)

    assert [trigger["trigger_id"] for trigger in answer["triggers"]] == [3, 2]
    assert answer["triggers"][1]["processed"] > answer["triggers"][1]["created"]
    assert answer["left_out"] == "1 older ones; ask with a larger limit"


async def test_a_trigger_whose_outcome_is_unknown_can_be_found(agent: Agent) -> None:
    agent.wire.fail(httpx.ReadTimeout, late=True)
    text = await agent.fail("trigger_broadcast", broadcast_id=10, emails=[ADA])

    assert "list_broadcast_triggers with broadcast_id=10" in text
    assert len((await agent.call("list_broadcast_triggers", broadcast_id=10))["triggers"]) == 1

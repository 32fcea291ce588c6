"""API-triggered broadcasts: one message to many, now."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


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
        ({"recipients": None, "data": {}}, {}),
        ({"ids": [1001]}, {"ids": ["1001"]}),
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

    assert agent.last[2] == sent


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"emails": [ADA], "ids": ["1"]}, "emails, ids: give one audience, not 2"),
        ({"emails": []}, "emails: 1 to 10000 entries are allowed; these are 0"),
        ({"recipients": {}}, "recipients: is empty; name a condition, or leave it out"),
        ({"recipients": "{}"}, "recipients: is empty"),
        ({"recipients": {"and": []}}, "recipients: has an empty group or condition"),
        ({"recipients": {"or": [{}]}}, "recipients: has an empty group or condition"),
        ({"recipients": {"and": [{"segment": {}}]}}, "recipients: has an empty group or condition"),
        ({"recipients": []}, "recipients: must be a JSON object"),
        ({"emails": [""]}, "emails.0: must not be blank"),
        ({"ids": [" "]}, "ids.0: must not be blank"),
        ({"ids": [None]}, "ids.0: "),
        ({"per_user_data": []}, "per_user_data: 1 to 10000 entries"),
        ({"per_user_data": [{"id": None}]}, "per_user_data: entry 0: id must identify a person"),
        ({"per_user_data": [{"email": " "}]}, "per_user_data: entry 0: email must identify a person"),
        ({"per_user_data": [{"id": "1"}, {"id": {}}]}, "per_user_data: entry 1: id must identify a person"),
        ({"data_file_url": " "}, "data_file_url: must not be blank"),
        ({"ids": ["1"] * 10_001}, "ids: 1 to 10000 entries are allowed; these are 10001"),
        (
            {"emails": [ADA], "id_ignore_missing": True},
            "takes only email_add_duplicates and email_ignore_missing",
        ),
        (
            {"recipients": {"segment": {"id": 1}}, "id_ignore_missing": True},
            "this audience, which takes no flags",
        ),
        ({"email_ignore_missing": True}, "email_ignore_missing: not allowed with this audience"),
        ({"per_user_data": [{"name": "x"}]}, 'per_user_data: entry 0: must have "id" or "email", not both'),
        ({"per_user_data": [{"id": "1", "data": 5}]}, "per_user_data: entry 0"),
        ({"data": {"text": "x" * 50_000}}, "data: at most 50000 bytes are allowed"),
        (
            {"per_user_data": [{"id": str(n), "data": {"text": "x" * 2600}} for n in range(10_000)]},
            "per_user_data: in all at most 25000000 bytes are allowed",
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

    assert "queues at most 5" in text
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
    assert answer["left_out"] == "1 older runs; call with a larger limit"


async def test_a_trigger_whose_outcome_is_unknown_can_be_found(agent: Agent) -> None:
    agent.wire.fail(httpx.ReadTimeout, late=True)
    text = await agent.fail("trigger_broadcast", broadcast_id=10, emails=[ADA])

    assert "list_broadcast_triggers with broadcast_id=10" in text
    assert len((await agent.call("list_broadcast_triggers", broadcast_id=10))["triggers"]) == 1


async def test_broadcasts_are_listed_newest_first_and_one_is_read_by_its_id(agent: Agent) -> None:
    listed = (await agent.call("list_broadcasts"))["broadcasts"]
    one = (await agent.call("list_broadcasts", broadcast_id=11))["broadcasts"]

    assert [broadcast["id"] for broadcast in listed] == [12, 11, 10]
    assert one == [listed[1]]
    assert one[0] | {"first_started": 0, "updated": 0} == {
        "id": 11,
        "name": "Product news",
        "state": "running",
        "type": "api_triggered",
        "actions": 1,
        "tags": [],
        "first_started": 0,
        "updated": 0,
    }
    assert agent.sent == ["GET /v1/broadcasts", "GET /v1/broadcasts/11"]


@pytest.mark.parametrize("body", [{"broadcasts": None}, {"broadcasts": []}])
async def test_no_broadcasts_are_an_empty_list(body: object) -> None:
    async with canned({"": body}) as workspace:
        assert await workspace.call("list_broadcasts") == {"broadcasts": []}


async def test_many_broadcasts_come_in_pages_of_whole_ones() -> None:
    many = [{"id": number, "name": "n" * 400, "active": number % 2 == 0} for number in range(1, 101)]
    seen: list[Any] = []
    cursor: dict[str, str] = {}
    async with canned({"": {"broadcasts": many}}) as workspace:
        while True:
            answer = await workspace.call("list_broadcasts", **cursor)
            seen += answer["broadcasts"]
            if "next_cursor" not in answer:
                break
            cursor = {"cursor": answer["next_cursor"]}

    assert len(workspace.asked) > 2
    assert [broadcast["id"] for broadcast in seen] == list(range(100, 0, -1))
    assert [broadcast["state"] for broadcast in seen[:2]] == ["running", "draft or stopped"]


async def test_an_unknown_broadcast_and_a_made_up_cursor_are_refused(agent: Agent) -> None:
    assert "404" in await agent.fail("list_broadcasts", broadcast_id=999)
    assert "cursor: must be the next_cursor" in await agent.fail("list_broadcasts", cursor="abc")


async def test_data_for_all_fills_what_the_data_of_one_person_lacks(agent: Agent) -> None:
    people = [{"id": "u_1001", "data": {"coupon_code": "ADA"}}, {"id": "u_1003"}]
    await agent.call(
        "trigger_broadcast",
        broadcast_id=10,
        per_user_data=people,
        data={"coupon_code": "ALL", "ends": "May"},
    )

    # Which of both counts at Customer.io is not documented, so both are not sent.
    assert agent.last[2] == {
        "per_user_data": [
            {"id": "u_1001", "data": {"coupon_code": "ADA", "ends": "May"}},
            {"id": "u_1003", "data": {"coupon_code": "ALL", "ends": "May"}},
        ]
    }


async def test_a_trigger_is_followed_until_it_is_processed(agent: Agent) -> None:
    await agent.call("trigger_broadcast", broadcast_id=10, emails=[ADA])
    early = await agent.call("get_broadcast_trigger", broadcast_id=10, trigger_id=1)
    await asyncio.sleep(5)
    late = await agent.call("get_broadcast_trigger", broadcast_id=10, trigger_id=1)

    assert (early["error_count"], early["errors"]) == (0, [])
    assert "processed" not in early
    assert late["processed"] > late["created"]
    assert "next" not in early
    assert "unsubscribed and suppressed people are skipped" in late["next"]
    status = "GET /v1/campaigns/10/triggers/1"
    assert agent.sent[1:3] == [status, f"{status}/errors?limit=50"]


async def test_the_list_of_triggers_says_that_it_does_not_tell_which_failed(agent: Agent) -> None:
    failed = await agent.call("list_broadcast_triggers", broadcast_id=12)
    never = await agent.call("list_broadcast_triggers", broadcast_id=10)

    assert failed["triggers"][0]["processed"]
    assert [note for note in failed["notes"] if "whether a run failed" in note and "get_broadcast" in note]
    assert "notes" not in never


async def test_what_a_trigger_failed_on_is_told_with_the_way_out(agent: Agent) -> None:
    trigger = await agent.call("get_broadcast_trigger", broadcast_id=12, trigger_id=1)

    assert trigger["error_count"] == 2
    assert trigger["errors"][0] == "line 3: there is no person with id u_1900"
    assert "id_ignore_missing" in trigger["next"]


async def test_the_errors_of_a_trigger_come_in_pages(agent: Agent) -> None:
    await agent.call("trigger_broadcast", broadcast_id=10, ids=[f"x_{number}" for number in range(70)])

    first = await agent.call("get_broadcast_trigger", broadcast_id=10, trigger_id=1)
    second = await agent.call(
        "get_broadcast_trigger", broadcast_id=10, trigger_id=1, cursor=first["next_cursor"]
    )

    assert (len(first["errors"]), len(second["errors"])) == (50, 20)
    assert (first["error_count"], second["error_count"]) == (50, 70)
    assert second["errors"][0].startswith("line 51:")
    assert "next_cursor" not in second


@pytest.mark.parametrize(
    "body", [{"errors": None}, {"errors": [], "next": 0}, {"errors": [], "next": ""}, {"errors": []}]
)
async def test_a_trigger_without_errors_has_none_however_that_is_said(body: object) -> None:
    status = {"id": 3, "created_at": 1_780_000_000, "processed_at": None}
    async with canned({"errors": body, "triggers/3": status}) as workspace:
        answer = await workspace.call("get_broadcast_trigger", broadcast_id=10, trigger_id=3)

    assert answer == {
        "trigger_id": 3,
        "broadcast_id": 10,
        "created": "2026-05-28T20:26:40Z",
        "error_count": 0,
        "errors": [],
    }


async def test_an_unknown_trigger_is_404(agent: Agent) -> None:
    assert "404" in await agent.fail("get_broadcast_trigger", broadcast_id=10, trigger_id=9)

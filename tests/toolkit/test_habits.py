"""Values that differ from what a workspace has are told of, and stored as they are."""

from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

# What a preview reads: whether the customer is there, and automations that can start.
LOOKED_UP = ["GET /v1/customers/new/attributes?id_type=id", "GET /v1/campaigns", "GET /v1/segments"]

TYPE = "the value agrees, but the API returns all values as text, so its type cannot be seen."


async def notes_on(agent: Agent, **attributes: Any) -> list[str] | None:
    """Return what a dry run has to say about attributes."""
    preview = await agent.call("identify_customer", customer_id="new", attributes=attributes, dry_run=True)
    others = ["POST /v1/customers?limit=100", "POST /v1/customers/attributes?id_type=cio_id"]
    assert agent.sent == [*others, *LOOKED_UP]
    assert preview["request"]["body"] == attributes
    notes: list[str] | None = preview.get("notes")
    return notes


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ("Pro", 'no customer has "Pro"; 4 of 12 have "pro"'),
        (" pro", 'no customer has " pro"; 4 of 12 have "pro"'),
        ("pro", None),
        ("enterprise", None),
        (5, "this is a number; 12 of 12 customers have a text"),
        (True, "this is a boolean; 12 of 12 customers have a text"),
        ("5", "this is a number; 12 of 12 customers have a text"),
        (None, None),
        ("", None),
        (["pro"], None),
    ],
)
async def test_a_dry_run_tells_of_a_value_that_is_spelled_or_typed_unlike_all_others(
    agent: Agent, value: object, note: str | None
) -> None:
    assert await notes_on(agent, plan=value) == ([f"attributes.plan: {note}"] if note else None)


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ("5", "this is text that looks like a number; 3 of 3 customers have a number, or such text"),
        ("five", "this is a text; 3 of 3 customers have a number"),
        (True, "this is a boolean; 3 of 3 customers have a number"),
        (5, None),
        (5.5, None),
        (-1, None),
    ],
)
async def test_text_among_numbers_is_told_of(value: object, note: str | None) -> None:
    async with an_agent() as agent:
        for number in range(1, 4):
            await agent.call("identify_customer", customer_id=f"new_{number}", attributes={"rooms": number})
        agent.wire.requests.clear()
        assert await notes_on(agent, rooms=value) == ([f"attributes.rooms: {note}"] if note else None)


async def test_a_few_values_are_no_habit(agent: Agent) -> None:
    assert await notes_on(agent, seats="five", unheard_of="x") is None


async def test_a_write_reads_nothing_of_others(agent: Agent) -> None:
    answer = await agent.call("identify_customer", customer_id="new", attributes={"plan": "Pro"})

    assert "notes" not in answer
    assert agent.sent == ["PUT /api/v1/customers/new"]


@pytest.mark.parametrize("fault", [401, 429, 500, httpx.ConnectError])
async def test_a_dry_run_goes_on_without_the_values_of_others(agent: Agent, fault: Any) -> None:
    agent.wire.fail(fault, times=99)
    attributes = {"plan": "Pro"}
    preview = await agent.call("identify_customer", customer_id="new", attributes=attributes, dry_run=True)

    assert preview["outcome"] == "preview"
    assert "notes" not in preview


@pytest.mark.parametrize("settings", [{"pii": "mask"}, {"app_api_key": ""}, {"permissions": "write"}])
async def test_the_values_of_others_are_left_alone_where_they_are_not_to_be_seen(
    settings: dict[str, Any],
) -> None:
    async with an_agent(**settings) as agent:
        await agent.call("identify_customer", customer_id="new", attributes={"plan": "Pro"}, dry_run=True)

    assert set(agent.sent) <= set(LOOKED_UP)


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("ada@example.com", True),
        ("ada+1@mail.example.co.uk", True),
        ("ada@b\u00fccher.example", True),
        ("o'neil@example.com", True),
        ("ada@example", False),
        ("ada.example.com", False),
        ("ada@example..com", False),
        ("ada@.example.com", False),
        ("ada@-example.com", False),
        ("ada lovelace@example.com", False),
        ("@example.com", False),
    ],
)
async def test_an_address_that_cannot_be_one_is_told_of(agent: Agent, address: str, fits: bool) -> None:
    answer = await agent.call("identify_customer", customer_id="new", email=address)

    assert answer.get("notes") == (None if fits else ["email: no email can be sent to this address"])
    assert agent.last[2] == {"email": address}


async def test_a_check_says_whose_type_cannot_be_told(agent: Agent) -> None:
    written = {"plan": "pro", "seats": 5, "zip": "20000", "vip": True, "code": "true"}
    await agent.call("identify_customer", customer_id="new", attributes=written)
    check = await agent.call("check_write", customer_id="new", attributes=written)
    text = await agent.call("check_write", customer_id="new", attributes={"plan": "pro"})
    wrong = await agent.call("check_write", customer_id="new", attributes={"seats": 6, "vip": True})

    assert check["state"] == "applied"
    assert check["notes"] == [f"seats, zip, vip, code: {TYPE}"]
    assert "notes" not in text
    assert wrong["notes"] == [f"vip: {TYPE}"]

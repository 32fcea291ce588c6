"""Customers suppressed, freed and merged."""

from typing import Any

import pytest

from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

ADA, LENA = "u_1001", "lena@example.org"


async def test_a_suppressed_customer_is_gone_and_cannot_come_back(agent: Agent) -> None:
    answer = await agent.call("suppress_customer", customer_id=ADA)

    assert agent.last == (f"POST /api/v1/customers/{ADA}/suppress", {}, {})
    assert answer["outcome"] == "accepted"
    await agent.call("identify_customer", customer_id="again", email="ada@example.com")
    assert "404" in await agent.fail("get_customer", customer_id="again")
    assert (await agent.call("search_customers", email="ada@example.com"))["customers"] == []


async def test_a_freed_identifier_can_be_used_again_and_the_profile_does_not_come_back(agent: Agent) -> None:
    await agent.call("suppress_customer", customer_id=ADA)
    await agent.call("unsuppress_customer", customer_id=ADA)

    assert agent.last == (f"POST /api/v1/customers/{ADA}/unsuppress", {}, {})
    assert "404" in await agent.fail("get_customer", customer_id=ADA)
    await agent.call("identify_customer", customer_id=ADA, attributes={"plan": "free"})
    found = await agent.call("get_customer", customer_id=ADA, fields=["plan", "country"])
    assert found["attributes"] == {"plan": "free"}


@pytest.mark.parametrize(
    ("tool", "act"), [("suppress_customer", "suppress"), ("unsuppress_customer", "unsuppress")]
)
async def test_any_identifier_names_whom_to_suppress(agent: Agent, tool: str, act: str) -> None:
    await agent.call(tool, customer_id="a/b+c@example.com", id_type="email")
    assert agent.last[0] == f"POST /api/v1/customers/a%2Fb%2Bc%40example.com/{act}"

    await agent.call(tool, customer_id="03000001", id_type="cio_id")
    assert agent.last[0] == f"POST /api/v1/customers/cio_03000001/{act}"


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (
            {"customer_id": ADA, "secondary_id": LENA, "secondary_id_type": "email"},
            {"primary": {"id": ADA}, "secondary": {"email": LENA}},
        ),
        (
            {
                "customer_id": "cio_03",
                "id_type": "cio_id",
                "secondary_id": "04",
                "secondary_id_type": "cio_id",
            },
            {"primary": {"cio_id": "03"}, "secondary": {"cio_id": "04"}},
        ),
        (
            {"customer_id": LENA, "id_type": "email", "secondary_id": 7},
            {"primary": {"email": LENA}, "secondary": {"id": "7"}},
        ),
    ],
)
async def test_each_side_of_a_merge_has_its_own_kind_of_identifier(
    agent: Agent, arguments: dict[str, Any], body: object
) -> None:
    answer = await agent.call("merge_customers", **arguments)

    assert agent.last == ("POST /api/v1/merge_customers", {}, body)
    assert "Read both with get_customer" in answer["notes"][0]


async def test_a_merged_customer_keeps_their_own_values_and_gets_what_they_lack(agent: Agent) -> None:
    await agent.call("merge_customers", customer_id=ADA, secondary_id=LENA, secondary_id_type="email")

    ada = await agent.call("get_customer", customer_id=ADA, fields=["plan", "source"])
    assert ada["attributes"] == {"plan": "pro", "source": "webinar"}
    assert ada["email"] == "ada@example.com"
    assert "404" in await agent.fail("get_customer", customer_id=LENA, id_type="email")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"customer_id": ADA}, "secondary_id: is required"),
        ({"customer_id": ADA, "secondary_id": ADA}, "secondary_id: is the same customer"),
        (
            {"customer_id": "cio_1", "id_type": "cio_id", "secondary_id": "1", "secondary_id_type": "cio_id"},
            "secondary_id: is the same customer",
        ),
        ({"customer_id": ADA, "secondary_id": " "}, "secondary_id: must not be blank"),
        ({"customer_id": ADA, "secondary_id": "ü" * 76}, "secondary_id: at most 150 bytes"),
    ],
)
async def test_a_wrong_merge_is_named_and_nothing_is_sent(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("merge_customers", **arguments)
    assert agent.sent == []


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("suppress_customer", {"customer_id": ADA}),
        ("merge_customers", {"customer_id": "u_1002", "secondary_id": ADA}),
    ],
)
async def test_what_destroys_a_profile_waits_for_its_confirmation(
    tool: str, arguments: dict[str, Any]
) -> None:
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call(tool, **arguments)
        assert preview["outcome"] == "preview"
        assert all(sent.startswith("GET") for sent in agent.sent)

        await agent.call(tool, **arguments, confirmation=preview["confirmation"])
        assert "404" in await agent.fail("get_customer", customer_id=ADA)

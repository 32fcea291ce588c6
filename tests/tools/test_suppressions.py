"""Suppressed addresses and opt-outs: found, listed page by page, and lifted by a person alone."""

import json
from typing import Any, Literal

import httpx
import pytest

from tests.agent import Agent, an_agent
from tests.safety.test_elicitation import ERAS, Human
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

JOMO = {"email": "jomo@example.org", "kind": "bounces"}
LIFT = "DELETE /v1/esp/suppression/bounces/jomo%40example.org"


async def test_a_suppressed_address_is_found_with_reason_and_date(agent: Agent) -> None:
    (found,) = (await agent.call("find_suppressed_addresses", email="jomo@example.org"))["addresses"]
    nobody = await agent.call("find_suppressed_addresses", email="ada@example.com")

    assert found == {
        "email": "jomo@example.org",
        "category": "bounces",
        "reason": "550 5.1.1 unknown user",
        "status": "550",
        "since": "2026-05-19T20:26:46Z",
    }
    assert nobody["addresses"] == []


@pytest.mark.parametrize("body", [{"suppressions": None}, {"category": "", "suppressions": []}])
async def test_an_address_that_is_not_suppressed_is_none_in_whatever_form(body: object) -> None:
    async with canned({"": body}) as workspace:
        assert await workspace.call("find_suppressed_addresses", email="a@example.com") == {"addresses": []}


async def test_suppressed_addresses_of_a_kind_are_listed_page_by_page_without_gaps() -> None:
    known = [{"email": f"a{number}@example.com", "created": 1_780_000_000} for number in range(7)]

    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        first = int(asked["offset"])
        page = known[first : first + int(asked["limit"])]
        return httpx.Response(200, json={"category": "bounces", "suppressions": page or None})

    found: list[Any] = []
    cursor: dict[str, str] = {}
    async with canned({"": answer}) as workspace:
        while True:
            page = await workspace.call("find_suppressed_addresses", kind="blocks", limit=3, **cursor)
            found += page["addresses"]
            if "next_cursor" not in page:
                break
            cursor = {"cursor": page["next_cursor"]}

    assert [one["email"] for one in found] == [one["email"] for one in known]
    assert {path for path, _ in workspace.asked} == {"/v1/esp/suppression/blocks"}


@pytest.mark.parametrize("arguments", [{}, {"email": "a@example.com", "kind": "bounces"}])
async def test_either_an_address_or_a_kind_is_asked_for(agent: Agent, arguments: dict[str, str]) -> None:
    assert "email, kind: give exactly one" in await agent.fail("find_suppressed_addresses", **arguments)
    of_one = {"email": "a@example.com", "domain": "example.com"}
    assert "domain, cursor: only with kind" in await agent.fail("find_suppressed_addresses", **of_one)
    assert agent.sent == []


@pytest.mark.parametrize("mode", ERAS)
async def test_a_suppression_is_lifted_once_a_person_agrees(mode: str) -> None:
    human = Human("accept")
    async with an_agent(confirm="preview", elicitation=human, mode=mode) as agent:
        answer = await agent.call("delete_suppression", **JOMO)
        left = await agent.call("find_suppressed_addresses", email="jomo@example.org")

    assert (answer["outcome"], left["addresses"]) == ("deleted", [])
    assert len(human.asked) == 1
    assert "Lift an address's suppression" in human.asked[0]


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_suppression_that_nobody_agrees_to_lift_stays(action: Literal["decline", "cancel"]) -> None:
    async with an_agent(confirm="preview", elicitation=Human(action)) as agent:
        await agent.fail("delete_suppression", **JOMO)

    assert LIFT not in agent.sent


async def test_an_agent_cannot_confirm_a_lift_with_a_preview_of_its_own() -> None:
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call("delete_suppression", **JOMO, dry_run=True)
        of_another = await agent.call("delete_customer", customer_id="u_1001")
        text = await agent.fail("delete_suppression", **JOMO, confirmation=of_another["confirmation"])
        plain = await agent.fail("delete_suppression", **JOMO)

    assert preview["outcome"] == "preview"
    assert "confirmation" not in preview
    assert "requires a person's consent" in text
    assert "requires a person's consent" in plain
    assert LIFT not in agent.sent


async def test_a_report_of_spam_cannot_be_lifted(agent: Agent) -> None:
    text = await agent.fail("delete_suppression", email="a@example.com", kind="spam_reports")

    assert text.startswith("Nothing was sent")
    assert "kind: " in text


async def test_opt_outs_are_listed_for_all_by_sender_and_for_one(agent: Agent) -> None:
    everybody = await agent.call("list_opt_outs")
    of_one = await agent.call("list_opt_outs", customer_id="dana@example.net", id_type="email")
    of_another = await agent.call("list_opt_outs", sender="+15550111")
    of_nobody = await agent.call("list_opt_outs", customer_id="u_1001")

    (dana,) = everybody["customers"]
    assert (dana["id"], dana["opt_outs"]) == ("u_1004", [{"channel": "sms", "sender": "+15550100"}])
    assert not dana["cio_id"].startswith("cio_")
    assert of_one["customers"] == [{"opt_outs": dana["opt_outs"]}]
    assert of_another["customers"] == of_nobody["customers"] == []


async def test_what_goes_with_all_opt_outs_does_not_go_with_one_customer(agent: Agent) -> None:
    text = await agent.fail("list_opt_outs", customer_id="u_1001", sender="+15550100")

    assert "sender, cursor: cannot be combined with customer_id" in text
    assert "404" in await agent.fail("list_opt_outs", customer_id="nobody")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("find_suppressed_addresses", {"kind": "bounces"}), ("list_opt_outs", {})],
)
async def test_a_missing_permission_of_the_key_is_told(
    agent: Agent, tool: str, arguments: dict[str, Any]
) -> None:
    agent.wire.refuses = lambda _: True

    assert "403: no such scope" in await agent.fail(tool, **arguments)


async def test_addresses_and_senders_are_masked_and_a_pseudonym_finds_its_address() -> None:
    async with an_agent(pii="mask") as agent:
        listed = await agent.call("find_suppressed_addresses", kind="bounces")
        found = await agent.call("find_suppressed_addresses", email=listed["addresses"][0]["email"])

    assert "jomo" not in json.dumps(listed)
    assert found["addresses"] == listed["addresses"]


@pytest.mark.parametrize(("permissions", "listed"), [("read", False), ("read,delete", True)])
async def test_who_may_not_delete_cannot_lift(permissions: str, listed: bool) -> None:
    async with an_agent(permissions=permissions) as agent:
        names = {tool.name for tool in (await agent.client.list_tools()).tools}

    assert ("delete_suppression" in names) is listed
    assert {"explain_no_message", "list_opt_outs"} <= names

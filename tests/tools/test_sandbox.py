"""The toolset `sandbox`: there on a sandbox only."""

from typing import Any

import pytest

from cio_mcp.toolkit.core import CORE
from cio_mcp.tools.every import SANDBOX_TOOLS, TOOLS
from tests.agent import Agent, an_agent
from tests.generated import visible_bytes

pytestmark = pytest.mark.anyio

NAMES = {tool.name for tool in SANDBOX_TOOLS}


async def listed(agent: Agent) -> set[str]:
    return {tool.name for tool in (await agent.client.list_tools()).tools}


async def test_a_sandbox_lists_them_beside_the_default_tools_and_a_live_workspace_never_does() -> None:
    async with an_agent(sandbox="on", toolsets="core") as agent:
        on_sandbox = await listed(agent)
    async with an_agent(toolsets="all") as agent:
        live = await listed(agent)
        status = await agent.call("server_status")

    assert on_sandbox == set(CORE) >= NAMES
    assert not NAMES & (live | status["off"].keys() | {tool.name for tool in TOOLS})


@pytest.mark.parametrize("words", [{"toolsets": "all,-sandbox"}, {"permissions": "read"}])
async def test_they_can_be_switched_off_as_others_are(words: dict[str, Any]) -> None:
    async with an_agent(sandbox="on", **words) as agent:
        assert "move_sandbox_clock" not in await listed(agent)


def test_what_the_model_sees_of_them_is_as_short_as_of_others() -> None:
    assert visible_bytes(SANDBOX_TOOLS) <= 700 * len(SANDBOX_TOOLS)


async def test_the_clock_moves_on_and_other_tools_see_it() -> None:
    async with an_agent(sandbox="on") as agent:
        send = {"transactional_message_id": 1, "to": "ada@example.com", "customer_id": "u_1001"}
        await agent.call("send_transactional_email", **send)
        before = (await agent.call("server_status"))["now"]
        moved = await agent.call("move_sandbox_clock", to="+7d")
        after = (await agent.call("server_status"))["now"]

    assert moved["outcome"] == "moved"
    assert moved["sandbox"] is True
    assert (before[:10], after[:10], moved["now"][:10]) == ("2026-05-28", "2026-06-04", "2026-06-04")


async def test_a_preview_moves_nothing() -> None:
    async with an_agent(sandbox="on") as agent:
        preview = await agent.call("move_sandbox_clock", to="+7d", dry_run=True)
        now = (await agent.call("server_status"))["now"]

    asked = {"to": "+7d", "seconds": 25}
    assert preview["request"] == {"method": "POST", "url": "/_sandbox/clock", "body": asked}
    assert now.startswith("2026-05-28")


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("2001-01-01", "2001-01-01 is over: it is 2026-05-28T"),
        ("soon", "'soon' must be a time such as"),
        ("+99999d", "too far away: at most 3660 days"),
    ],
)
async def test_a_time_that_cannot_be_is_refused(to: str, words: str) -> None:
    async with an_agent(sandbox="on") as agent:
        assert words in await agent.fail("move_sandbox_clock", to=to)


async def test_it_tells_why_a_message_came_and_why_not() -> None:
    async with an_agent(sandbox="on") as agent:
        send = {"transactional_message_id": 1, "to": "ada@example.com", "customer_id": "u_1001"}
        sent = await agent.call("send_transactional_email", **send)
        came = await agent.call("explain_sandbox_message", delivery_id=sent["delivery_id"])
        absent = await agent.call("explain_sandbox_message", person="u_1001", message="newsletter 21")

    assert "template 1" in " ".join(came["chain"])
    assert absent["chain"][0].startswith("u_1001 got no")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "delivery_id, person, message: give delivery_id alone, or person and message"),
        ({"person": "u_1001"}, "give delivery_id alone, or person and message"),
        ({"delivery_id": "x", "person": "u_1001", "message": "m"}, "give delivery_id alone, or person and"),
        ({"delivery_id": "x", "message": "m"}, "give delivery_id alone, or person and"),
    ],
)
async def test_an_explanation_is_asked_for_by_a_delivery_or_by_a_person_and_a_message(
    asked: dict[str, Any], words: str
) -> None:
    async with an_agent(sandbox="on") as agent:
        assert words in await agent.fail("explain_sandbox_message", **asked)
        assert agent.facts["outcome"] == "not_sent"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"delivery_id": "nope"}, "there is no delivery nope"),
        ({"person": "nobody", "message": "Welcome"}, "there is no person nobody, and there never was"),
        ({"person": "u_1001", "message": "nothing"}, "no message is called nothing; name an action"),
    ],
)
async def test_what_there_is_not_is_refused_by_the_sandbox(asked: dict[str, Any], words: str) -> None:
    async with an_agent(sandbox="on") as agent:
        assert words in await agent.fail("explain_sandbox_message", **asked)
        assert agent.facts["outcome"] == "refused"

"""The server says what it may do."""

from typing import Any

import pytest
from mcp import Client

from cio_mcp import __version__
from cio_mcp.app.build import build
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from tests.agent import an_agent

pytestmark = pytest.mark.anyio


async def test_a_live_server_tells_its_bounds_and_no_secret() -> None:
    environ = {
        "CIO_APP_API_KEY": "app-s3cret",
        "CIO_REGION": "eu",
        "CIO_PERMISSIONS": "read,send",
        "CIO_CONFIRM": "human",
        "CIO_ALLOWED_RECIPIENTS": "example.com, *@corp.example",
        "CIO_MAX_SENDS_PER_DAY": "50",
    }
    app = build(load(environ))
    async with Client(Server(app)) as client:
        result = await client.call_tool("server_status", {})
    await app.aclose()

    status = result.structured_content or {}
    assert status["version"] == __version__
    assert status["environment"] == "live, eu"
    assert status["credentials"] == {
        "CIO_SITE_ID": False,
        "CIO_TRACK_API_KEY": False,
        "CIO_APP_API_KEY": True,
    }
    assert (status["permissions"], status["confirmation"]) == (["read", "send"], "human")
    assert status["bounds"]["CIO_ALLOWED_RECIPIENTS"] == "example.com, *@corp.example"
    assert status["caps"] == [{"setting": "CIO_MAX_SENDS_PER_DAY", "most": 50, "left": 50}]
    assert (
        "events (3)"
        in status["off"]["the Track API has no credentials: set CIO_SITE_ID and CIO_TRACK_API_KEY"]
    )
    assert "s3cret" not in str(result)


async def test_a_sandbox_says_that_it_is_one() -> None:
    app = build(load({}))
    async with Client(Server(app)) as client:
        status = (await client.call_tool("server_status", {})).structured_content or {}
    await app.aclose()

    assert status["environment"] == "sandbox"
    assert "credentials" not in status or not status["credentials"]


@pytest.mark.parametrize(
    ("words", "off"),
    [
        (
            {"toolsets": "core"},
            {
                "its toolset is off (CIO_TOOLSETS)": [
                    *("people (11)", "objects (4)", "segments (6)", "bulk (3)", "campaigns (2)"),
                    *("newsletters (5)", "content (4)", "design_studio (11)", "transactional (1)"),
                    *(
                        "messages (3)",
                        "deliverability (3)",
                        "metrics (4)",
                        "data_quality (2)",
                        "workspace (6)",
                    ),
                ]
            },
        ),
        (
            {"tools": "-get_email,-delete_customer", "toolsets": "all,-messages"},
            {
                "CIO_TOOLS excludes it": ["delete_customer", "get_email"],
                "its toolset is off (CIO_TOOLSETS)": [
                    "list_customer_messages",
                    "list_messages",
                    "get_message",
                    "wait_for_delivery",
                ],
            },
        ),
        ({}, {}),
    ],
)
async def test_tools_that_are_off_are_told_by_name_or_of_many_by_toolset_and_number(
    words: dict[str, Any], off: dict[str, list[str]]
) -> None:
    async with an_agent(**words) as agent:
        assert (await agent.call("server_status"))["off"] == off


async def test_a_bound_of_nobody_is_told_as_well() -> None:
    async with an_agent(max_recipients="0") as agent:
        status = await agent.call("server_status")

    assert status["bounds"]["CIO_MAX_RECIPIENTS"] == "0"


async def test_bounds_that_are_not_set_are_not_told() -> None:
    async with an_agent() as agent:
        status = await agent.call("server_status")

    assert "caps" not in status or status["caps"] == []
    assert "CIO_MAX_RECIPIENTS" not in status["bounds"]


async def test_what_is_not_allowed_is_told_as_a_bound() -> None:
    async with an_agent(allow_bcc="false") as agent:
        status = await agent.call("server_status")

    assert status["bounds"]["CIO_ALLOW_BCC"] == "false"


@pytest.mark.parametrize(
    ("zone", "now"),
    [
        ("UTC", "2026-05-28T20:26:40Z"),
        ("Europe/Berlin", "2026-05-28T22:26:40+02:00"),
        ("Asia/Kolkata", "2026-05-29T01:56:40+05:30"),
    ],
)
async def test_the_time_of_day_is_told_in_the_time_zone_of_times_that_name_none(zone: str, now: str) -> None:
    async with an_agent(timezone=zone) as agent:
        status = await agent.call("server_status")

    assert (status["timezone"], status["now"]) == (zone, now)


@pytest.mark.anyio
async def test_a_tool_that_an_answer_names_and_that_is_off_is_told_with_its_toolset() -> None:
    async with an_agent(toolsets="content") as few, an_agent() as all_on:
        ends = []
        for agent in (few, all_on):
            failed = await agent.fail("get_content", kind="transactional", message_id="nothing")
            assert "list_transactional_messages has the ids" in failed
            ends.append(failed)
    async with an_agent(tools="trigger_broadcast") as agent:
        done = await agent.call("trigger_broadcast", broadcast_id=10, emails=["ada@example.com"])

    off = "(list_transactional_messages is off here"
    assert [off in end for end in ends] == [True, False]
    # What tells why is off too.
    assert done["next"].endswith(" is off here.)")
    assert "get_broadcast_trigger" in done["next"]

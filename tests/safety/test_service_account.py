"""A service account token (`sa_live_…`) opens sends alone, for one workspace."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cio_mcp.errors import SettingsError
from cio_mcp.settings import load
from cio_mcp.settings.workspaces import each
from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

TOKEN: dict[str, Any] = {"app_api_key": "sa_live_sandbox", "workspace_id": "1"}
EMAIL: dict[str, Any] = {"to": "ada@example.com", "customer_id": "u_1001", "transactional_message_id": 1}
PUSH: dict[str, Any] = {"channel": "push", "customer_id": "u_1001", "transactional_message_id": 3}


@pytest.fixture
async def sender() -> AsyncIterator[Agent]:
    """Provide an agent whose server has nothing but such a token."""
    async with an_agent(**TOKEN, site_id="", track_api_key="", confirm="preview") as agent:
        yield agent


async def listed(agent: Agent) -> set[str]:
    return {tool.name for tool in (await agent.client.list_tools()).tools}


async def test_only_tools_that_can_work_are_listed_and_status_says_why(sender: Agent) -> None:
    status = await sender.call("server_status")

    assert await listed(sender) == {"send_transactional_email", "send_transactional_message", "server_status"}
    no_track = "the Track API has no credentials: set CIO_SITE_ID and CIO_TRACK_API_KEY"
    assert len(status["off"]) < 5
    assert "events (3)" in status["off"][no_track]
    (sends_only,) = [why for why in status["off"] if "service account token, which can only send" in why]
    assert any(told.startswith("people (") for told in status["off"][sends_only])
    assert "sa_live" not in str(status)


async def test_a_message_leaves_with_the_id_of_its_workspace(sender: Agent) -> None:
    for tool, message in (
        ("send_transactional_email", EMAIL),
        ("send_transactional_message", PUSH),
    ):
        await sender.call(tool, **message)

        request = sender.wire.requests[-1]
        assert request.headers["x-workspace-id"] == "1"
        assert request.headers["authorization"] == "Bearer sa_live_sandbox"


async def test_a_dry_run_reads_nothing_that_the_token_does_not_open(sender: Agent) -> None:
    preview = await sender.call("send_transactional_email", **EMAIL, dry_run=True)

    assert preview["template"] == "transactional message 1"
    assert sender.sent == []


async def test_with_the_track_pair_beside_it_people_and_events_are_written_too() -> None:
    async with an_agent(**TOKEN) as agent:
        await agent.call("track_event", customer_id="u_1001", name="looked")
        assert "x-workspace-id" not in agent.wire.requests[-1].headers
        assert {"track_event", "send_transactional_email"} < await listed(agent)
        assert "get_customer" not in await listed(agent)


async def test_an_allow_list_lets_nobody_through_whose_address_cannot_be_looked_up() -> None:
    async with an_agent(**TOKEN, allowed_recipients="example.com, device:any") as agent:
        text = await agent.fail("send_transactional_message", **PUSH)
        by_email = {**PUSH, "customer_id": "ada@example.com", "id_type": "email"}
        await agent.call("send_transactional_message", **by_email)

    assert "addresses cannot be checked against CIO_ALLOWED_RECIPIENTS" in text
    assert agent.sent == ["POST /v1/send/push"]


async def test_a_token_that_does_not_open_says_what_to_look_at() -> None:
    async with an_agent(**TOKEN | {"workspace_id": "2"}) as agent:
        text = await agent.fail("send_transactional_email", **EMAIL)

    assert "CIO_WORKSPACE_ID must be the id of a workspace that it may send for" in text
    assert "no Track API key" not in text


async def test_an_unknown_outcome_names_no_tool_that_is_off(sender: Agent) -> None:
    sender.wire.fail(httpx.ReadTimeout)
    text = await sender.fail("send_transactional_email", **EMAIL)

    assert "before a person has checked" in text
    assert "list_customer_messages" not in text


def test_a_token_without_its_workspace_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="CIO_WORKSPACE_ID: is missing; CIO_APP_API_KEY is a service"):
        load({"CIO_APP_API_KEY": "sa_live_s3cret"})


def test_each_workspace_has_an_id_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "workspaces.toml"
    path.write_text('[shop]\napp_api_key = "sa_live_1"\nworkspace_id = 7\n[blog]\napp_api_key = "key"\n')
    found = each(load({"CIO_WORKSPACES_FILE": str(path)}))

    assert [found[name].workspace_id for name in ("shop", "blog")] == [7, None]

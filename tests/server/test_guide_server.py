"""Prompts, resources and resource templates, as a client gets them."""

import json
import re
from typing import Any

import pytest
from mcp import Client, MCPError

from cio_mcp.server.guide_server import NAMED
from cio_mcp.server.guides import PROMPTS, RESOURCES, TEMPLATES, Prompt, Resource
from cio_mcp.tools.every import TOOLS
from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

NAMES = {tool.name for tool in TOOLS}

# What is in backticks, looks like a tool and is something else.
NO_TOOLS = {"order_completed", "created_at", "cio_id", "not_sent"}


def client(agent: Agent) -> Client:
    return agent.client


async def read(agent: Agent, uri: str) -> str:
    (content,) = (await client(agent).read_resource(uri)).contents
    return str(content.text)  # type: ignore[union-attr]


async def written(agent: Agent, name: str, **arguments: str) -> str:
    (message,) = (await client(agent).get_prompt(name, arguments)).messages
    assert message.role == "user"
    return str(message.content.text)  # type: ignore[union-attr]


def some(prompt: Prompt) -> dict[str, str]:
    return {name: f"a value of {name}" for name, (_, required) in prompt.arguments.items() if required}


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_every_prompt_is_listed_with_its_arguments_and_can_be_had(mode: Any) -> None:
    async with an_agent(mode=mode) as agent:
        listed = (await client(agent).list_prompts()).prompts
        texts = {prompt.name: await written(agent, prompt.name, **some(prompt)) for prompt in PROMPTS}

    assert [prompt.name for prompt in listed] == [prompt.name for prompt in PROMPTS]
    for prompt in listed:
        assert prompt.description
        assert prompt.arguments
        assert all(argument.description for argument in prompt.arguments)
        for argument in prompt.arguments:
            assert (f"a value of {argument.name}" in texts[prompt.name]) == bool(argument.required)


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.name)
async def test_what_a_prompt_leads_through_are_tools_that_there_are(prompt: Prompt) -> None:
    async with an_agent() as agent:
        text = await written(agent, prompt.name, **dict.fromkeys(prompt.arguments, "x"))

    named = set(NAMED.findall(text)) - NO_TOOLS
    assert len(named) >= 3
    assert named <= NAMES
    assert "are off on this server" not in text
    assert len(text.encode()) < 3000


async def test_a_prompt_names_tools_as_they_are_named_here_and_those_that_are_off() -> None:
    async with an_agent(tool_prefix="cio_", permissions="read", toolsets="core") as agent:
        text = await written(agent, "check_broadcast", broadcast="10", audience="all")
        explains = await written(agent, "why_no_message", customer="u_1001")

    assert "`cio_list_broadcasts`" in text
    assert (
        "These tools are off on this server: cio_get_segment, cio_preview_message, cio_trigger_broadcast"
        in text
    )
    assert "list_broadcasts," not in text.partition("These tools are off")[2]
    assert "`cio_explain_no_message`" in explains
    assert "are off" not in explains


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("why_no_mesage", {}, "did you mean why_no_message?"),
        ("nothing", {}, "the prompts are plan_email_sequence,"),
        ("why_no_message", {}, "customer: is required"),
        ("why_no_message", {"customer": ""}, "customer: is required"),
        (
            "why_no_message",
            {"customer": "a", "mesage": "b"},
            "mesage: unknown argument; did you mean message?",
        ),
    ],
)
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_wrong_name_or_argument_of_a_prompt_is_named(
    mode: Any, name: str, arguments: dict[str, str], words: str
) -> None:
    async with an_agent(mode=mode) as agent:
        with pytest.raises(MCPError, match=re.escape(words)):
            await client(agent).get_prompt(name, arguments)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.title)
async def test_every_text_is_short_and_names_only_tools_that_there_are(resource: Resource) -> None:
    async with an_agent() as agent:
        listed = (await client(agent).list_resources()).resources
        text = await read(agent, resource.uri)

    assert resource.uri in [str(found.uri) for found in listed]
    assert text.startswith("# ")
    assert set(NAMED.findall(text)) - NO_TOOLS <= NAMES
    assert len(text.encode()) < 10_000


async def test_which_tool_for_what_lists_what_is_on() -> None:
    async with an_agent(permissions="read") as agent:
        text = await read(agent, "customerio://guide/tools")

    on = {tool.name for tool in TOOLS if tool.hints.read_only}
    assert set(NAMED.findall(text)) == on


async def test_every_way_a_call_can_end_badly_is_explained() -> None:
    async with an_agent() as agent:
        text = await read(agent, "customerio://guide/errors")

    assert all(f"`{outcome}`: " in text for outcome in ("not_sent", "refused", "unknown"))


@pytest.mark.parametrize(
    ("uri", "tool", "arguments"),
    [
        ("customerio://customers/u_1001", "get_customer", {"customer_id": "u_1001"}),
        (
            "customerio://customers/ada%40example.com?id_type=email",
            "get_customer",
            {"customer_id": "ada@example.com", "id_type": "email"},
        ),
        ("customerio://segments/3", "get_segment", {"segment_id": 3}),
        ("customerio://campaigns/1", "get_campaign", {"campaign_id": 1}),
    ],
)
async def test_a_thing_reads_as_its_tool_answers(uri: str, tool: str, arguments: dict[str, Any]) -> None:
    async with an_agent() as agent:
        templates = (await client(agent).list_resource_templates()).resource_templates
        told = json.loads(await read(agent, uri))
        answer = await agent.call(tool, **arguments)

    assert len(templates) == len(TEMPLATES)
    assert told == answer


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("customerio://customers/nobody", "404"),
        ("customerio://segments/x", "segment_id: "),
        ("customerio://customers/u_1001?idtype=email", "did you mean id_type?"),
        ("customerio://customers/", "There is no such resource"),
        ("customerio://customers/a/b", "There is no such resource"),
        ("customerio://guide/nothing", "There is no such resource"),
        ("file:///etc/passwd", "There is no such resource"),
    ],
)
async def test_what_cannot_be_read_says_why(uri: str, words: str) -> None:
    async with an_agent() as agent:
        with pytest.raises(MCPError, match=re.escape(words)):
            await read(agent, uri)


async def test_what_tools_may_not_read_resources_may_not_either() -> None:
    async with an_agent(permissions="write") as agent:
        templates = (await client(agent).list_resource_templates()).resource_templates
        with pytest.raises(MCPError, match="CIO_PERMISSIONS"):
            await read(agent, "customerio://customers/u_1001")

    assert templates == []


async def test_a_resource_hides_what_tools_hide() -> None:
    async with an_agent(pii="mask") as agent:
        text = await read(agent, "customerio://customers/u_1001")

    assert "ada@example.com" not in text
    assert "masked.invalid" in text

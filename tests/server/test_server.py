"""The MCP server: what is listed, how calls are checked, how failures are told."""

import json
import logging
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS

from cio_mcp import __version__
from cio_mcp.app.build import build
from cio_mcp.client import AppApi, RequestKind, TrackApi
from cio_mcp.errors import SettingsError
from cio_mcp.server.server import Server, facts
from cio_mcp.settings import load
from cio_mcp.toolkit.registry import Effect
from cio_mcp.tools.every import TOOLS
from tests.agent import Agent, Clock, an_agent
from tests.test_outcomes import ACTS

pytestmark = pytest.mark.anyio

TRACK = {"CIO_SITE_ID": "site-s3cret", "CIO_TRACK_API_KEY": "track-s3cret"}
APP = {"CIO_APP_API_KEY": "app-s3cret"}
TRACK_TOOLS = {tool.name for tool in TOOLS if TrackApi in tool.apis} | {"list_row_results"}
APP_TOOLS = {tool.name for tool in TOOLS if any(issubclass(api, AppApi) for api in tool.apis)}
OTHERS = {tool.name for tool in TOOLS if not tool.apis} - {"list_row_results"}


async def test_every_tool_is_listed_with_the_schema_of_its_answers(agent: Agent) -> None:
    listed = (await agent.client.list_tools()).tools

    assert {tool.name: tool.output_schema for tool in listed} == {
        tool.name: tool.output_schema for tool in TOOLS
    }


# Words of Customer.io's pages beside those of its API.
WORDS = {"campaign": "automation", "newsletter": "one-time send", "customer": "profile"}


async def test_a_tool_is_found_by_the_word_of_the_api_and_by_that_of_customer_ios_pages(agent: Agent) -> None:
    listed = {tool.name: tool.description or "" for tool in (await agent.client.list_tools()).tools}
    acting = {f"{verb}_customer" for verb in ("identify", "get", "search", "delete", "suppress", "merge")}
    lacking = [
        (name, word)
        for name, text in listed.items()
        for word, other in WORDS.items()
        if word in name and other not in text and (word != "customer" or name.removesuffix("s") in acting)
    ]

    assert lacking == [("identify_customers", "customer")]  # found beside identify_customer
    assert all(f"{other} for {word}" in (agent.client.instructions or "") for word, other in WORDS.items())


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (TRACK, TRACK_TOOLS - APP_TOOLS),
        (APP, APP_TOOLS - TRACK_TOOLS),
        (TRACK | APP, TRACK_TOOLS | APP_TOOLS),
    ],
)
async def test_only_tools_that_can_work_with_the_credentials_are_listed(
    keys: dict[str, str], names: set[str]
) -> None:
    app = build(load(keys | {"CIO_TOOLSETS": "all"}))
    async with Client(Server(app)) as client:
        listed = (await client.list_tools()).tools
    await app.aclose()

    assert {tool.name for tool in listed} == names | OTHERS


async def test_a_tool_that_is_off_says_which_setting_turns_it_on() -> None:
    app = build(load(TRACK))
    async with Client(Server(app)) as client:
        result = await client.call_tool("get_customer", {"customer_id": "1"})
        instructions = client.instructions or ""
    await app.aclose()

    assert result.is_error
    assert "CIO_APP_API_KEY" in str(result.content)
    assert "CIO_APP_API_KEY" in instructions


def test_half_a_pair_of_credentials_stops_the_start_and_names_the_missing_half() -> None:
    with pytest.raises(SettingsError, match=r"^CIO_TRACK_API_KEY: is missing"):
        load({"CIO_SITE_ID": "site"})


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_the_server_introduces_itself_in_both_eras_of_the_protocol(mode: str) -> None:
    app = build(load({}))
    async with Client(Server(app), mode=mode) as client:
        result = await client.call_tool("get_customer", {"customer_id": "u_1001"})
        if mode == "legacy":
            assert client.server_info is not None
            assert (client.server_info.name, client.server_info.version) == ("cio-mcp", __version__)
    await app.aclose()

    assert not result.is_error


@pytest.mark.parametrize("environ", [{}, TRACK, APP, TRACK | APP])
async def test_the_instructions_are_short_and_say_what_must_be_known(environ: dict[str, str]) -> None:
    app = build(load(environ))
    instructions = Server(app).instructions or ""
    await app.aclose()

    assert len(instructions) <= 1300
    assert '"accepted" does not mean applied' in instructions
    assert ("sandbox" in instructions) == (not environ)
    assert ("live workspace" in instructions) == bool(environ)


async def test_hints_follow_from_what_a_tool_does_to_the_world(agent: Agent) -> None:
    hints = {
        tool.name: (tool.annotations.read_only_hint, tool.annotations.destructive_hint)
        for tool in (await agent.client.list_tools()).tools
        if tool.annotations
    }

    assert hints["get_customer"] == (True, False)
    assert hints["identify_customer"] == (False, False)
    assert hints["delete_customer"] == (False, True)
    assert hints["trigger_broadcast"] == (False, True)


def untyped(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the properties, at any depth, that do not say what they are."""
    for name, property_ in schema.get("properties", {}).items():
        if not {"type", "anyOf", "enum", "const"} & property_.keys():
            yield name
        yield from untyped(property_)


@cache
def check_piece(text: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(text))


def check_schema(schema: dict[str, Any]) -> None:
    """Check a schema, and those of its properties by themselves: many tools have the same."""
    properties = schema.get("properties", {})
    check_piece(json.dumps(schema | {"properties": {name: {} for name in properties}}))
    for property_ in properties.values():
        check_schema(property_)


@pytest.mark.repeating
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_is_described_completely(tool: Any) -> None:
    assert len(tool.name) <= 30
    assert tool.description
    for schema in (tool.input_schema, tool.output_schema):
        check_schema(schema)
        assert schema["type"] == "object"
        text = json.dumps(schema)
        assert not any(word in text for word in ("$ref", "$defs", '"title": "', '"null"'))
        assert not {"anyOf", "oneOf", "allOf"} & schema.keys()
        assert not list(untyped(schema)), "hosts warn of a property that takes anything"
    assert tool.input_schema["additionalProperties"] is False
    assert ("dry_run" in tool.input_schema["properties"]) == (tool.effect != "reads")


@pytest.mark.parametrize(
    ("tool", "arguments", "fault"),
    [
        ("list_campaigns", {"limt": 5}, "limt: unknown argument; did you mean limit?"),
        (
            "get_customer",
            {"customer_id": "1", "xyz": 1},
            "xyz: unknown argument; the arguments are customer_id, id_type, fields",
        ),
        ("get_customer", {}, "customer_id: is required"),
        ("get_customer", {"customer_id": None}, "customer_id: "),
        ("get_customer", {"customer_id": {}}, "customer_id: "),
        ("get_customer", {"customer_id": "\ud800"}, "must be valid Unicode"),
        (
            "track_event",
            {"customer_id": "1", "name": "a", "data": '{"n": NaN}'},
            "JSON has no NaN and no infinity",
        ),
    ],
)
async def test_a_bad_call_is_answered_with_a_line_per_fault(
    agent: Agent, tool: str, arguments: dict[str, Any], fault: str
) -> None:
    text = await agent.fail(tool, **arguments)

    assert fault in text
    assert "pydantic" not in text
    assert agent.sent == []


async def test_every_fault_of_a_call_has_its_line(agent: Agent) -> None:
    text = await agent.fail("list_campaigns", limt=5, stat="draft", limit=0)

    assert len(text.splitlines()) == 4


async def test_a_null_counts_as_absent_where_an_argument_may_be_absent(agent: Agent) -> None:
    answer = await agent.call("get_customer", customer_id="u_1001", id_type=None, fields=None)

    assert answer["id"] == "u_1001"


async def test_free_text_that_looks_like_json_stays_text(agent: Agent) -> None:
    await agent.call("track_event", customer_id="user_123", name='["a"]')

    assert json.loads(agent.wire.requests[0].content)["name"] == '["a"]'


async def test_an_unknown_tool_is_answered_with_the_nearest_name(agent: Agent) -> None:
    assert "did you mean get_customer?" in await agent.fail("get_costumer")
    assert "tools/list" in await agent.fail("zzz")


async def test_a_prefix_stands_before_every_name() -> None:
    async with an_agent(tool_prefix="cio_") as agent:
        listed = (await agent.client.list_tools()).tools
        answer = await agent.call("cio_get_customer", customer_id="u_1001")

    assert all(tool.name.startswith("cio_") for tool in listed)
    assert answer["id"] == "u_1001"


@pytest.mark.repeating
@pytest.mark.parametrize("prefix", ["cio_", "a-", "X1"])
async def test_whatever_is_said_names_tools_with_their_prefix(prefix: str, tmp_path: Path) -> None:
    file = tmp_path / "templates.toml"
    file.write_text(
        "generic_sends = false\n[send_2fa]\ntransactional_message = 1\n"
        "[send_2fa.arguments]\nto = {}\ncustomer_id = {}\n"
    )
    async with an_agent(tool_prefix=prefix, templates=str(file)) as agent:
        told = [
            await agent.fail(f"{prefix}send_transactional_email", to="a@example.com", customer_id="u_1001"),
            await agent.fail(f"{prefix}get_customer", customer_id="u_9999"),
            str(
                await agent.call(f"{prefix}send_2fa", to="a@example.com", customer_id="u_1001", dry_run=True)
            ),
            *(str(tool.model_dump()) for tool in (await agent.client.list_tools()).tools),
            agent.client.instructions or "",
        ]

    assert f"send with {prefix}send_2fa" in told[0]
    assert f"{prefix}{prefix}" not in "".join(told)
    bare = rf"(?<![\w-])(?:{'|'.join(tool.name for tool in TOOLS)})\b"
    assert [text for text in told if re.search(bare, text)] == []


# What deletes comes last, so that the others find whom they are about.
CALLS = {
    tool.name: ACTS[tool.name].arguments
    for tool in sorted(TOOLS, key=lambda tool: tool.effect is Effect.DELETES)
    if tool.effect is not Effect.READS
}


DONE = {
    *("accepted", "added", "created", "deleted", "kept", "linked", "published", "queued", "set", "triggered"),
    "updated",
}


@pytest.mark.parametrize(("tool", "arguments"), CALLS.items(), ids=list(CALLS))
async def test_a_dry_run_shows_the_request_that_the_call_sends_and_sends_nothing(
    agent: Agent, tool: str, arguments: dict[str, Any]
) -> None:
    await ACTS[tool].prepare(agent)
    preview = await agent.call(tool, **arguments, dry_run=True)
    assert all(sent.startswith(("GET", "POST /v1/customers")) for sent in agent.sent)
    agent.wire.requests.clear()
    answer = await agent.call(tool, **arguments)

    *reads, request = agent.wire.requests
    assert all(read.method == "GET" for read in reads)
    shown = preview["request"]
    body = json.loads(request.content) if request.content else None
    if body and "/events" in request.url.path:
        shown["body"]["id"] = body["id"]  # each call makes an event id of its own
    assert preview["outcome"] == "preview"
    content = {"body": body} if request.content else {}
    assert shown == {"method": request.method, "url": str(request.url)} | content
    assert agent.wire.sandbox.credentials.app_api_key not in str(preview)
    assert answer["outcome"] in DONE


async def test_in_the_sandbox_every_answer_of_a_tool_that_acts_says_so() -> None:
    app = build(load({"CIO_CONFIRM": "off", "CIO_TOOLSETS": "all"}), clock=Clock())
    async with Client(Server(app)) as client:
        for tool, arguments in CALLS.items():
            if first := ACTS[tool].first:
                await client.call_tool(*first)
            result = await client.call_tool(tool, arguments)
            assert (result.structured_content or {}).get("sandbox") is True, (tool, result.content)
    await app.aclose()


async def test_credentials_are_left_aside_when_the_sandbox_is_asked_for() -> None:
    app = build(load(TRACK | APP | {"CIO_SANDBOX": "on"}))
    async with Client(Server(app)) as client:
        result = await client.call_tool("get_customer", {"customer_id": "u_1001"})
    await app.aclose()

    assert not result.is_error


@pytest.mark.repeating
async def test_answers_keep_to_their_output_schema(agent: Agent) -> None:
    schemas = {tool.name: tool.output_schema for tool in (await agent.client.list_tools()).tools}

    for tool, act in sorted(ACTS.items(), key=lambda entry: entry[1].kind is not RequestKind.READ):
        answer = await agent.call(tool, **act.on(agent.wire.sandbox))
        schema: dict[str, Any] = schemas[tool] or {}
        jsonschema.validate(answer, schema)
        assert set(answer) <= set(schema["properties"])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(400, json={"meta": {"error": "name cannot be blank"}}), "name cannot be blank"),
        (httpx.Response(400, json={"meta": {"errors": ["one", "two"]}}), "one; two"),
        (
            httpx.Response(404, json={"errors": [{"detail": "no such thing", "status": "404"}]}),
            "no such thing",
        ),
        (
            httpx.Response(422, json={"errors": [{"detail": "bad", "source": {"pointer": "/data/emails"}}]}),
            "/data/emails: bad",
        ),
        (httpx.Response(400, json={"errors": [{"reason": "r", "field": "f", "message": "m"}]}), "f: m"),
        (httpx.Response(403, text="<html><title>Blocked</title></html>"), "Blocked"),
        (httpx.Response(403, text="go away"), "go away"),
        (httpx.Response(405), "no reason given"),
        (httpx.Response(401, json={"meta": {"error": "Unauthorized"}}), "CIO_REGION=eu"),
    ],
)
async def test_every_error_envelope_reaches_the_agent_as_a_clear_flagged_error(
    answer: httpx.Response, words: str
) -> None:
    app = build(load(APP), wire=httpx.MockTransport(lambda _: answer))
    async with Client(Server(app)) as client:
        result = await client.call_tool("list_campaigns", {})
    await app.aclose()

    assert result.is_error
    assert words in str(result.content)
    assert facts(result)["status"] == answer.status_code


async def test_a_fault_of_our_own_is_told_without_its_words_and_logged_with_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise ZeroDivisionError(f"s3cret personal data of {request.url}")

    app = build(load(APP), wire=Broken())
    async with Client(Server(app)) as client:
        result = await client.call_tool("list_campaigns", {})
    await app.aclose()

    assert result.is_error
    assert "s3cret" not in str(result) + caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "handle_async_request" in caplog.text


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=12, max_size=40))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_neither_keys_nor_arguments_of_a_failed_call_show_up_in_logs(
    caplog: pytest.LogCaptureFixture, value: str
) -> None:
    # Hypothesis also draws words from our sources, and the name of a tool that is called is no argument.
    assume(all(value not in tool.name for tool in TOOLS))
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    statuses = iter([401, 404, 422, 400])
    echo = httpx.MockTransport(
        lambda request: httpx.Response(
            next(statuses), json={"meta": {"error": f"{request.content!r} is wrong"}}
        )
    )
    app = build(load(TRACK | APP), wire=echo)
    async with Client(Server(app)) as client:
        for tool, arguments in (
            ("identify_customer", {"customer_id": value, "attributes": {"note": value}}),
            ("get_customer", {"customer_id": value}),
            (
                "send_transactional_email",
                {"customer_id": value, "to": value, "transactional_message_id": value},
            ),
            ("track_event", {"customer_id": value, "name": value}),
            ("track_event", {"customer_id": value, "nmae": value}),
            ("list_campaigns", {"limit": value}),
        ):
            assert (await client.call_tool(tool, arguments)).is_error
    await app.aclose()

    ours = [record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG]
    assert not any(value in line or "s3cret" in line for line in ours)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_prompt_that_there_is_not_is_a_wrong_argument_and_no_fault_of_the_server(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with an_agent(mode=mode) as agent:
        with pytest.raises(MCPError, match="greeting: there is no such prompt") as refused:
            await agent.client.get_prompt("greeting")

    assert refused.value.code == INVALID_PARAMS
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

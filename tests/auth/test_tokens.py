"""Who may call over HTTP, and what is left for them."""

import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from cio_mcp.auth.tokens import MARK, Tokens, add, read_tokens
from cio_mcp.cli import main
from cio_mcp.safety.grant import Grant
from cio_mcp.server.server import facts
from cio_mcp.settings.scopes import TokenSettings
from cio_mcp.toolkit.core import CORE
from cio_mcp.tools.every import SANDBOX_TOOLS, TOOLS
from tests.transports.test_transports import Served, serving

pytestmark = [pytest.mark.anyio, pytest.mark.processes]

EMAIL = {
    "customer_id": "u_1001",
    "transactional_message_id": 1,
    "to": "ada@example.com",
    "allow_missing": True,
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens") / "tokens.json"


@pytest.fixture(scope="module")
def tokens(file: Path) -> dict[str, str]:
    grants = [
        Grant(name="all"),
        Grant(name="reader", permissions=("read",)),
        Grant(name="mailer", permissions=("read", "send"), tools=("send_*",), max_sends_per_hour=2),
        Grant(name="wrong", toolsets=("no_such_toolset",)),
        Grant(name="empty", tools=()),
        Grant(name="revoked"),
    ]
    return {grant.name: add(file, grant) for grant in grants}


@pytest.fixture(scope="module")
def served(file: Path, tokens: dict[str, str]) -> Iterator[Served]:
    assert tokens
    with serving("--host", "127.0.0.1", CIO_TOKENS_FILE=str(file)) as found:
        yield found


@asynccontextmanager
async def calling(
    served: Served, token: str, transport: str = "http", mode: str = "2026-07-28", **headers: str
) -> AsyncIterator[Client]:
    """Connect as the holder of a token."""
    headers = {"authorization": f"Bearer {token}"} | headers
    if transport == "sse":
        async with Client(sse_client(f"{served.url}/sse", headers=headers), mode=mode) as client:
            yield client
        return
    async with httpx2.AsyncClient(headers=headers, verify=False) as http:
        way = streamable_http_client(f"{served.url}/mcp", http_client=http)
        async with Client(way, mode=mode) as client:
            yield client


WAYS = [(transport, mode) for transport in ("sse", "http") for mode in ("legacy", "2026-07-28")]


async def see_that_one_only_reads(
    served: Served, reads: str, does_all: str, transport: str, mode: str
) -> None:
    """Check what the holders of two tokens have listed, and what the one who reads can call."""
    async with calling(served, reads, transport, mode) as reader:
        listed = {tool.name for tool in (await reader.list_tools()).tools}
        read = await reader.call_tool("get_customer", {"customer_id": "u_1001"})
        written = await reader.call_tool("identify_customer", {"customer_id": "u_1001"})
    async with calling(served, does_all, transport, mode) as everything:
        more = {tool.name for tool in (await everything.list_tools()).tools}

    assert "get_customer" in listed
    assert not {"identify_customer", "trigger_broadcast", "delete_customer"} & listed
    assert {"identify_customer", "trigger_broadcast", "delete_customer"} <= more
    assert not read.is_error
    assert "is off for this caller" in str(written.content)


@pytest.mark.parametrize(("transport", "mode"), WAYS)
async def test_a_token_narrows_what_is_listed_and_what_can_be_called(
    served: Served, tokens: dict[str, str], transport: str, mode: str
) -> None:
    await see_that_one_only_reads(served, tokens["reader"], tokens["all"], transport, mode)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_header_can_narrow_further_and_never_widen(
    served: Served, tokens: dict[str, str], mode: str
) -> None:
    narrow = {"x-cio-permissions": "read,write,delete,send", "x-cio-tools": "get_*,identify_customer"}
    async with calling(served, tokens["reader"], "http", mode, **narrow) as reader:
        listed = {tool.name for tool in (await reader.list_tools()).tools}

    assert listed == {"get_customer", "get_campaign_metrics", "get_broadcast_trigger", "get_content"}


@pytest.mark.parametrize("header", ["permissions", "toolsets", "tools", "workspaces"])
async def test_an_empty_header_leaves_nothing(served: Served, tokens: dict[str, str], header: str) -> None:
    async with calling(served, tokens["all"], **{f"x-cio-{header}": ""}) as client:
        listed = (await client.list_tools()).tools
        called = await client.call_tool("get_customer", {"customer_id": "u_1001"})

    assert listed == []
    assert called.is_error


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ([("x-cio-permissions", "read, raed")], "x-cio-permissions: raed is unknown; choose from delete, "),
        ([("x-cio-toolsets", "poeple")], "x-cio-toolsets: poeple is unknown; choose from all, "),
        ([("x-cio-tools", "-get_nothing")], "x-cio-tools: no tool is named get_nothing"),
        ([("x-cio-workspaces", "blog")], "x-cio-workspaces: there is no blog for this caller"),
        ([("x-cio-tools", ",")], "x-cio-tools: names nothing"),
        ([("x-cio-tools", "get_*"), ("x-cio-tools", "*")], "x-cio-tools: is given twice"),
        ([("x-cio-tool", "get_*")], "x-cio-tool: there is no such header; did you mean x-cio-tools?"),
        ([("x_cio_tools", "get_*")], "x_cio_tools: there is no such header; did you mean x-cio-tools?"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/mcp"), ("GET", "/sse"), ("POST", "/messages/")])
async def test_a_header_that_makes_no_sense_is_answered_400_with_what_is_wrong(
    served: Served,
    tokens: dict[str, str],
    method: str,
    path: str,
    headers: list[tuple[str, str]],
    words: str,
) -> None:
    known = ("authorization", f"Bearer {tokens['all']}")
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=served.url) as http:
        answer = await http.request(method, path, headers=[known, *headers], json={})
        stranger = await http.request(method, path, headers=headers, json={})

    assert answer.status_code == 400
    assert answer.json()["error_description"].startswith(words)
    assert stranger.status_code == 401


async def test_headers_of_others_are_passed_over(served: Served, tokens: dict[str, str]) -> None:
    theirs = {"x-cio-signature": "abc", "x-cio-timestamp": "1"}
    async with calling(served, tokens["all"], **theirs) as client:
        assert (await client.list_tools()).tools


async def test_core_and_left_out_toolsets_mean_for_tokens_and_headers_what_they_mean_as_a_setting(
    tmp_path: Path,
) -> None:
    file = tmp_path / "tokens.json"
    grants = [
        Grant(name="all"),
        Grant(name="core", toolsets=("core",)),
        Grant(name="less", toolsets=("-people",)),
    ]
    tokens = {grant.name: add(file, grant) for grant in grants}
    with serving(CIO_TOKENS_FILE=str(file), CIO_TOOLSETS="all") as found:

        async def listed(name: str, **headers: str) -> set[str]:
            async with calling(found, tokens[name], **headers) as client:
                return {tool.name for tool in (await client.list_tools()).tools}

        core = await listed("core"), await listed("all", **{"x-cio-toolsets": "core"})
        less = await listed("less"), await listed("all", **{"x-cio-toolsets": "-people"})

    assert core == (set(CORE), set(CORE))
    assert less[0] == less[1] == {tool.name for tool in (*TOOLS, *SANDBOX_TOOLS) if tool.toolset != "people"}


async def test_a_grant_that_makes_no_sense_leaves_nothing(served: Served, tokens: dict[str, str]) -> None:
    async with calling(served, tokens["wrong"]) as client:
        assert (await client.list_tools()).tools == []
        result = await client.call_tool("list_campaigns", {})

    assert "no_such_toolset" in str(result.content)


async def test_a_grant_whose_list_is_empty_leaves_nothing(served: Served, tokens: dict[str, str]) -> None:
    async with calling(served, tokens["empty"]) as client:
        assert (await client.list_tools()).tools == []


async def test_a_callers_own_cap_holds_for_that_caller(served: Served, tokens: dict[str, str]) -> None:
    async with calling(served, tokens["mailer"]) as mailer, calling(served, tokens["all"]) as everything:
        ends = [await mailer.call_tool("send_transactional_email", EMAIL) for _ in range(3)]
        other = await everything.call_tool("send_transactional_email", EMAIL)

    assert [end.is_error for end in ends] == [False, False, True]
    assert "CIO_MAX_SENDS_PER_HOUR=2" in str(ends[-1].content)
    assert not other.is_error


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic eDp4"}, {"authorization": ""}]
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/mcp"), ("GET", "/sse"), ("POST", "/messages/")])
async def test_who_has_no_token_does_not_come_in(
    served: Served, headers: dict[str, str], method: str, path: str
) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=served.url) as http:
        answer = await http.request(method, path, headers=headers, json={})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["error"] == "invalid_token"


async def test_a_session_belongs_to_the_token_that_began_it(served: Served, tokens: dict[str, str]) -> None:
    def headers(name: str, **more: str) -> dict[str, str]:
        accept = {"accept": "application/json, text/event-stream"}
        return {"authorization": f"Bearer {tokens[name]}"} | accept | more

    client = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=served.url) as http:
        begun = await http.post("/mcp", json=hello, headers=headers("all"))
        session = {"mcp-session-id": begun.headers["mcp-session-id"]}
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        stolen = await http.post("/mcp", json=listing, headers=headers("reader", **session))

    assert begun.status_code == 200
    assert stolen.status_code == 404


async def test_a_token_that_is_revoked_does_not_hold_in_a_session_that_runs(
    served: Served, tokens: dict[str, str], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with calling(served, tokens["revoked"], "sse", "legacy") as client:
        before = await client.call_tool("list_campaigns", {})
        assert main(["token", "--file", str(file), "revoke", "revoked"]) == 0
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        after = await http.post(
            f"{served.url}/mcp", json={}, headers={"authorization": f"Bearer {tokens['revoked']}"}
        )

    assert not before.is_error
    assert after.status_code == 401
    assert "revoked" in capsys.readouterr().out


def test_the_command_line_makes_lists_and_revokes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tokens.json"
    monkeypatch.setenv("CIO_TOKENS_FILE", str(file))
    narrow = [
        "--permissions",
        "read, send",
        "--max-sends-per-day",
        "50",
        "--rate-share",
        "0.5",
        "--days",
        "30",
    ]

    assert main(["token", "add", "nightly", *narrow]) == 0
    token = capsys.readouterr().out.strip()
    assert token.startswith(MARK)
    assert token not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600 or sys.platform == "win32"
    grant = Tokens(file, time.time).find(token)
    assert grant is not None
    assert (grant.permissions, grant.max_sends_per_day, grant.rate_share) == (("read", "send"), 50, 0.5)

    assert main(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert "nightly" in listed
    assert "permissions=read+send" in listed
    assert token not in listed
    assert main(["token", "revoke", "nightly"]) == 0
    assert Tokens(file, time.time).find(token) is None


@pytest.mark.parametrize("days", ["nan", "inf", "0", "-1", "1e9", "soon"])
def test_days_that_are_no_time_ahead_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], days: str
) -> None:
    file = tmp_path / "tokens.json"
    with pytest.raises(SystemExit, match="2"):
        main(["token", "--file", str(file), "add", "nightly", f"--days={days}"])

    assert "--days: must be a number of days above 0" in capsys.readouterr().err
    assert not file.exists()


WORDS = {"permissions": "read", "toolsets": "core", "tools": "get_*"}


@pytest.mark.parametrize("name", TokenSettings.model_fields)
def test_every_setting_that_holds_for_a_token_is_an_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    option, value = f"--{name.replace('_', '-')}", WORDS.get(name, "1")
    assert main(["token", "--file", str(tmp_path / "tokens.json"), "add", "one", option, value]) == 0
    capsys.readouterr()

    assert main(["token", "--file", str(tmp_path / "tokens.json"), "list"]) == 0
    assert f"{name}={value}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "one"], "there is a token of that name"),
        (["add", "two words"], "name: "),
        (["add", "two", "--permissions", "raed"], "--permissions: raed is unknown"),
        (["add", "two", "--toolsets", "poeple"], "--toolsets: poeple is unknown"),
        (["add", "two", "--tools", ""], "--tools: names nothing"),
        (["add", "two", "--workspaces", ","], "--workspaces: names nothing"),
        (["add", "two", "--rate-share", "2"], "--rate-share: "),
        (["add", "two", "--max-recipients", "many"], "--max-recipients: "),
        (["revoke", "nobody"], "there is no token of that name"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_the_file_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    file = tmp_path / "tokens.json"
    add(file, Grant(name="one"))
    before = file.read_text()

    assert main(["token", "--file", str(file), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert file.read_text() == before


def test_a_token_expires_and_a_file_that_turns_wrong_lets_nobody_in(tmp_path: Path) -> None:
    file, now = tmp_path / "tokens.json", 1_800_000_000.0
    clock = [now]
    soon = Grant.model_validate({"name": "soon", "expires": "2027-01-15T08:00:01Z"})
    token = add(file, soon)
    tokens = Tokens(file, lambda: clock[0])

    assert tokens.find(token) is not None
    clock[0] += 2
    assert tokens.find(token) is None

    other = add(file, Grant(name="other"))
    assert tokens.find(other) is not None
    whole = file.read_text()
    file.write_text(whole[:-20])
    assert tokens.find(other) is None
    file.write_text(whole)
    os.utime(file, ns=(1, 1))
    assert tokens.find(other) is not None
    assert [entry.name for entry in read_tokens(file)] == ["soon", "other"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ('{"tokens": [{"name": "a"}]}', "tokens.0.sha256: Field required"),
        ('{"tokens": [{"name": "a", "sha256": "x", "permisions": []}]}', "tokens.0."),
    ],
)
def test_a_wrong_file_stops_the_start_and_says_where_it_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    (tmp_path / "tokens.json").write_text(text)
    monkeypatch.setenv("CIO_TOKENS_FILE", str(tmp_path / "tokens.json"))

    assert main(["serve", "--port", "0"]) == 2
    assert words in capsys.readouterr().err


async def test_what_a_caller_is_told_holds_no_token(served: Served, tokens: dict[str, str]) -> None:
    async with calling(served, tokens["all"]) as client:
        result: Any = await client.call_tool("server_status", {})

    assert facts(result)["environment"] == "sandbox"
    assert not any(token in str(result) for token in tokens.values())

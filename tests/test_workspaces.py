"""Several workspaces in one server: what differs for each, and who may use which."""

import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client

from cio_mcp.app.build import build
from cio_mcp.app.workspace import state_key
from cio_mcp.auth.tokens import add
from cio_mcp.cli import main
from cio_mcp.errors import SettingsError
from cio_mcp.safety.audit.verify import lines, verify
from cio_mcp.safety.grant import Grant
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from cio_mcp.settings.workspaces import each
from cio_mcp.toolkit.registry import Tool
from cio_mcp.tools.every import TOOLS
from cio_mcp.transports.http.health import Health
from cio_mcp.transports.http.metrics import exposition
from tests.agent import Caller
from tests.auth.test_tokens import WAYS, calling
from tests.transports.test_transports import serving

pytestmark = [pytest.mark.anyio, pytest.mark.real_time]

TWO = """
[shop]
sandbox = "on"

[blog]
sandbox = "on"
permissions = ["read", "write"]
max_sends_per_hour = 3
"""

ADA: dict[str, Any] = {"customer_id": "u_1001"}
EMAIL: dict[str, Any] = {**ADA, "to": "ada@example.com", "transactional_message_id": 1}


def written(folder: Path, text: str) -> dict[str, str]:
    path = folder / "workspaces.toml"
    path.write_text(text)
    return {"CIO_WORKSPACES_FILE": str(path)}


class Several(Caller):
    """An agent at a server of several workspaces, as the holder of a grant."""

    async def schemas(self) -> dict[str, dict[str, Any]]:
        return {tool.name: tool.input_schema for tool in (await self.client.list_tools()).tools}


@asynccontextmanager
async def at(environ: dict[str, str], wire: httpx.AsyncBaseTransport | None = None) -> Any:
    app = build(load(environ), wire=wire)
    try:
        async with Client(Server(app)) as client:
            yield Several(client)
    finally:
        await app.aclose()


async def test_each_call_names_its_workspace_and_acts_there_alone(tmp_path: Path) -> None:
    async with at(written(tmp_path, TWO)) as agent:
        told = await agent.call(
            "identify_customer", workspace="blog", customer_id="new", email="n@example.com"
        )
        there = await agent.call("get_customer", workspace="blog", customer_id="new")
        elsewhere = await agent.fail("get_customer", workspace="shop", customer_id="new")

    assert told["workspace"] == there["workspace"] == "blog"
    assert "404" in elsewhere


async def test_a_call_that_does_not_say_where_is_refused_with_the_names(tmp_path: Path) -> None:
    async with at(written(tmp_path, TWO)) as agent:
        assert "workspace: is required; choose from shop, blog" in await agent.fail("get_customer", **ADA)
        text = await agent.fail("get_customer", workspace="shops", **ADA)
        schemas = await agent.schemas()
        instructions = agent.client.instructions or ""

    assert "workspace: is unknown to this caller; choose from shop, blog" in text
    assert schemas["get_customer"]["properties"]["workspace"]["enum"] == ["shop", "blog"]
    assert schemas["get_customer"]["required"] == ["workspace", "customer_id"]
    assert "several workspaces" in instructions


async def test_each_workspace_has_its_own_bounds(tmp_path: Path) -> None:
    environ = written(tmp_path, TWO) | {"CIO_MAX_SENDS_PER_HOUR": "1"}
    async with at(environ) as agent:
        schemas = await agent.schemas()
        refused = await agent.fail("delete_customer", workspace="blog", **ADA)
        shop = await agent.call("server_status", workspace="shop")
        blog = await agent.call("server_status", workspace="blog")
        await agent.call("send_transactional_email", workspace="shop", **EMAIL)
        full = await agent.fail("send_transactional_email", workspace="shop", **EMAIL)

    assert schemas["delete_customer"]["properties"]["workspace"]["enum"] == ["shop"]
    assert "CIO_PERMISSIONS does not permit" in refused
    assert [cap["most"] for cap in shop["caps"]] == [1]
    assert [cap["most"] for cap in blog["caps"]] == [3]
    assert "CIO_MAX_SENDS_PER_HOUR" in full


async def test_a_preview_and_its_code_are_of_one_workspace(tmp_path: Path) -> None:
    both = written(tmp_path, '[shop]\nsandbox = "on"\n[blog]\nsandbox = "on"\n')
    async with at(both) as agent:
        preview = await agent.call("delete_customer", workspace="shop", **ADA)
        code = {"confirmation": preview["confirmation"]}
        refused = await agent.fail("delete_customer", workspace="blog", **ADA, **code)
        await agent.call("get_customer", workspace="blog", **ADA)
        code = {
            "confirmation": (await agent.call("delete_customer", workspace="shop", **ADA))["confirmation"]
        }
        done = await agent.call("delete_customer", workspace="shop", **ADA, **code)

    assert preview["workspace"] == "shop"
    assert "code" in refused
    assert done["outcome"] == "accepted"


@pytest.mark.processes
@pytest.mark.parametrize(("transport", "mode"), WAYS)
async def test_whose_token_is_tied_to_one_workspace_has_it_without_asking(
    tmp_path: Path, transport: str, mode: str
) -> None:
    file = tmp_path / "tokens.json"
    tied = add(file, Grant(name="tied", workspaces=("blog",)))
    lost = add(file, Grant(name="lost", workspaces=("gone",)))
    free = add(file, Grant(name="free"))
    with serving(CIO_SANDBOX="", CIO_TOKENS_FILE=str(file), **written(tmp_path, TWO)) as served:
        async with calling(served, tied, transport, mode) as client:
            agent = Several(client)
            schemas = await agent.schemas()
            told = await agent.call("get_customer", **ADA)
            text = await agent.fail("get_customer", workspace="shop", **ADA)
        async with calling(served, lost, transport, mode) as client:
            nothing = await Several(client).schemas()
            off = await Several(client).fail("get_customer", **ADA)
        async with calling(served, free, transport, mode, **{"x-cio-workspaces": "shop"}) as client:
            narrowed = await Several(client).call("get_customer", **ADA)
        wanted = {"authorization": f"Bearer {tied}", "x-cio-workspaces": "shop"}
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            refused = await http.post(f"{served.url}/mcp", headers=wanted, json={})

    assert "workspace" not in schemas["get_customer"]["properties"]
    assert "delete_customer" not in schemas
    assert told["workspace"] == "blog"
    assert text.endswith("workspace: is unknown to this caller; choose from blog")
    assert nothing == {}
    assert "lost may not use any workspace" in off
    assert narrowed["workspace"] == "shop"
    assert refused.status_code == 400
    assert refused.json()["error_description"].endswith("no shop for this caller; there are blog")


async def test_each_workspace_is_opened_by_its_own_keys_in_its_own_region(tmp_path: Path) -> None:
    seen: dict[str, str] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        seen[request.url.host] = request.headers["authorization"]
        return httpx.Response(200, json={"campaigns": []})

    (tmp_path / "key").write_text("key-of-two\n")
    text = (
        f'[one]\napp_api_key = "key-of-one"\n[two]\napp_api_key_file = "{tmp_path / "key"}"\nregion = "eu"\n'
    )
    async with at(written(tmp_path, text), httpx.MockTransport(answer)) as agent:
        await agent.call("list_campaigns", workspace="one")
        await agent.call("list_campaigns", workspace="two")
        status = await agent.call("server_status", workspace="two")

    assert seen == {"api.customer.io": "Bearer key-of-one", "api-eu.customer.io": "Bearer key-of-two"}
    assert status["environment"] == "live, eu"


async def test_the_audit_log_says_where_a_call_acted(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with at(written(tmp_path, TWO) | {"CIO_AUDIT_LOG": str(path)}) as agent:
        await agent.call("track_event", workspace="shop", name="one", **ADA)
        await agent.call("track_event", workspace="blog", name="two", **ADA)

    assert [line["workspace"] for line in lines(path) if line["kind"] == "intent"] == ["shop", "blog"]
    assert list(verify(path)) == []


def test_what_clients_carry_is_sealed_under_a_key_of_all_credentials_or_one_that_is_made_up(
    tmp_path: Path,
) -> None:
    def key(text: str) -> bytes | None:
        return state_key(each(load(written(tmp_path, text))).values())

    one, two = '[a]\napp_api_key = "one"\n', '[b]\napp_api_key = "two"\n'
    assert key(one + two) == key(one + two)
    assert len({key(one), key(two), key(one + two), None}) == 4
    assert key(TWO) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no workspace"),
        ("[a\n", "is not TOML"),
        ("[a]\n", r"\[a\]: has no credentials; for an embedded sandbox set sandbox"),
        ('[a]\nsite_id = "x"\n', r"\[a\]: CIO_TRACK_API_KEY: is missing"),
        ('[a]\nsandbox = "on"\nlog_level = "INFO"\n', r"\[a\]: log_level: a workspace has no such setting"),
        ('[a]\nsandbox = "on"\napp_rate = -1\n', r"\[a\]: CIO_APP_RATE: "),
        ('[a]\nsandbox = "on"\nallowed_recipients = []\n', r"\[a\]: allowed_recipients: names nothing"),
        ('[a]\nsandbox = "on"\ntools = [","]\n', r"\[a\]: CIO_TOOLS: names nothing"),
        ('["a b"]\nsandbox = "on"\n', "name workspaces by letters"),
        ('a = "key-s3cret"\n', r"\[a\]: name workspaces by letters"),
        ('[a]\napp_api_key = "key-s3cret\n', "is not TOML"),
    ],
)
def test_a_wrong_file_stops_the_start_and_says_where_it_is_wrong_without_a_key(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(SettingsError, match=words) as told:
        build(load(written(tmp_path, text)))
    assert "s3cret" not in str(told.value)


def test_a_file_that_is_not_there_and_keys_beside_it_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        build(load({"CIO_WORKSPACES_FILE": str(tmp_path / "none.toml")}))
    for name in ("CIO_APP_API_KEY", "CIO_SANDBOX"):
        with pytest.raises(SettingsError, match="CIO_WORKSPACES_FILE: defines the workspaces"):
            load(written(tmp_path, TWO) | {name: "on"})
    assert load(written(tmp_path, TWO) | {"CIO_SANDBOX": "off"}).workspaces_file


def test_the_command_line_tells_of_each_workspace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in written(tmp_path, TWO).items():
        monkeypatch.setenv(name, value)

    assert main(["tools"]) == 0
    assert "blog: " in capsys.readouterr().out
    assert main(["tools", "--json"]) == 0
    assert {tool["workspace"] for tool in json.loads(capsys.readouterr().out)} == {"shop", "blog"}
    assert main(["doctor"]) == 0
    assert "shop settings" in capsys.readouterr().out
    assert main(["call", "get_customer", "workspace=shop", "customer_id=u_1001"]) == 0
    assert json.loads(capsys.readouterr().out)["workspace"] == "shop"


@pytest.mark.repeating
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_no_tool_has_an_argument_of_that_name(tool: Tool) -> None:
    assert "workspace" not in tool.arguments.model_fields


async def test_metrics_and_health_tell_workspaces_apart(tmp_path: Path) -> None:
    app = build(load(written(tmp_path, TWO)))
    try:
        async with Client(Server(app)) as client:
            await Several(client).call("get_customer", workspace="shop", **ADA)
        text, problems = await exposition(app, {}, {}), await Health(app, None).problems()
    finally:
        await app.aclose()

    assert 'cio_mcp_requests_total{workspace="shop",limit="app",status="200"} 1' in text
    assert 'cio_mcp_sends_left{workspace="blog",cap="CIO_MAX_SENDS_PER_HOUR"} 3' in text
    assert problems == []

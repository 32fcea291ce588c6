"""What stands between clients and a server over HTTP: browsers, proxies, the size of requests."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from mcp import Client, MCPError

from cio_mcp.auth.principal import HEADERS
from cio_mcp.cli import main
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load
from tests.transports.messages import ACCEPT, HELLO
from tests.transports.test_transports import Served, serving

pytestmark = [pytest.mark.anyio, pytest.mark.processes]

PAGE = "https://app.example"
ASKS = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """Provide a server that pages may call who have a token, and a token."""
    tokens = str(tmp_path_factory.mktemp("tokens") / "tokens.json")
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("sys.stdout.write", said.append, raising=False)
        assert main(["token", "--file", tokens, "add", "page"]) == 0
    origins = f"{PAGE},http://localhost:*"
    with serving(CIO_TOKENS_FILE=tokens, CIO_ALLOWED_ORIGINS=origins) as found:
        yield found, "".join(said).strip()


def http(served: Served) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=served.url, trust_env=False, verify=False, timeout=30)


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/sse", "/messages/"])
@pytest.mark.parametrize("origin", [PAGE, "http://localhost:5173"])
async def test_a_browser_that_asks_for_a_named_origin_is_answered_before_it_has_a_token(
    guarded: tuple[Served, str], path: str, origin: str
) -> None:
    needed = {
        *("authorization", "content-type", "last-event-id", "mcp-session-id", "mcp-protocol-version"),
        *HEADERS.values(),
    }
    asks = ASKS | {"origin": origin, "access-control-request-headers": ",".join(sorted(needed))}
    async with http(guarded[0]) as client:
        answers = [
            await client.options(path, headers=asks | {"access-control-request-method": method})
            for method in ("GET", "POST", "DELETE")
        ]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert needed <= set(answer.headers["access-control-allow-headers"].lower().split(", "))


@pytest.mark.parametrize("path", ["/mcp", "/sse", "/messages/", "/healthz", "/metrics"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://app.example.evil", "null", f"{PAGE}:8443"]
)
async def test_a_page_of_any_other_origin_is_not(guarded: tuple[Served, str], path: str, origin: str) -> None:
    async with http(guarded[0]) as client:
        asked = await client.options(path, headers=ASKS | {"origin": origin})
        sent = await client.post(path, headers=ACCEPT | {"origin": origin}, json=HELLO)

    assert asked.status_code >= 400
    assert "access-control-allow-origin" not in asked.headers.keys() | sent.headers.keys()


async def test_without_named_origins_no_page_is_let_in(served: Served) -> None:
    async with http(served) as client:
        asked = await client.options("/mcp", headers=ASKS | {"origin": "http://localhost:5173"})

    assert "access-control-allow-origin" not in asked.headers


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as found:
        yield found


async def test_a_page_sees_its_session_and_where_to_log_in(guarded: tuple[Served, str]) -> None:
    served, token = guarded
    async with http(served) as client:
        refused = await client.post("/mcp", headers=ACCEPT | {"origin": PAGE}, json=HELLO)
        headers = ACCEPT | {"origin": PAGE, "authorization": f"Bearer {token}"}
        answer = await client.post("/mcp", headers=headers, json=HELLO)

    assert (refused.status_code, answer.status_code) == (401, 200)
    for one, seen in ((refused, "www-authenticate"), (answer, "mcp-session-id")):
        assert one.headers["access-control-allow-origin"] == PAGE
        assert seen in one.headers["access-control-expose-headers"].lower().split(", ")
        assert seen in one.headers


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CIO_ALLOWED_ORIGINS", "https://app.example/", "write an origin as a browser sends it"),
        ("CIO_ALLOWED_ORIGINS", "*", "write an origin"),
        ("CIO_ALLOWED_ORIGINS", "null", "write an origin"),
        ("CIO_ALLOWED_ORIGINS", "https://a@app.example", "write an origin"),
        ("CIO_ALLOWED_ORIGINS", "https://*", "write an origin"),
        ("CIO_ROOT_PATH", "cio/", "pattern"),
        ("CIO_TRUSTED_PROXIES", "proxy.example", "is not an address or a range"),
        ("CIO_MAX_REQUEST_BYTES", "0", "greater than 0"),
    ],
)
def test_a_setting_that_could_never_fit_stops_the_start(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: .*{words}"):
        load({name: value})


async def endpoint(served: Served, path: str = "/sse", **headers: str) -> str:
    """Return where SSE's first event tells a client to send its messages, without the session."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http(served) as client, client.stream("GET", path, headers=named) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                return line.removeprefix("data: ").partition("?")[0]
    raise AssertionError


async def test_sse_tells_the_prefix_that_is_set() -> None:
    with serving(CIO_ROOT_PATH="/cio") as found:
        assert await endpoint(found) == "/cio/messages/"
        assert await endpoint(found, "/sse/") == "/cio/messages/"
        async with http(found) as client:
            answer = await client.post("/mcp", headers=ACCEPT, json=HELLO)
        assert answer.status_code == 200


async def test_only_a_trusted_proxy_names_the_prefix(served: Served) -> None:
    assert await endpoint(served, x_forwarded_prefix="/evil") == "/messages/"
    with serving(CIO_TRUSTED_PROXIES="10.0.0.0/8", CIO_ROOT_PATH="/set") as other:
        assert await endpoint(other, x_forwarded_prefix="/evil") == "/set/messages/"
    with serving(CIO_TRUSTED_PROXIES="10.0.0.0/8,127.0.0.1", CIO_ROOT_PATH="/set") as trusting:
        assert await endpoint(trusting) == "/set/messages/"
        forwarded = {"x_forwarded_for": "203.0.113.7", "x_forwarded_prefix": "/team/cio/"}
        assert await endpoint(trusting, **forwarded) == "/team/cio/messages/"
        for wrong in ("//evil.example", "https://evil.example", "/a?b", "/a, /b"):
            assert await endpoint(trusting, x_forwarded_prefix=wrong) == "/set/messages/"


async def test_a_slash_at_the_end_of_the_address_makes_no_difference(served: Served) -> None:
    async with http(served) as client:
        answer = await client.post("/mcp/", headers=ACCEPT, json=HELLO)
    assert answer.status_code == 200

    async with Client(f"{served.url}/mcp/", mode="2026-07-28") as agent:
        assert (await agent.list_tools()).tools


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        (
            "send_transactional_email",
            {
                "customer_id": "u_1001",
                "transactional_message_id": 1,
                "to": "ada@example.com",
                "message_data": {"a": "x" * 990_000},
                "attachments": {"a.txt": "QUFB" * 666_000},
                "dry_run": True,
            },
        ),
        (
            "trigger_broadcast",
            {
                "broadcast_id": 10,
                "per_user_data": [
                    {"id": f"u_{number}", "data": {"a": "x" * 2450}} for number in range(10_000)
                ],
                "dry_run": True,
            },
        ),
    ],
)
async def test_the_largest_call_that_a_tool_takes_arrives(
    served: Served, tool: str, arguments: dict[str, Any]
) -> None:
    async with Client(f"{served.url}/mcp", mode="2026-07-28") as agent:
        result = await agent.call_tool(tool, arguments)

    assert not result.is_error, str(result.content)[:1000]


@pytest.mark.parametrize("declared", [True, False])
async def test_a_request_beyond_the_limit_is_refused_as_json_rpc_has_it(declared: bool) -> None:
    async def pieces() -> Any:
        for _ in range(30):
            yield b" " * 100

    content: Any = b" " * 3000 if declared else pieces()
    with serving(CIO_MAX_REQUEST_BYTES="2000") as small:
        async with http(small) as client:
            headers = ACCEPT | {"content-type": "application/json"}
            answer = await client.post("/mcp", headers=headers, content=content)
        async with Client(f"{small.url}/mcp", mode="2026-07-28") as agent:
            with pytest.raises(MCPError, match="more than 2000 bytes"):
                await agent.call_tool("get_customer", {"customer_id": "x" * 3000})

    told = json.loads(answer.content)
    assert (answer.status_code, told["jsonrpc"], told["id"], told["error"]["code"]) == (
        413,
        "2.0",
        None,
        -32600,
    )
    assert "more than 2000 bytes, which CIO_MAX_REQUEST_BYTES sets" in told["error"]["message"]

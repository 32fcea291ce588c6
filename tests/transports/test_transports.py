"""The same behaviour over every transport, in both eras of the protocol."""

import asyncio
import json
import os
import re
import signal
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.types import ElicitResult, ErrorData

from cio_mcp.asgi import create_app
from cio_mcp.cli import main
from cio_mcp.cli.certificate import make_certificate
from cio_mcp.server.server import facts
from cio_mcp.settings import load
from cio_mcp.toolkit.core import CORE
from cio_mcp.transports.http.transports import TRANSPORTS
from tests.processes import Command
from tests.transports.messages import ACCEPT, HELLO

pytestmark = [pytest.mark.anyio, pytest.mark.processes]

SANDBOX = {"CIO_SANDBOX": "on"}


@dataclass
class Served:
    """A server process and its address."""

    process: Command
    url: str


@contextmanager
def serving(*options: str, **environ: str) -> Iterator[Served]:
    """Run `cio-mcp serve` on a free port of loopback."""
    with Command("serve", "--port", "0", *options, **SANDBOX | environ) as process:
        said = process.stdout.readline()
        address = re.search(r"https?://[\d.]+:\d+", said)
        assert address, said + process.stderr.read()
        yield Served(process, address[0])


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as found:
        yield found


def client(served: Served, transport: str, mode: str, elicitation: Any = None, **environ: str) -> Client:
    """Return a client of the SDK over a transport; on stdio it starts a server with `environ`."""
    own = dict(os.environ) | SANDBOX | environ
    where: dict[str, Any] = {
        "stdio": StdioServerParameters(command=sys.executable, args=["-m", "cio_mcp"], env=own),
        "sse": sse_client(f"{served.url}/sse"),
        "http": f"{served.url}/mcp",
    }
    return Client(where[transport], mode=mode, elicitation_callback=elicitation)


WAYS = [(transport, mode) for transport in ("stdio", "sse", "http") for mode in ("legacy", "2026-07-28")]


@pytest.mark.parametrize(("transport", "mode"), WAYS)
async def test_an_agent_lists_reads_fails_and_acts(served: Served, transport: str, mode: str) -> None:
    async with client(served, transport, mode) as mcp:
        listed = {tool.name for tool in (await mcp.list_tools()).tools}
        ada = await mcp.call_tool("get_customer", {"customer_id": "u_1001"})
        nobody = await mcp.call_tool("get_customer", {"customer_id": f"nobody_{transport}_{mode}"})
        wrong = await mcp.call_tool("get_customer", {"custmer_id": "u_1001"})
        who = {"customer_id": f"new_{transport}_{mode}"}
        written = await mcp.call_tool("identify_customer", {**who, "attributes": {"plan": "pro"}})
        preview = await mcp.call_tool("delete_customer", who)
        code = {"confirmation": (preview.structured_content or {})["confirmation"]}
        deleted = await mcp.call_tool("delete_customer", {**who, **code})
        again = await mcp.call_tool("delete_customer", {**who, **code})
        page = await mcp.call_tool("get_campaign_metrics", {"campaign_id": 1, "as_page": True})
        image = await mcp.call_tool("get_campaign_metrics", {"campaign_id": 1, "as_image": True})

    assert listed == set(CORE)
    assert facts(ada)["email"] == "ada@example.com"
    assert (nobody.is_error, facts(nobody)["status"]) == (True, 404)
    assert "did you mean customer_id?" in str(wrong.content)
    assert facts(written)["outcome"] == "accepted"
    assert facts(deleted)["outcome"] == "accepted"
    assert "has been used already" in str(again.content)
    assert [part.type for part in image.content] == ["text", "image"]
    if transport == "stdio":
        assert Path(facts(page)["page"]).parent.name == "pages"
    else:
        assert "as_page: only a server on your own machine" in str(page.content)


@pytest.fixture(scope="module")
def asking() -> Iterator[Served]:
    with serving(CIO_CONFIRM="human") as found:
        yield found


@pytest.mark.parametrize(("transport", "mode"), WAYS)
async def test_a_person_can_be_asked(asking: Served, transport: str, mode: str) -> None:
    answers: list[Any] = [
        ElicitResult(action="decline", content=None),
        ElicitResult(action="accept", content={}),
    ]

    async def human(_: Any, __: Any) -> ElicitResult | ErrorData:
        answer: ElicitResult = answers.pop(0)
        return answer

    async with client(asking, transport, mode, elicitation=human, CIO_CONFIRM="human") as mcp:
        who = {"customer_id": f"{transport}_{mode}"}
        results = [await mcp.call_tool("delete_customer", who) for _ in range(2)]

    assert [result.is_error for result in results] == [True, False]
    assert answers == []


async def test_all_transports_share_one_workspace(served: Served) -> None:
    async with client(served, "sse", "legacy") as one, client(served, "http", "2026-07-28") as other:
        await one.call_tool("identify_customer", {"customer_id": "shared", "attributes": {"plan": "pro"}})
        seen = await other.call_tool("get_customer", {"customer_id": "shared"})

    assert facts(seen)["attributes"] == {"plan": "pro"}


async def test_without_sessions_any_request_is_answered_by_itself() -> None:
    with serving(CIO_STATELESS="true") as stateless:
        async with client(stateless, "http", "legacy") as mcp:
            result = await mcp.call_tool("get_customer", {"customer_id": "u_1001"})

    assert not result.is_error


@pytest.fixture(scope="module")
def named() -> Iterator[Served]:
    with serving(CIO_ALLOWED_HOSTS="cio.example", CIO_ALLOWED_ORIGINS="https://app.example") as found:
        yield found


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"host": "localhost", "origin": "http://localhost"}, 200),
        ({"host": "cio.example"}, 200),
        ({"host": "cio.example:8443", "origin": "https://app.example"}, 200),
    ],
)
async def test_only_named_hosts_and_origins_are_answered(
    named: Served, headers: dict[str, str], status: int
) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        answer = await http.post(f"{named.url}/mcp", json=HELLO, headers=ACCEPT | headers)

    assert answer.status_code == status


@pytest.mark.parametrize("name", TRANSPORTS)
async def test_what_serves_one_transport_answers_on_its_paths_alone(name: str) -> None:
    application = create_app(load({"CIO_SANDBOX": "on"}), transports=(name,))
    paths = [path for way in TRANSPORTS.values() for path in way.paths]
    wire = httpx.ASGITransport(application)
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=wire, base_url="http://localhost") as http,
    ):
        answers = {path: (await http.request("TRACE", path)).status_code for path in paths}

    assert {path for path, status in answers.items() if status != 404} == set(TRANSPORTS[name].paths)


async def test_who_operates_the_server_can_see_that_it_is_alive_and_ready(served: Served) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=served.url) as http:
        answers = [await http.get(path) for path in ("/healthz", "/readyz")]

    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [
        (200, "ok"),
        (200, "ready"),
    ]


async def test_a_server_whose_key_does_not_open_is_not_ready() -> None:
    closed = {"CIO_SANDBOX": "off", "CIO_APP_API_KEY": "wrong-s3cret"}
    with serving(CIO_APP_URL="http://127.0.0.1:9", CIO_DEADLINE="0.3", **closed) as found:
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            answer = await http.get(f"{found.url}/readyz")

    assert answer.status_code == 503
    assert answer.json()["problems"][0].startswith("app: ")
    assert "s3cret" not in answer.text


async def test_it_speaks_https_with_a_certificate(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "127.0.0.1")
    with serving("--certificate", certificate) as found:
        trust = ssl.create_default_context(cafile=certificate)
        async with httpx.AsyncClient(verify=trust, trust_env=False) as http:
            answer = await http.get(f"{found.url}/healthz")

    assert found.url.startswith("https://")
    assert answer.json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "listens on loopback only"),
        (["--certificate", "missing.pem"], "--certificate missing.pem: cannot be used"),
    ],
)
def test_what_would_not_be_safe_or_cannot_be_served_stops_the_start(
    options: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SANDBOX", "on")

    assert main(["serve", "--port", "0", *options]) == 2
    assert words in capsys.readouterr().err


async def test_a_stop_lets_running_calls_finish_and_takes_no_new_ones() -> None:
    slow = {"CIO_SANDBOX": "on", "CIO_APP_RATE": "1", "CIO_SHARED_PACE": "off"}
    with serving(**slow) as found:
        async with client(found, "http", "2026-07-28") as mcp, client(found, "sse", "legacy") as other:
            await mcp.call_tool("list_campaigns", {})
            await other.list_tools()  # the SDK would ask for it after the call, of a server that has stopped
            running = [asyncio.create_task(one.call_tool("list_campaigns", {})) for one in (mcp, other)]
            await asyncio.sleep(0.5)
            found.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.2)
            late = await mcp.call_tool("list_campaigns", {})
            results = await asyncio.gather(*running)
        assert found.process.wait(timeout=10) == 0

    assert [result.is_error for result in results] == [False, False]
    assert late.is_error
    assert "shutting down" in json.dumps(facts(late))

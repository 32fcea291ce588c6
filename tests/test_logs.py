"""What a server logs: every call by its request's id, in text or JSON, and nothing of what it was about."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.client.sse import sse_client

from cio_mcp.auth.tokens import add
from cio_mcp.safety.audit.verify import lines
from cio_mcp.safety.grant import Grant
from tests.client.wires import serving as an_api
from tests.redis_server import PASSWORD, RedisServer
from tests.transports.messages import call
from tests.transports.test_stdio import a_server, ask, hear, say
from tests.transports.test_transports import Served, client, serving

pytestmark = [pytest.mark.anyio, pytest.mark.processes]

PERSON = "someone@private.example"
ACT = {"customer_id": PERSON, "attributes": {"secret": "s3cret"}}
AWAY = "\ncio_mcp_pace_shared 0\n"
JSON = {"CIO_LOG_FORMAT": "json", "CIO_LOG_LEVEL": "debug"}


def said(served: Served) -> str:
    """Return what a server has logged, once it has ended."""
    served.process.send_signal(signal.SIGTERM)
    served.process.wait()
    return served.process.stderr.read()


def request_of(result: Any) -> str:
    request: str = result.meta["cio-mcp/request"]
    return request


@pytest.mark.parametrize("version", ["2025-11-25", None], ids=["handshake", "2026-07-28"])
def test_on_stdio_every_line_is_json_and_a_call_has_one_id_in_answer_log_and_audit_log(
    version: str | None, tmp_path: Path
) -> None:
    with a_server(version, CIO_AUDIT_LOG=str(tmp_path / "audit.jsonl"), **JSON) as process:

        def called(tool: str, arguments: dict[str, Any]) -> str:
            if version:
                say(process, call(tool, **arguments))
                result = hear(process)["result"]
            else:
                result = ask(process, "tools/call", name=tool, arguments=arguments)
            request: str = result["_meta"]["cio-mcp/request"]
            return request

        acted = called("identify_customer", ACT)
        refused = called("get_customer", {"customer_id": "nobody"})
        wrong = called("get_customer", {PERSON: PERSON})
        process.stdin.close()
        process.wait()
        text = process.stderr.read()
    logged = {line.get("request"): line for line in map(json.loads, text.splitlines())}
    ends = [logged[request] for request in (acted, refused, wrong)]

    assert [(end["tool"], end["outcome"], end.get("status")) for end in ends] == [
        ("identify_customer", "accepted", None),
        ("get_customer", "refused", 404),
        ("get_customer", "invalid", None),
    ]
    for end in ends:
        assert (end["level"], end["logger"]) == ("INFO", "cio_mcp.app.calls")
        assert end["time"].endswith("+00:00")
        assert 0 <= end["seconds"] < 60
        assert end["caller"]
    assert [line["request"] for line in lines(tmp_path / "audit.jsonl")] == [acted] * 2
    assert PERSON not in text
    assert "s3cret" not in text


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_over_http_a_line_of_text_names_the_request_and_holds_nothing_of_the_call(
    transport: str,
) -> None:
    with serving(CIO_LOG_LEVEL="DEBUG") as found:
        async with client(found, transport, "legacy") as mcp:
            acted = await mcp.call_tool("identify_customer", ACT)
            read = await mcp.call_tool("get_customer", {"customer_id": "u_1001"})
        text = said(found)

    for end, result in (("identify_customer: accepted", acted), ("get_customer: done", read)):
        line = rf"INFO cio_mcp.app.calls: {end} in .* \[{request_of(result)}\]"
        assert any(re.fullmatch(line, logged) for logged in text.splitlines())
    for personal in (PERSON, "s3cret", "ada@example.com"):
        assert personal not in text


async def test_the_caller_in_a_line_is_the_name_of_the_token(tmp_path: Path) -> None:
    token = add(tmp_path / "tokens.json", Grant(name="nightly"))
    with serving(CIO_TOKENS_FILE=str(tmp_path / "tokens.json"), **JSON) as found:
        headers = {"authorization": f"Bearer {token}"}
        async with Client(sse_client(f"{found.url}/sse", headers=headers)) as mcp:
            read = await mcp.call_tool("get_customer", {"customer_id": "u_1001"})
        text = said(found)
    (line,) = (line for line in map(json.loads, text.splitlines()) if "request" in line)

    assert (line["request"], line["caller"]) == (request_of(read), "nightly")
    assert token not in text


async def test_while_redis_is_away_a_server_is_ready_says_so_and_logs_it_as_no_calls_doing(
    redis: RedisServer,
) -> None:
    async with an_api() as api, httpx.AsyncClient(trust_env=False, verify=False) as http:
        live = {"CIO_SANDBOX": "off", "CIO_APP_API_KEY": "key", "CIO_APP_URL": api.url}
        with serving(CIO_SHARED_PACE=redis.address, **live, **JSON) as found:
            async with client(found, "http", "2026-07-28") as mcp:
                read = await mcp.call_tool("list_campaigns", {})
                shared = (await http.get(f"{found.url}/metrics")).text
                redis.kill()
                for _ in range(100):
                    metrics = (await http.get(f"{found.url}/metrics")).text
                    if AWAY in metrics:
                        break
                    await asyncio.sleep(0.1)
                away = await http.get(f"{found.url}/readyz")
            text = said(found)
    logged = [json.loads(line) for line in text.splitlines()]
    (noticed,) = (line for line in logged if "is away" in line["message"])

    assert (away.status_code, away.json()["status"]) == (200, "ready")
    part = "until it is back, this replica uses its part of each limit, 1 of 1"
    pace, codes = away.json()["degraded"]
    assert pace == f"the shared pace: Redis cannot be reached; {part}"
    assert "(CIO_SHARED_PACE) cannot be reached" in codes
    assert AWAY not in shared
    assert AWAY in metrics
    assert request_of(read) in {line.get("request") for line in logged}
    assert "request" not in noticed
    assert PASSWORD not in text + away.text


@pytest.mark.parametrize("form", ["text", "json"])
def test_of_an_exception_its_kind_and_place_are_logged_and_not_its_words(form: str) -> None:
    program = (
        "import logging, warnings; from cio_mcp.logs import configure\n"
        f"configure('INFO', '{form}')\n"
        "def broken(): raise ValueError('s3cret')\n"
        "try: broken()\n"
        "except ValueError: logging.exception('it failed')\n"
        "warnings.warn('beware')\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "ValueError < broken:3" in run.stderr
    assert "beware" in run.stderr
    assert "s3cret" not in run.stderr
    if form == "json":
        failed, warned = map(json.loads, run.stderr.splitlines())
        assert (failed["message"], failed["level"]) == ("it failed", "ERROR")
        assert warned["logger"] == "py.warnings"


def test_a_program_that_has_set_up_logging_keeps_it() -> None:
    program = (
        "import logging; from cio_mcp.logs import configure\n"
        "logging.basicConfig(format='MINE %(message)s')\n"
        "configure('INFO', 'json')\n"
        "logging.warning('told')\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert run.stderr == "MINE told\n"

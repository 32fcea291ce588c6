"""The server as a process: what it prints, and how it ends."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from cio_mcp.toolkit.core import CORE
from tests.processes import Command
from tests.transports.messages import call, initialize

pytestmark = pytest.mark.processes

INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@contextmanager
def a_server(version: str | None = "2025-06-18", **environ: str) -> Iterator[Command]:
    """Start a server process and shake hands in a version of the protocol, where it has a handshake."""
    with Command(**environ) as process:
        if version:
            say(process, initialize(version))
            answer = hear(process)["result"]
            assert (answer["serverInfo"]["name"], answer["protocolVersion"]) == ("cio-mcp", version)
            say(process, INITIALIZED)
        yield process


def say(process: Command, message: dict[str, Any]) -> None:
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()


def hear(process: Command) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_within_a_second_while_stdin_stays_open(number: signal.Signals) -> None:
    with a_server() as process:
        process.send_signal(number)

        assert process.wait(timeout=1) == 0


def test_the_end_of_stdin_ends_the_process_within_a_second() -> None:
    with a_server() as process:
        process.stdin.close()

        assert process.wait(timeout=1) == 0


@pytest.mark.parametrize("says", ["nothing", "a request"])
def test_who_closes_stdout_ends_the_process_within_a_second_while_stdin_stays_open(says: str) -> None:
    with a_server() as process:
        process.stdout.close()
        if says == "a request":
            say(process, {"jsonrpc": "2.0", "id": 2, "method": "ping"})

        assert process.wait(timeout=1) == 0
        assert process.stderr.read() == ""


HALF = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "ping", "params": {"a": "s3cret \ud83d"}}).encode()
WHOLE = b'{"jsonrpc": "2.0", "method": "ping", "params": {"id": 8}, "id": "seven"}'


@pytest.mark.parametrize(
    ("line", "known", "words"),
    [
        (HALF, 7, "half a character"),
        (HALF.replace(b"\\ud83d", b"\xf0\x9f"), 7, "not UTF-8"),
        (HALF[:-4], 7, "not JSON"),
        (b'{"jsonrpc": "2.0", "method": "ping", "id": 70', None, "not JSON"),
        (b'{"jsonrpc": "2.0", "method": "ping", "params": {"id": 8, ', None, "not JSON"),
        (b"\xef\xbb\xbf" + WHOLE, "seven", "byte-order mark"),
        (b"[" + WHOLE + b"]", "seven", "is an array"),
        (b"[1, 2]", None, "is an array"),
        (b"s3cret", None, "not JSON"),
        (b'{"jsonrpc": "2.0", "id": 9, "result": "s3cret \\ud83d"}', None, "half a character"),
        (b"[" * 100_000, None, "nested too deeply"),
    ],
)
def test_a_line_that_is_no_message_is_answered_with_a_parse_error_and_a_warning(
    line: bytes, known: int | str | None, words: str
) -> None:
    with a_server() as process:
        process.stdin.buffer.write(line + b"\n\n")
        refused = hear_after(process)
        say(process, {"jsonrpc": "2.0", "id": 10, "method": "ping"})
        assert hear(process)["result"] == {}, "it goes on"
        process.stdin.close()
        assert process.wait() == 0
        log = process.stderr.read()

    assert (refused["id"], refused["error"]["code"]) == (known, -32700)
    assert words in refused["error"]["message"]
    assert log.count("WARNING") == 1
    assert words in log
    assert "s3cret" not in log + str(refused)


def hear_after(process: Command) -> dict[str, Any]:
    process.stdin.flush()
    return hear(process)


def test_each_request_of_an_array_is_answered() -> None:
    with a_server() as process:
        requests = [{"jsonrpc": "2.0", "id": number, "method": "ping"} for number in (2, 3)]
        process.stdin.write(json.dumps([*requests, INITIALIZED]) + "\n")

        assert {hear_after(process)["id"], hear(process)["id"]} == {2, 3}


def test_json_that_is_no_message_is_an_invalid_request() -> None:
    with a_server() as process:
        say(process, {"jsonrpc": "1.0", "id": 2, "method": "ping"})
        refused = hear(process)

    assert (refused["id"], refused["error"]["code"]) == (2, -32600)


def test_stdout_carries_nothing_but_protocol_and_a_good_run_logs_nothing() -> None:
    with a_server() as process:
        say(process, call("get_customer", customer_id="u_1001"))
        assert hear(process)["result"]["structuredContent"]["id"] == "u_1001"
        say(process, call("get_customer", customer_id="nobody"))
        assert hear(process)["result"]["isError"] is True
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        rest, log = process.stdout.read(), process.stderr.read()

    assert (rest, log) == ("", "")


@contextmanager
def a_slow_customerio(seconds: float) -> Iterator[tuple[str, Event]]:
    """Serve a Customer.io that takes its time; yields its address, and an event that a request has come."""
    arrived, over = Event(), Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            arrived.set()
            if over.wait(seconds):
                return
            body = b'{"delivery_id": "d1", "queued_at": 1780000000}'
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", arrived
    finally:
        over.set()
        server.shutdown()
        server.server_close()


SEND = call("send_transactional_email", customer_id="user_123", to="a@b.c", transactional_message_id=1)


@contextmanager
def stopped_while_sending(seconds: float) -> Iterator[Command]:
    """Provide a server that gets SIGTERM while its send waits `seconds` for Customer.io's answer."""
    with (
        a_slow_customerio(seconds) as (url, arrived),
        a_server(CIO_APP_API_KEY="key", CIO_APP_URL=url) as process,
    ):
        say(process, SEND)
        assert arrived.wait(5)
        process.send_signal(signal.SIGTERM)
        yield process


def test_what_has_left_when_the_signal_comes_is_still_answered() -> None:
    with stopped_while_sending(0.3) as process:
        assert hear(process)["result"]["structuredContent"]["delivery_id"] == "d1"
        assert process.wait(timeout=1) == 0


def test_what_is_not_answered_in_time_is_logged_as_unknown_without_personal_data() -> None:
    with stopped_while_sending(3) as process:
        assert process.wait(timeout=1) == 0
        log = process.stderr.read()

    assert "unknown outcome at shutdown: POST 127.0.0.1" in log
    assert "user_123" not in log


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_a_client_that_knows_only_an_older_protocol_lists_and_calls(version: str) -> None:
    with a_server(version) as process:
        say(process, {"jsonrpc": "2.0", "id": 3, "method": "tools/list"})
        assert len(hear(process)["result"]["tools"]) == len(CORE)
        say(process, call("get_customer", customer_id="u_1001"))

        assert json.loads(hear(process)["result"]["content"][0]["text"])["id"] == "u_1001"


def ask(process: Command, method: str, **params: Any) -> dict[str, Any]:
    """Ask as a client of 2026-07-28 does."""
    params["_meta"] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    say(process, {"jsonrpc": "2.0", "id": method, "method": method, "params": params})
    answer = hear(process)
    assert answer["id"] == method
    result: dict[str, Any] = answer["result"]
    return result


def test_a_client_that_speaks_2026_07_28_discovers_lists_and_calls_without_a_handshake() -> None:
    with a_server(version=None) as process:
        found = ask(process, "server/discover")
        assert "2026-07-28" in found["supportedVersions"]
        assert "sandbox" in found["instructions"]
        assert len(ask(process, "tools/list")["tools"]) == len(CORE)
        answer = ask(process, "tools/call", name="get_customer", arguments={"customer_id": "u_1001"})
        assert (answer["isError"], answer["structuredContent"]["id"]) == (False, "u_1001")


@pytest.mark.anyio
async def test_a_client_that_finds_out_the_era_by_itself_lists_and_calls_over_a_real_pipe() -> None:
    server = StdioServerParameters(command=sys.executable, args=["-m", "cio_mcp"])
    async with Client(server, mode="auto") as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("get_customer", {"customer_id": "u_1001"})

    assert len(tools) == len(CORE)
    assert result.structured_content
    assert result.structured_content["id"] == "u_1001"

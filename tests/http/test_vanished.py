"""Clients that go away while they are answered."""

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.test_logs import said
from tests.test_transports import Served, serving

pytestmark = pytest.mark.processes

HELLO = (
    '{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", '
    '"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}'
)
READY = '{"jsonrpc": "2.0", "method": "notifications/initialized"}'


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(CIO_LOG_LEVEL="INFO") as found:
        yield found


def ask(served: Served, line: str, body: str = "", length: int = 0, **headers: Any) -> socket.socket:
    """Send a request; with a `length` beyond the body, a part of one."""
    host, port = served.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    all_of_them = {
        "Host": f"{host}:{port}",
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        "Content-Length": str(length or len(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in all_of_them.items())
    connection.sendall(f"{line} HTTP/1.1\r\n{head}\r\n{body}".encode())
    return connection


def heard(connection: socket.socket, pattern: str) -> str:
    """Read until there is what a pattern finds."""
    answer = ""
    while not (found := re.search(pattern, answer)):
        more = connection.recv(4096).decode()
        assert more, answer
        answer += more
    return found[1]


def session(served: Served) -> str:
    with ask(served, "POST /mcp", HELLO) as connection:
        return heard(connection, r"mcp-session-id: (\w+)")


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_a_client_that_goes_in_the_middle_of_its_request_is_no_error(served: Served, version: str) -> None:
    ask(served, "POST /mcp", HELLO, len(HELLO) + 9, MCP_Protocol_Version=version).close()
    session(served)

    assert "ERROR" not in said(served)


def test_nor_is_one_that_goes_in_the_middle_of_a_message_to_its_stream(served: Served) -> None:
    with ask(served, "GET /sse") as stream:
        path = heard(stream, r"data: (\S+)")
        ask(served, f"POST {path}", HELLO, len(HELLO) + 9).close()
        ask(served, f"POST {path}", HELLO).close()
    session(served)

    assert "ERROR" not in said(served)


def test_nor_is_one_that_ends_its_session_with_a_message_under_way(served: Served) -> None:
    for _ in range(20):
        ours: dict[str, Any] = {"Mcp_Session_Id": session(served), "MCP_Protocol_Version": "2025-11-25"}
        with ask(served, "POST /mcp", READY, **ours) as message, ask(served, "DELETE /mcp", **ours) as end:
            assert heard(message, r"HTTP/1.1 (\d+)") in {"202", "404"}
            assert heard(end, r"HTTP/1.1 (\d+)") == "200"

    assert "ERROR" not in said(served)

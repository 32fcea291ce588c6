"""One rule says by which names a port is reached, the server's and the sandbox's."""

from typing import Any

import httpx
import pytest

from cio_mcp.settings import load
from cio_mcp.transports.http.app import create_app
from cio_mcp.transports.http.hosts import NameCheck
from tests.transports.messages import ACCEPT, HELLO

pytestmark = pytest.mark.anyio

HOSTS, ORIGINS = (
    ("CIO.example", "box.example:8443", "2001:db8::1"),
    ("https://app.example", "http://dev.example:*"),
)


async def status_of(host: list[str], origin: list[str], path: str = "/mcp") -> int:
    """Return how a request with these headers is answered."""
    answered: list[int] = []

    async def behind(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        answered.extend([message["status"]] if "status" in message else [])

    pairs = [(b"host", value.encode("latin-1")) for value in host]
    pairs += [(b"origin", value.encode("latin-1")) for value in origin]
    scope = {"type": "http", "scheme": "http", "path": path, "headers": pairs}
    await NameCheck(behind, HOSTS, ORIGINS, "/_sandbox")(scope, None, send)
    (status,) = answered
    return status


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example:80",
        "localhost.",
        "",
        "evil@localhost",
        "localhost@evil.example",
        "localhost:80:80",
        "localhost:x",
        "localhost/",
        "localhost ",
        "//localhost",
        "localhost#a",
        "localhost\\@evil.example",
        "::1",
        "[::1",
        "[::ffff:127.0.0.1]",
        "127.1",
        "0.0.0.0",
        "127.0.0.2",
        "box.example",
        "box.example:8444",
        "a.cio.example",
        "[2001:db8::2]",
        "l\xf6calhost",
    ],
)
async def test_a_name_that_is_not_named_is_not_answered(host: str) -> None:
    assert await status_of([host], []) == 421


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"], ["localhost", "evil.example"]])
async def test_a_request_has_one_name(hosts: list[str]) -> None:
    assert await status_of(hosts, []) == 421


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:1",
        "127.0.0.1:8000",
        "[::1]",
        "[::1]:8000",
        "cio.example",
        "cio.example:1",
        "box.example:8443",
        "[2001:db8::1]:80",
    ],
)
async def test_a_name_that_is_named_is_answered(host: str) -> None:
    assert await status_of([host], []) == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost", 200),
        ("http://localhost:3000", 200),
        ("https://127.0.0.1:8443", 200),
        ("http://[::1]:1", 200),
        ("https://app.example", 200),
        ("http://dev.example:5173", 200),
        ("", 403),
        ("null", 403),
        ("https://evil.example", 403),
        ("http://app.example", 403),
        ("https://app.example:8443", 403),
        ("https://app.example.evil", 403),
        ("https://dev.example:5173", 403),
        ("http://dev.example:x", 403),
        ("https://cio.example", 403),
        ("http://localhost@evil.example", 403),
        ("http://localhost:80@evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("file://localhost", 403),
        ("localhost", 403),
        ("chrome-extension://localhost", 403),
    ],
)
async def test_a_page_is_answered_if_its_origin_is_named_or_this_machines(origin: str, status: int) -> None:
    assert await status_of(["localhost"], [origin]) == status
    assert await status_of(["localhost"], ["http://localhost", origin]) == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://localhost:1", 200), ("http://localhost", 403), ("https://localhost:1", 403)],
)
async def test_what_needs_no_key_is_for_its_own_pages(origin: str, status: int) -> None:
    assert await status_of(["localhost:1"], [origin], "/_sandbox/clock") == status


@pytest.mark.parametrize(("method", "path"), [("POST", "/mcp"), ("GET", "/sse"), ("POST", "/messages/")])
async def test_the_server_asks_for_a_name_before_anything_else(method: str, path: str) -> None:
    application = create_app(load({"CIO_SANDBOX": "on"}))
    wire = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=wire, base_url="http://localhost") as http:
        foreign = await http.request(method, path, headers={"host": "evil.example"}, json=HELLO)
        page = await http.request(
            method, path, headers=ACCEPT | {"origin": "https://evil.example"}, json=HELLO
        )

    assert (foreign.status_code, page.status_code) == (421, 403)
    assert "CIO_ALLOWED_HOSTS" in foreign.text
    assert "CIO_ALLOWED_ORIGINS" in page.text

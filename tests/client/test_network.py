"""The wire itself, over real sockets on loopback."""

import asyncio
import sys
from importlib.abc import MetaPathFinder

import httpx
import pytest

from cio_mcp.client import RequestKind
from cio_mcp.client.network import Network
from cio_mcp.client.pacing import Limits
from cio_mcp.errors import NotSent, Refused
from tests.client.wires import connected, serving

pytestmark = [pytest.mark.anyio, pytest.mark.real_time]


async def test_a_request_arrives_as_it_was_made() -> None:
    async with serving() as server, connected(Network(), track_url=server.url) as there:
        assert await there.track().put("/api/v1/customers/{id}", {"a": "ä"}, id="x/ä") == {}

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().splitlines()
    assert lines[0] == "put /api/v1/customers/x%2f%c3%a4 http/1.1"
    assert "authorization: basic c2l0ztprzxk=" in lines
    assert "content-type: application/json" in lines
    assert sum(line.startswith("host: ") for line in lines) == 1
    assert body == '{"a":"ä"}'.encode()


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with serving() as server, connected(Network(), track_url=server.url) as there:
        for _ in range(5):
            await there.track().post("/api/v1/events", {}, kind=RequestKind.REPEATABLE)

    assert (len(server.requests), server.connections) == (5, 1)


async def test_a_request_searches_no_folder_for_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    class Finder(MetaPathFinder):
        def find_spec(self, fullname: str, *_: object) -> None:
            searched.append(fullname)

    async with serving() as server, connected(Network(), track_url=server.url) as there:
        await there.track().get("/api/v1/x")
        monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
        await there.track().get("/api/v1/x")

    assert not searched


async def test_a_body_can_be_read_piece_by_piece_and_its_connection_is_closed() -> None:
    async with serving() as server:
        asked = httpx.Request("GET", f"{server.url}/file", headers={"range": "bytes=1-"})
        async with Network().streamed(asked) as answer:
            assert not answer.is_closed
            assert b"".join([piece async for piece in answer.aiter_bytes()]) == b"{}"
        assert answer.is_closed

    assert b"range: bytes=1-" in server.requests[0].lower()


async def test_a_burst_opens_32_connections_at_the_most() -> None:
    async with (
        serving(latency=0.05) as server,
        connected(Network(), track_url=server.url, limits=Limits(track=100_000)) as there,
    ):
        await asyncio.gather(*(there.track().get("/api/v1/x") for _ in range(80)))

    assert (len(server.requests), server.connections) == (80, 32)


async def test_a_redirect_is_an_answer_and_leads_nowhere_by_itself() -> None:
    async with serving() as other:
        to_other = f"HTTP/1.1 307 Elsewhere\r\nlocation: {other.url}/x\r\ncontent-length: 0\r\n\r\n".encode()
        async with serving(to_other) as server, connected(Network(), track_url=server.url) as there:
            with pytest.raises(Refused, match="the credentials were not sent there"):
                await there.track().get("/api/v1/x")

    assert not other.requests


async def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with connected(Network(), track_url="http://track.invalid") as there:
            await there.track().get("/api/v1/x")

    assert proxy.requests[0].startswith(b"GET http://track.invalid/api/v1/x HTTP/1.1\r\n")


async def test_a_host_that_is_to_be_reached_directly_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "example.com,127.0.0.1")
    async with serving() as server, connected(Network(), track_url=server.url) as there:
        await there.track().get("/api/v1/x")

    assert len(server.requests) == 1


async def test_where_nobody_listens_nothing_is_sent() -> None:
    async with serving() as server:
        closed = server.url
    async with connected(Network(), track_url=closed, jitter=0) as there:
        with pytest.raises(NotSent) as raised:
            await there.track().post("/api/v1/events", {}, kind=RequestKind.ONCE)

    assert raised.value.retryable


@pytest.mark.parametrize(
    ("name", "proxy", "url", "cause"),
    [
        (
            "HTTP_PROXY",
            "http://user:s3cret@127.0.0.1:9",
            "http://track.invalid",
            "Not sent: the proxy 127.0.0.1:9 on the way to ",
        ),
        (
            "HTTPS_PROXY",
            "http://user:s3cret@:port",
            "https://track.invalid",
            "is not the address of a proxy, such as http://proxy",
        ),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_blamed_without_its_password(
    monkeypatch: pytest.MonkeyPatch, name: str, proxy: str, url: str, cause: str
) -> None:
    monkeypatch.setenv(name, proxy)
    async with connected(Network(), track_url=url, jitter=0) as there:
        with pytest.raises(NotSent, match=cause) as raised:
            await there.track().post("/api/v1/events", {}, kind=RequestKind.ONCE)

    assert "s3cret" not in str(raised.value)


async def test_a_wire_that_was_never_used_can_be_closed() -> None:
    await Network().aclose()

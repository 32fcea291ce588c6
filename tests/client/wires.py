"""What the client's tests let requests leave through."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from cio_mcp.client import AppApi, CustomerIO, TrackApi
from cio_mcp.client.access import Access
from cio_mcp.client.pacing import Limits

End = int | httpx.Response | type[httpx.TransportError]
TRACK_URL, APP_URL = "https://track.customer.io", "https://api.customer.io"


@dataclass
class Script(httpx.AsyncBaseTransport):
    """Ends one request after the other as told, and all further ones well; keeps when each arrived."""

    ends: list[End] = field(default_factory=list)
    answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200, json={})
    latency: float = 0.0
    arrivals: list[tuple[float, httpx.Request]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.arrivals.append((asyncio.get_running_loop().time(), request))
        end = self.ends.pop(0) if self.ends else None
        if isinstance(end, type):
            raise end("https://example.com/?secret=1", request=request)
        if self.latency:
            await asyncio.sleep(self.latency)
        if isinstance(end, int):
            return httpx.Response(end)
        return end or self.answer(request)

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.arrivals]

    @property
    def requests(self) -> list[httpx.Request]:
        return [request for _, request in self.arrivals]


@dataclass
class LocalServer:
    """An HTTP server on loopback that gives the same answer to all; keeps what was asked."""

    answer: bytes
    latency: float
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
                self.requests.append(head + await reader.readexactly(length))
                await asyncio.sleep(self.latency)
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    answer: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", *, latency: float = 0.0
) -> AsyncIterator[LocalServer]:
    """Serve on a free port, in real time."""
    local = LocalServer(answer, latency)
    server = await asyncio.start_server(local.serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()[:2]
        local.url = f"http://{host}:{port}"
        yield local


@dataclass
class Connected:
    """A client on a wire; each use of an API is a call of its own."""

    client: CustomerIO
    wire: httpx.AsyncBaseTransport

    def track(self, *, dry_run: bool = False) -> TrackApi:
        return self.client.api(TrackApi, self.client.begin(dry_run=dry_run))

    def app(self, *, dry_run: bool = False) -> AppApi:
        return self.client.api(AppApi, self.client.begin(dry_run=dry_run))


@asynccontextmanager
async def connected(
    wire: httpx.AsyncBaseTransport,
    *,
    limits: Limits | None = None,
    deadline: float = 30,
    jitter: float = 1.0,
    track_url: str = TRACK_URL,
) -> AsyncIterator[Connected]:
    """Connect a client to a wire; `jitter` is the share of each pause that is taken."""
    track = Access("track", track_url, "Basic c2l0ZTprZXk=")
    app = Access("app", APP_URL, "Bearer app-key")
    track.sibling, app.sibling = app, track
    client = CustomerIO(
        wire,
        [track, app],
        limits=limits or Limits(),
        deadline=deadline,
        user_agent="cio-mcp/test",
        jitter=lambda: jitter,
    )
    try:
        yield Connected(client, wire)
    finally:
        await client.aclose(grace=deadline)


def most_in_a_window(times: Sequence[float], window: float = 1.0) -> int:
    """Return the largest number of arrivals in any window, as a strict server counts them."""
    return max(sum(1 for at in times if start <= at < start + window) for start in times)

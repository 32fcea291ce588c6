"""Nobody can use up the server: not with streams, requests or sessions, and not by sending nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from uvicorn.server import ServerState

from cio_mcp.asgi import create_app
from cio_mcp.auth.tokens import add
from cio_mcp.safety.grant import Grant
from cio_mcp.settings import load
from cio_mcp.transports.http.connections import HEADERS, MOMENT, MOST_WAITING, PatientProtocol
from cio_mcp.transports.http.intake import BYTES, PART, REQUESTS, STREAMS
from cio_mcp.transports.http.streamable_http import MOST_SESSIONS
from tests.transports.messages import HELLO

pytestmark = pytest.mark.anyio

ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


class Knock:
    """One request to an ASGI application, whose body comes in as the test says; `answered` has its status."""

    made: ClassVar[list["Knock"]] = []

    def __init__(self, app: Starlette, method: str, path: str, token: str, **scope: Any) -> None:
        headers = {"host": "localhost", "authorization": f"Bearer {token}"} | ACCEPT
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        } | scope
        self._app = app
        self.body: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.told = b""
        self.running = asyncio.create_task(app(self.scope, self.body.get, self._send))
        self.made.append(self)

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start" and not self.answered.done():
            self.answered.set_result(message["status"])
        self.told += message.get("body", b"")

    def send(self, part: bytes, *, more: bool = False) -> "Knock":
        self.body.put_nowait({"type": "http.request", "body": part, "more_body": more})
        return self

    async def leave(self) -> None:
        self.body.put_nowait({"type": "http.disconnect"})
        await self.running


@asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[None]:
    """Run an application, and let all who have knocked leave before it ends."""
    async with app.router.lifespan_context(app):
        yield
        await asyncio.gather(*(knock.leave() for knock in Knock.made))
    Knock.made.clear()


@asynccontextmanager
async def serving(tmp_path: Path, **environ: str) -> AsyncIterator[tuple[Starlette, str, str]]:
    """Serve in this process; yields the application and the tokens of two callers."""
    path = tmp_path / "tokens.json"
    one, other = (add(path, Grant(name=name)) for name in ("one", "other"))
    app = create_app(load({"CIO_SANDBOX": "on", "CIO_TOKENS_FILE": str(path)} | environ))
    async with running(app):
        yield app, one, other


async def statuses(knocks: list[Knock]) -> list[int]:
    await asyncio.wait([knock.answered for knock in knocks], timeout=5)
    return [knock.answered.result() if knock.answered.done() else 0 for knock in knocks]


@pytest.mark.repeating
async def test_a_token_has_a_part_of_all_streams_and_leaves_the_rest_to_others(tmp_path: Path) -> None:
    async with serving(tmp_path) as (app, one, other):
        many = [Knock(app, "GET", "/sse", one) for _ in range(int(STREAMS * PART) + 20)]
        found = await statuses(many)
        beside = await statuses([Knock(app, "GET", "/sse", other)])
        posted = await statuses([Knock(app, "POST", "/mcp", one).send(json.dumps(HELLO).encode())])
        await many[0].leave()
        again = await statuses([Knock(app, "GET", "/sse", one)])

        assert (found.count(200), found.count(429)) == (STREAMS * PART, 20)
        assert b"one has too many streams open" in many[-1].told
        assert (beside, posted, again) == ([200], [200], [200])


async def test_a_token_has_a_part_of_all_requests(tmp_path: Path) -> None:
    async with serving(tmp_path) as (app, one, other):
        many = [Knock(app, "POST", "/mcp", one) for _ in range(int(REQUESTS * PART) + 5)]
        await asyncio.sleep(0)
        found = [knock.answered.result() for knock in many if knock.answered.done()]
        beside = await statuses([Knock(app, "POST", "/mcp", other).send(json.dumps(HELLO).encode())])

        assert found == [429] * 5
        assert beside == [200]


async def test_a_token_has_a_part_of_the_bytes_that_wait(tmp_path: Path) -> None:
    megabytes = int(BYTES * PART) // 1_000_000
    async with serving(tmp_path) as (app, one, _):
        many = [Knock(app, "POST", "/mcp", one).send(b" " * 1_000_000, more=True) for _ in range(megabytes)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert not any(knock.answered.done() for knock in many)
        (late,) = await statuses([Knock(app, "POST", "/mcp", one).send(b" " * 1_000_000, more=True)])

        assert late == 429


@pytest.mark.repeating
async def test_a_token_has_a_part_of_all_sessions(tmp_path: Path) -> None:
    most = int(MOST_SESSIONS * PART)
    async with serving(tmp_path) as (app, one, other):
        hello = json.dumps(HELLO).encode()
        found = []
        for _ in range(most + 2):
            found += await statuses([Knock(app, "POST", "/mcp", one).send(hello)])
        beside = await statuses([Knock(app, "POST", "/mcp", other).send(hello)])

    assert (found.count(200), found.count(429)) == (most, 2)
    assert beside == [200]


async def test_a_body_that_stops_coming_is_cut(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with serving(tmp_path) as (app, one, _):
        idle, slow, begun = Knock(app, "POST", "/mcp", one), Knock(app, "POST", "/mcp", one), loop.time()
        idle.send(b"{", more=True)

        async def dribble() -> None:
            while True:
                slow.send(b" ", more=True)
                await asyncio.sleep(1)

        dribbling = asyncio.create_task(dribble())
        took = []
        for knock in (idle, slow):
            assert await knock.answered == 408
            took.append(round(loop.time() - begun))
        dribbling.cancel()

    assert took == [10, 30]


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        (("127.0.0.1", 1), {}, 200),
        (("::1", 1), {}, 200),
        (("192.0.2.7", 1), {}, 403),
        (("192.0.2.7", 1), {"x-forwarded-for": "127.0.0.1"}, 403),
        (("192.0.2.7", 1), {"forwarded": "for=127.0.0.1"}, 403),
        (("192.0.2.7", 1), {"x-real-ip": "127.0.0.1"}, 403),
        (("127.0.0.1", 1), {"x-forwarded-for": "192.0.2.7"}, 200),
        (None, {}, 403),
    ],
)
async def test_without_tokens_only_this_host_is_answered_whatever_a_header_says(
    client: Any, headers: dict[str, str], status: int
) -> None:
    app = create_app(load({"CIO_SANDBOX": "on"}))
    async with running(app):
        pairs = {"host": "localhost"} | ACCEPT | headers
        raw = [(name.encode(), value.encode()) for name, value in pairs.items()]
        knock = Knock(app, "POST", "/mcp", "", client=client, headers=raw).send(json.dumps(HELLO).encode())
        (found,) = await statuses([knock])
        (stream,) = await statuses([Knock(app, "GET", "/sse", "", client=client, headers=raw)])

    assert found == status
    assert stream == status


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[int]:
    """Serve an application as `cio-mcp serve` does, on a port of this process."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: PatientProtocol(config, state, {}), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


async def hello(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


HALF = b"GET / HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize(
    "first",
    [b"", b"G", HALF, HALF + b"\r\n" + HALF, b"POST / HTTP/1.1\r\ncontent-length: 9\r\nhost: x\r\n\r\n{"],
)
async def test_a_connection_on_which_no_request_comes_in_is_cut(first: bytes) -> None:
    loop = asyncio.get_running_loop()
    async with listening(hello) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        begun = loop.time()
        writer.write(first)

        async def dribble() -> None:
            while True:
                await asyncio.sleep(1)
                writer.write(b"a")

        dribbling = asyncio.create_task(dribble())
        try:
            while await reader.read(1000):
                pass
        except ConnectionError:
            pass
        took = loop.time() - begun
        dribbling.cancel()
        writer.close()

    assert took <= HEADERS + 1


async def test_of_too_many_connections_that_only_wait_the_oldest_are_cut_and_new_ones_answered() -> None:
    async with listening(hello) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_WAITING)]
        await asyncio.sleep(MOMENT)
        idle += [await asyncio.open_connection("127.0.0.1", port) for _ in range(44)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HALF + b"\r\n")
        answer = await reader.readuntil(b"ok")
        cut = [first.at_eof() or first.exception() is not None for first, _ in idle]
        for _, each in [*idle, (reader, writer)]:
            each.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert cut == [True] * 45 + [False] * (MOST_WAITING - 1)


async def test_many_that_connect_at_once_are_all_answered() -> None:
    async with listening(hello) as port:
        many = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2 * MOST_WAITING)]
        for _, writer in many:
            writer.write(HALF + b"\r\n")
        answers = [await reader.readuntil(b"ok") for reader, _ in many]
        for _, writer in many:
            writer.close()

    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)


async def test_health_is_told_while_one_token_has_all_that_it_may(tmp_path: Path) -> None:
    async with serving(tmp_path) as (app, one, other):
        await statuses([Knock(app, "GET", "/sse", one) for _ in range(int(STREAMS * PART) + 10)])
        wire = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=wire, base_url="http://localhost") as http:
            answer = await http.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert other

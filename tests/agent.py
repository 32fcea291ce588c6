"""An agent as the tests play it: an MCP client on the real server, with the sandbox behind it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from mcp import Client

from cio_mcp.app.application import App
from cio_mcp.app.build import build
from cio_mcp.cli import main
from cio_mcp.sandbox import Sandbox
from cio_mcp.server.server import Server, facts
from cio_mcp.settings import load
from tests.planted import START, a_sandbox, the_story

Fault = int | httpx.Response | type[httpx.TransportError]

FREE = {"confirm": "off", "allow_bcc": "true", "toolsets": "all"}


# What most tests send is not about the data that the message needs.
MISSING = {"allow_missing": True}
ALLOWING = {
    "trigger_broadcast": MISSING,
    "send_transactional_email": MISSING,
    "send_transactional_message": MISSING,
}


class Clock:
    """A time of day that passes as the event loop's does, so that sandbox and client agree on seconds.

    It begins when it is first read, at the moment for which a story is planted already.
    """

    def __init__(self) -> None:
        self._began: float | None = None

    def __call__(self) -> float:
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now
        return START + (now - self._began)


class Wire(httpx.AsyncBaseTransport):
    """Leads to a sandbox, records what passes, and fails on demand.

    What `refuses` fits is answered with 403, whenever it comes. A fault is a status, an answer, or an
    exception class; it strikes before the sandbox sees the next request (`of` that method, if named), or,
    with `late`, after it has done what was asked and before the answer is back. `meets` is told of each
    request before anything becomes of it; `delays` are seconds before it arrives, and `lags` those before its
    answer is back.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.requests: list[httpx.Request] = []
        self.faults: list[tuple[Fault, bool, str]] = []
        self.latency = 0.0
        self.delays: Callable[[httpx.Request], float] = lambda _: 0.0
        self.lags: Callable[[httpx.Request], float] = lambda _: 0.0
        self.refuses: Callable[[httpx.Request], bool] = lambda _: False
        self.meets: Callable[[httpx.Request], None] = lambda _: None
        self._inner = httpx.ASGITransport(app=sandbox.app)

    def fail(self, fault: Fault, *, late: bool = False, times: int = 1, of: str = "") -> None:
        self.faults += [(fault, late, of)] * times

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.meets(request)
        if delay := self.latency + self.delays(request):
            await asyncio.sleep(delay)
        if self.refuses(request):
            return httpx.Response(403, json={"errors": [{"detail": "no such scope", "status": "403"}]})
        strikes = bool(self.faults) and self.faults[0][2] in {"", request.method}
        fault, late, _ = self.faults.pop(0) if strikes else (None, True, "")
        answer = await self._inner.handle_async_request(request) if late else None
        if lag := self.lags(request):
            await asyncio.sleep(lag)
        if isinstance(fault, int):
            return httpx.Response(fault, text="<html><title>Bad gateway</title></html>")
        if isinstance(fault, httpx.Response):
            return fault
        if fault is not None:
            raise fault("injected", request=request)
        assert answer is not None
        return answer


class Caller:
    """Calls tools and hands out the structured answers; `texts` are those of calls that failed.

    The client checks each answer against the tool's output schema, and fails where one does not fit.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.texts: list[str] = []

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer of a call that must succeed."""
        result = await self.client.call_tool(tool, ALLOWING.get(tool, {}) | arguments)
        assert not result.is_error, result.content
        return facts(result)

    async def fail(self, tool: str, **arguments: Any) -> str:
        """Return the text of a call that must fail; its facts are kept in `facts`."""
        result = await self.client.call_tool(tool, ALLOWING.get(tool, {}) | arguments)
        assert result.is_error, result.structured_content
        assert result.structured_content is None, "a strict client would drop it with the text"
        self.facts = facts(result)
        text = getattr(result.content[0], "text", "")
        self.texts.append(text)
        return str(text)


class Agent(Caller):
    """A caller of a server that the tests hold in their hands: what stands behind it, and what has left."""

    def __init__(self, client: Client, app: App, wire: Wire, clock: Clock) -> None:
        super().__init__(client)
        self.app, self.wire, self.clock = app, wire, clock

    @property
    def sent(self) -> list[str]:
        """What has left so far, as method and path."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.wire.requests]

    @property
    def last(self) -> tuple[str, dict[str, str], Any]:
        """The last request: its method and path, its query, its body."""
        request = self.wire.requests[-1]
        path = request.url.raw_path.decode().partition("?")[0]
        body = json.loads(request.content) if request.content else None
        return f"{request.method} {path}", dict(request.url.params), body


@asynccontextmanager
async def an_agent(
    *,
    beside: Agent | None = None,
    elicitation: Any = None,
    mode: str = "auto",
    broadcast_seconds: int = 3,
    lag: float = 0.0,
    whole: bool = False,
    **settings: str,
) -> AsyncIterator[Agent]:
    """Start a server on a fresh sandbox, as `settings` (CIO_ variables without the prefix) say.

    All tools are on, nothing needs a confirmation and bcc is allowed unless they say otherwise.
    `beside` another agent it is a second process on the same workspace; `elicitation` is how the client asks
    a person, and `mode` which era of the protocol it speaks. `lag` is how many seconds the sandbox takes to
    apply what Track accepted, and `broadcast_seconds` how many to work through a broadcast.
    The sandbox has the people whom its story names, or the `whole` story.
    """
    async with AsyncExitStack() as stack:
        clock = beside.clock if beside else Clock()
        if beside:
            sandbox = beside.wire.sandbox
        else:
            sandbox = (
                the_story(clock) if whole else a_sandbox(clock, lag=lag, broadcast_seconds=broadcast_seconds)
            )
            stack.callback(sandbox.close)
        keys = {
            "site_id": sandbox.credentials.site_id,
            "track_api_key": sandbox.credentials.track_api_key,
            "app_api_key": sandbox.credentials.app_api_key,
        }
        environ = {f"CIO_{name.upper()}": value for name, value in (keys | FREE | settings).items()}
        wire = Wire(sandbox)
        app = build(load(environ), wire=wire, clock=clock)
        stack.push_async_callback(app.aclose)
        client = Client(Server(app), elicitation_callback=elicitation, mode=mode)
        yield Agent(await stack.enter_async_context(client), app, wire, clock)


def at_the_shell(*arguments: str) -> int:
    """Run a command of `cio-mcp` while agents are connected; returns its exit status."""
    with ThreadPoolExecutor() as elsewhere:
        return elsewhere.submit(main, arguments).result()

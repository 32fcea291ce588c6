"""What monitors a server over HTTP reads, and what only whoever serves HTTP can count for it."""

import hmac
import ipaddress
from collections import Counter
from typing import Literal

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cio_mcp.app import App
from cio_mcp.http.metrics import exposition

# Paths that are told apart; a client may make up any other.
PATHS = ("/mcp", "/sse", "/messages", "/healthz", "/readyz", "/metrics")

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Traffic:
    """Answers so far by path and status, and requests by path that are being answered."""

    def __init__(self) -> None:
        self.answers = Counter[tuple[str, int]]()
        self.open = Counter[str]()


class Counting:
    """ASGI middleware that counts every answer, those of what guards the routes too."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app, self._traffic = app, traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count the answer when it begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = scope["path"].rstrip("/")
        path = asked if asked in PATHS else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._traffic.answers[path, message["status"]] += 1
            await send(message)

        self._traffic.open[path] += 1
        try:
            await self._app(scope, receive, counted)
        finally:
            self._traffic.open[path] -= 1


Readers = Literal["loopback", "open", "off"] | SecretStr


def metrics_route(app: App, traffic: Traffic, readers: Readers) -> Route:
    """Return the route of /metrics, which only `readers` are answered on."""

    async def metrics(request: Request) -> Response:
        if refusal := _refusal(request, readers):
            return refusal
        text = await exposition(app, traffic.answers, _sessions(app, traffic))
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    return Route("/metrics", metrics)


def _refusal(request: Request, readers: Readers) -> Response | None:
    if isinstance(readers, SecretStr):
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        holds = hmac.compare_digest(token.strip().encode(), readers.get_secret_value().encode())
        if scheme.lower() == "bearer" and holds:
            return None
        headers = {"WWW-Authenticate": "Bearer"}
        return PlainTextResponse("/metrics wants the token of CIO_METRICS.\n", 401, headers)
    if readers == "open" or _is_local(request):
        return None
    return PlainTextResponse("/metrics is read from this host only; see CIO_METRICS.\n", 403)


def _is_local(request: Request) -> bool:
    """Say whether a request is from this host, by a name of loopback: not through a proxy that runs here."""
    try:
        near = ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        near = False
    return near and request.url.hostname in LOOPBACK and "x-forwarded-for" not in request.headers


def _sessions(app: App, traffic: Traffic) -> dict[str, int]:
    """Count the streams of SSE, and the sessions that the SDK keeps for Streamable HTTP until 2025-11-25."""
    try:
        http = len(app.server.session_manager._server_instances)  # nothing public tells it
    except RuntimeError:  # it is not served
        http = 0
    return {"http": http, "sse": traffic.open["/sse"]}

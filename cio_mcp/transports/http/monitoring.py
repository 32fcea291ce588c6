"""What monitors a server over HTTP reads, and what only whoever serves HTTP can count for it."""

import hmac
from collections import Counter
from itertools import chain

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cio_mcp.server.server import Server
from cio_mcp.settings.values import MetricsReaders
from cio_mcp.transports.http.loopback import is_local
from cio_mcp.transports.http.metrics import exposition
from cio_mcp.transports.http.transports import TRANSPORTS

# Paths that are told apart; a client may make up any other.
PATHS = (*chain(*(way.paths for way in TRANSPORTS.values())), "/healthz", "/readyz", "/metrics")


class AnswerCounts:
    """Answers so far by path and status, and requests by path that are being answered."""

    def __init__(self) -> None:
        self.answers = Counter[tuple[str, int]]()
        self.open = Counter[str]()


class AnswerCounter:
    """ASGI middleware that counts every answer, those of what guards the routes too."""

    def __init__(self, app: ASGIApp, counts: AnswerCounts) -> None:
        self._app, self._counts = app, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count the answer when it begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = scope["path"].rstrip("/")
        path = asked if asked in PATHS else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counts.answers[path, message["status"]] += 1
            await send(message)

        self._counts.open[path] += 1
        try:
            await self._app(scope, receive, counted)
        finally:
            self._counts.open[path] -= 1


def metrics_route(server: Server, counts: AnswerCounts, readers: MetricsReaders) -> Route:
    """Return the route of /metrics, which only `readers` are answered on."""

    async def metrics(request: Request) -> Response:
        if refusal := _refusal(request, readers):
            return refusal
        sessions = {name: way.sessions(server, counts.open) for name, way in TRANSPORTS.items()}
        text = await exposition(server.app, counts.answers, sessions)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    return Route("/metrics", metrics)


def _refusal(request: Request, readers: MetricsReaders) -> Response | None:
    if isinstance(readers, SecretStr):
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        holds = hmac.compare_digest(token.strip().encode(), readers.get_secret_value().encode())
        if scheme.lower() == "bearer" and holds:
            return None
        headers = {"WWW-Authenticate": "Bearer"}
        return PlainTextResponse("/metrics needs the token in CIO_METRICS.\n", 401, headers)
    if readers == "open" or is_local(request):
        return None
    return PlainTextResponse("/metrics is read from this host only; see CIO_METRICS.\n", 403)

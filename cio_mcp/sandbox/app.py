"""The ASGI application: finds the route, checks credentials and limits, answers."""

import base64
import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cio_mcp.sandbox.http import Asked, Handler, Rejected, app_error, track_error
from cio_mcp.sandbox.routes import TABLES
from cio_mcp.sandbox.seed import plant
from cio_mcp.sandbox.state.workspace import Workspace


@dataclass(frozen=True)
class Credentials:
    """What opens the sandbox."""

    site_id: str = "sandbox-site"
    track_api_key: str = "sandbox-track-key"
    app_api_key: str = "sandbox-app-key"


@dataclass(frozen=True)
class Limits:
    """Requests per second that are answered; more get a 429. Track documents none: the brief's is taken."""

    track: int = 100
    app: int = 10
    send: int = 100


class Sandbox:
    """An imitation of one workspace. `app` is the ASGI application, `workspace` the state behind it.

    `path` is a SQLite file that several sandboxes may share, or `:memory:`; `clock` is the time of day in
    unix seconds; `lag` is how many seconds a Track write waits before it takes effect, `broadcast_seconds`
    how many a broadcast's trigger takes to be worked through. A new workspace is planted with a small story
    unless `seed` is false, or starts with all that `copy_of` holds: times in it do not move with the clock.
    """

    def __init__(
        self,
        path: str | Path = ":memory:",
        *,
        clock: Callable[[], float] = time.time,
        region: Literal["us", "eu"] = "us",
        credentials: Credentials = Credentials(),
        limits: Limits = Limits(),
        lag: float = 0.0,
        broadcast_seconds: int = 3,
        seed: bool = True,
        copy_of: "Sandbox | None" = None,
    ) -> None:
        self.credentials = credentials
        self.workspace = Workspace(
            path, clock=clock, region=region, lag=lag, broadcast_seconds=broadcast_seconds
        )
        try:
            if copy_of:
                self.workspace.copy(copy_of.workspace)
            elif seed:
                plant(self.workspace)
        except BaseException:
            self.close()
            raise
        self._gate = _Gate(credentials, limits, clock)
        self.app: ASGIApp = _RawPath(
            Starlette(
                routes=[_route(path, method, self._endpoint(handler)) for method, path, handler in TABLES],
                exception_handlers={404: _not_imitated},
            )
        )

    def close(self) -> None:
        """Close the database."""
        self.workspace.close()

    def _endpoint(self, handler: Handler) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            asked = Asked(
                request.path_params, dict(request.query_params), await request.body(), self.workspace
            )
            try:
                self._gate.check(request)
                with self.workspace.transaction():
                    answer = handler(asked)
                return Response(status_code=204) if answer is None else _json(200, answer)
            except Rejected as rejected:
                return _json(rejected.status, rejected.body)

        return endpoint


class _Gate:
    """Lets in who has the key and keeps to the limit."""

    def __init__(self, credentials: Credentials, limits: Limits, clock: Callable[[], float]) -> None:
        pair = f"{credentials.site_id}:{credentials.track_api_key}".encode()
        self._opens = {
            "track": f"Basic {base64.b64encode(pair).decode()}",
            "app": f"Bearer {credentials.app_api_key}",
        }
        self._limits = {"track": limits.track, "app": limits.app, "send": limits.send}
        self._clock = clock
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def check(self, request: Request) -> None:
        path = request.url.path
        api = "track" if path.startswith("/api/") else "app"
        if request.headers.get("authorization") != self._opens[api]:
            raise track_error("Unauthorized", 401) if api == "track" else app_error("unauthorized", 401)
        if request.method == "POST" and path.endswith("/triggers"):
            return  # triggers have a limit of their own for each broadcast
        bucket = "send" if path.startswith("/v1/send/") else api
        seen, now = self._seen[bucket], self._clock()
        while seen and seen[0] <= now - 1:
            seen.popleft()
        if len(seen) >= self._limits[bucket]:
            # The body of a 429 is not documented.
            detail = "rate limit exceeded"
            raise track_error(detail, 429) if api == "track" else app_error(detail, 429)
        seen.append(now)


class _Segment(Convertor[str]):
    """One path segment, whatever it holds, decoded once."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value, errors="replace")

    def to_string(self, value: str) -> str:
        raise NotImplementedError


class _RawPath:
    """Routes by the path as it came: an encoded slash in an identifier does not end a segment."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        await self._app(scope, receive, send)


def _route(path: str, method: str, endpoint: Callable[[Request], Any]) -> Route:
    return Route(re.sub(r"{(\w+)}", r"{\1:segment}", path), endpoint, methods=[method])


async def _not_imitated(request: Request, _: Exception) -> Response:
    """Say that a path is not imitated, so that a wrong address never passes for a missing customer."""
    detail = f"the sandbox does not imitate {request.method} {request.url.path}"
    return _json(501, {"errors": [{"detail": detail, "status": "501"}]})


def _json(status: int, body: Any) -> Response:
    return Response(json.dumps(body) + "\n", status, media_type="application/json; charset=utf-8")


register_url_convertor("segment", _Segment())

"""The ASGI application: finds the route, checks credentials and limits, answers."""

import base64
import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cio_mcp.sandbox.contract import CONTRACT
from cio_mcp.sandbox.http import ApiRequest, Handler, Partly, Rejected, app_error, track_error
from cio_mcp.sandbox.routes import TABLES
from cio_mcp.sandbox.seed import plant
from cio_mcp.sandbox.state.workspace import Workspace


@dataclass(frozen=True)
class Credentials:
    """What opens the sandbox."""

    site_id: str = "sandbox-site"
    track_api_key: str = "sandbox-track-key"
    app_api_key: str = "sandbox-app-key"
    service_account: str = "sa_live_sandbox"


# Tells what counts a request such as `GET /v1/messages`: the name of each count, the most requests that it
# allows, and in how many seconds.
Counts = Callable[[str], Iterable[tuple[str, float, float]]]


class Sandbox:
    """An imitation of one workspace: an ASGI application, with the state behind it in `workspace`.

    `path` is a SQLite file that several sandboxes may share, or `:memory:`; `clock` is the time of day in
    unix seconds; what `counts` allows is answered and the rest gets a 429, and without it nothing is counted;
    `lag` is how many seconds a Track write waits before it takes effect, `broadcast_seconds`
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
        counts: Counts = lambda _: (),
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
        self._gate = _Gate(credentials, counts, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.app(scope, receive, send)

    @cached_property
    def app(self) -> ASGIApp:
        """The routes, made at the first request: who waits for a server to start has made none."""
        routes = [
            _route(path, method, self._endpoint(handler, CONTRACT.of(method, path)))
            for method, path, handler in TABLES
        ]
        return _RawPath(Starlette(routes=routes, exception_handlers={404: _not_imitated}))

    def close(self) -> None:
        """Close the database."""
        self.workspace.close()

    def _endpoint(self, handler: Handler, facts: dict[str, Any] | None) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            asked = ApiRequest(
                dict(request.path_params), dict(request.query_params), await request.body(), self.workspace
            )
            try:
                self._gate.check(request)
                with self.workspace.transaction():
                    answer = _checked(request, facts, asked, handler)
                if isinstance(answer, Partly):
                    return _json(207, answer.body)
                return Response(status_code=204) if answer is None else _json(200, answer)
            except Rejected as rejected:
                return _json(rejected.status, rejected.body)

        return endpoint


def _checked(request: Request, facts: dict[str, Any] | None, asked: ApiRequest, handler: Handler) -> Any:
    """Return a handler's answer to a request that the API's descriptions know; raises Rejected.

    A handler's own words come first. Assumed: the live API may pass over a name that it does not know; here
    that is a fault, and is told.
    """
    try:
        answer = handler(asked)
    except Rejected:
        raise
    except Exception:
        if (fault := _misfit(request, facts, asked)) is None:
            raise
    else:
        if (fault := _misfit(request, facts, asked)) is None:
            return answer
    told_in_meta = request.url.path.startswith(("/api/", "/v1/send/"))
    raise track_error(fault) if told_in_meta else app_error(fault, 400)


def _misfit(request: Request, facts: dict[str, Any] | None, asked: ApiRequest) -> str | None:
    body = asked.json() if asked.body.strip() else None
    return CONTRACT.fault(facts, request.path_params, asked.query, body) if facts is not None else None


class _Gate:
    """Lets in who has the key and keeps to the limit."""

    def __init__(self, credentials: Credentials, counts: Counts, clock: Callable[[], float]) -> None:
        pair = f"{credentials.site_id}:{credentials.track_api_key}".encode()
        self._opens = {
            "track": f"Basic {base64.b64encode(pair).decode()}",
            "app": f"Bearer {credentials.app_api_key}",
        }
        self._sends = f"Bearer {credentials.service_account}"
        self._counts = counts
        self._clock = clock
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def check(self, request: Request) -> None:
        path = request.url.path
        api = "track" if path.startswith("/api/") else "app"
        given = request.headers.get("authorization")
        if given != self._opens[api] and not (given == self._sends and _names_workspace(request)):
            raise track_error("Unauthorized", 401) if api == "track" else app_error("unauthorized", 401)
        now = self._clock()
        counts = list(self._counts(f"{request.method} {path}"))
        for name, most, window in counts:
            seen = self._seen[name]
            while seen and seen[0] <= now - window:
                seen.popleft()
            if len(seen) >= most:
                # The body of a 429 is not documented.
                detail = "rate limit exceeded"
                raise track_error(detail, 429) if api == "track" else app_error(detail, 429)
        for name, *_ in counts:
            self._seen[name].append(now)


def _names_workspace(request: Request) -> bool:
    """Say whether a send names the workspace: a service account token opens nothing else.

    Documented, 2026-09-17; that anything else is answered with 401 is assumed.
    """
    return request.url.path.startswith("/v1/send/") and request.headers.get("x-workspace-id") == "1"


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

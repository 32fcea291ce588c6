"""The ASGI application: finds the route, checks credentials and limits, answers."""

import json
import re
import time
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cio_mcp.sandbox import assumptions, files
from cio_mcp.sandbox.controls.layer import ControlLayer
from cio_mcp.sandbox.controls.table import ask
from cio_mcp.sandbox.engine import reacting as _reacting  # noqa: F401 - what the log gets is reacted to
from cio_mcp.sandbox.engine.clock import Clock
from cio_mcp.sandbox.faults import book
from cio_mcp.sandbox.faults.layer import FaultLayer
from cio_mcp.sandbox.gate import Counts, Credentials, Gate
from cio_mcp.sandbox.http import ApiRequest, PartialAnswer, Rejected
from cio_mcp.sandbox.operations import OPERATIONS, Operation
from cio_mcp.sandbox.seed import EMPTY, begin
from cio_mcp.sandbox.state.workspace import Workspace


class Sandbox:
    """An imitation of one workspace: an ASGI application, with the state behind it in `workspace`.

    `path` is a SQLite file that several sandboxes may share, or `:memory:`; `clock` is the real time in unix
    seconds, which drives the sandbox's own and the limits; what `counts` allows is answered and the rest gets
    a 429, and without it nothing is counted; `lag` is how many seconds a Track write waits before it takes
    effect, `broadcast_seconds` how many a broadcast's trigger takes to be worked through. A new workspace is
    planted with a small story unless `seed` is false, or starts with all that `copy_of` holds.
    """

    def __init__(
        self,
        path: str | Path = ":memory:",
        *,
        clock: Callable[[], float] = time.time,
        region: Literal["us", "eu"] = "us",
        credentials: Credentials | None = None,
        counts: Counts = lambda _: (),
        lag: float = 0.0,
        broadcast_seconds: int = 3,
        seed: bool = True,
        copy_of: "Sandbox | None" = None,
    ) -> None:
        self.credentials = credentials or Credentials()
        self.workspace = Workspace(
            path, real=clock, region=region, lag=lag, broadcast_seconds=broadcast_seconds
        )
        try:
            if copy_of:
                self.workspace.copy(copy_of.workspace)
            elif seed and not any(map(self.workspace.things, ("campaign", EMPTY))):
                # To look first keeps what is due by now for who comes to do something.
                begin(self.workspace)
        except BaseException:
            self.close()
            raise
        self._gate = Gate(self.credentials, counts, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.app(scope, receive, send)

    @cached_property
    def app(self) -> ASGIApp:
        """What answers, with the faults that are in force."""
        return FaultLayer(self.api, self.workspace)

    @cached_property
    def controlled(self) -> ASGIApp:
        """What answers, with the controls beside it: for those only who may do anything to the sandbox."""
        return ControlLayer(self.app, self.workspace)

    @property
    def api(self) -> ASGIApp:
        """What answers by the routes alone."""
        return _RawPath(self)

    def control(self, method: str, path: str, body: Any) -> Any:
        """Return what a control answers; raises ValueError for what cannot be done."""
        return ask(self.workspace, method, path, body)

    def notes(self) -> list[str]:
        """Return what whoever uses it should know: the faults that are in force."""
        return [
            "fault {number} is in force: {says} (struck {struck} of {met})".format(**fault)
            for fault in book.listed(self.workspace)
            if fault["in_force"]
        ]

    @property
    def clock(self) -> Clock:
        """The sandbox's own time of day."""
        return self.workspace.clock

    def close(self) -> None:
        """Close the database."""
        self.workspace.close()

    async def answer(self, request: Request, operation: Operation) -> Response:
        """Answer a request to a known route."""
        ids, query = dict(request.path_params), dict(request.query_params)
        asked = ApiRequest(request.url.path, ids, query, await request.body(), self.workspace)
        left: dict[str, str] = {}
        try:
            left = self._gate.check(request)
            with self.workspace.transaction(operation.kept(asked)):
                answer = operation.answer(asked)
            if isinstance(answer, PartialAnswer):
                return _json(207, answer.body, left)
            return Response(status_code=204, headers=left) if answer is None else _json(200, answer, left)
        except Rejected as rejected:
            return _json(rejected.status, rejected.body, left | rejected.headers)


class _Segment(Convertor[str]):
    """One path segment, whatever it holds, decoded once."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value, errors="replace")

    def to_string(self, value: str) -> str:
        raise NotImplementedError


class _RawPath:
    """Routes by the path as it came: an encoded slash in an identifier does not end a segment."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["raw_path"].decode("latin-1"), "sandbox": self._sandbox}
        await _routes()(scope, receive, send)


@cache
def _routes() -> ASGIApp:
    """Return the routes of every sandbox, made at the first request: no server makes them at its start."""
    routes = [_route(operation) for operation in OPERATIONS.values()]
    routes.append(Route(files.PATH, files.download))
    return Starlette(routes=routes, exception_handlers={404: _not_imitated, 405: _not_imitated})


def _route(operation: Operation) -> Route:
    method, path = operation.method, operation.path

    async def endpoint(request: Request) -> Response:
        sandbox: Sandbox = request.scope["sandbox"]
        answer = await sandbox.answer(request, operation)
        if numbers := assumptions.of_answer(method, path, answer.status_code):
            answer.headers[assumptions.HEADER] = numbers
        return answer

    return Route(re.sub(r"{(\w+)}", r"{\1:segment}", path), endpoint, methods=[method])


async def _not_imitated(request: Request, _: Exception) -> Response:
    """Say that a path is not imitated, so that a wrong address never passes for a missing customer.

    Live, recorded: there it is a 404 of plain text.
    """
    detail = f"the sandbox does not imitate {request.method} {request.url.path}"
    if request.url.path.startswith("/_sandbox"):
        detail = "the sandbox's controls are off at this address: start it with --controls"
    return _json(501, {"errors": [{"detail": detail, "status": "501"}]})


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    """Return an answer as recorded: JSON and a line break, with its characters and its type."""
    return Response(json.dumps(body) + "\n", status, headers, "application/json; charset=utf-8")


register_url_convertor("segment", _Segment())

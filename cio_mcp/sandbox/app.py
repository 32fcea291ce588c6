"""The ASGI application: finds the route, checks credentials and limits, answers."""

import json
import time
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

from cio_mcp.sandbox import assumptions, files
from cio_mcp.sandbox.asgi import (
    NO_CONTENT,
    ASGIApp,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    no_request,
    request_of,
)
from cio_mcp.sandbox.controls.layer import PREFIX, ControlLayer
from cio_mcp.sandbox.controls.table import ask, ask_in_turns
from cio_mcp.sandbox.engine import reacting as _reacting  # noqa: F401 - what the log gets is reacted to
from cio_mcp.sandbox.engine.clock import Clock
from cio_mcp.sandbox.faults import book
from cio_mcp.sandbox.faults.layer import FaultLayer
from cio_mcp.sandbox.gate import Counts, Credentials, Gate
from cio_mcp.sandbox.http import ApiRequest, PartialAnswer, Rejected
from cio_mcp.sandbox.operations import Operation, asked_for
from cio_mcp.sandbox.seed import begin, has_begun
from cio_mcp.sandbox.state.workspace import Workspace


class Sandbox:
    """An imitation of one workspace: an ASGI application, with the state behind it in `workspace`.

    `path` is a SQLite file that several sandboxes may share, or `:memory:`; `clock` is the real time in unix
    seconds, which drives the sandbox's own and the limits; what `counts` allows is answered and the rest gets
    a 429, and without it nothing is counted; `lag` is how many seconds a Track write waits before it takes
    effect, `broadcast_seconds` how many a broadcast's trigger takes to be worked through. A new workspace is
    planted with a small story unless `seed` is false, or starts with all that `copy_of` holds. A file is
    opened at once; in memory all begins at the first use, so that a server greets its client before.
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
        self._open = partial(
            Workspace, path, real=clock, region=region, lag=lag, broadcast_seconds=broadcast_seconds
        )
        self._seed, self._copy_of = seed, copy_of
        self._gate = Gate(self.credentials, counts, clock)
        if copy_of or str(path) != ":memory:":
            self.workspace  # noqa: B018 - what cannot be opened says so here

    @cached_property
    def workspace(self) -> Workspace:
        """What there is, and happens."""
        if self._copy_of:
            return self._open(copy_of=self._copy_of.workspace)
        workspace = self._open()
        try:
            if self._seed and not has_begun(workspace):
                # To look first keeps what is due by now for who comes to do something.
                begin(workspace)
        except BaseException:
            workspace.close()
            raise
        return workspace

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

    async def api(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request by the routes alone."""
        if scope["type"] != "http":
            await no_request(scope, receive, send)
            return
        answer = self._answer(await request_of(scope, receive))
        await answer(send)

    def control(self, method: str, path: str, body: Any) -> Any:
        """Return what a control answers; raises ValueError for what cannot be done."""
        return ask(self.workspace, method, path, body)

    async def control_in_turns(self, method: str, path: str, body: Any) -> Any:
        """Return what `control` does; what takes long gives way to requests that come meanwhile."""
        return await ask_in_turns(self.workspace, method, path, body)

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

    def now(self) -> float:
        """Return what the clock shows."""
        return self.clock()

    def close(self) -> None:
        """Close the database."""
        if "workspace" in vars(self):
            self.workspace.close()

    def _answer(self, request: Request) -> Response:
        if request.method == "GET" and (link := files.PATH.fullmatch(request.path)):
            return files.download(self.workspace, int(link[1]), request)
        operation, ids = asked_for(request.method, request.segments)
        if operation is None:
            return _not_imitated(request)
        answer = self._by_operation(operation, ids, request)
        if numbers := assumptions.of_answer(operation.method, operation.path, answer.status):
            answer.headers[assumptions.HEADER] = numbers
        return answer

    def _by_operation(self, operation: Operation, ids: dict[str, str], request: Request) -> Response:
        asked = ApiRequest(request.path, ids, request.query, request.body, self.workspace)
        left: dict[str, str] = {}
        try:
            left = self._gate.check(request)
            with self.workspace.transaction(operation.kept(asked)):
                answer = operation.answer(asked)
        except Rejected as rejected:
            return _json(rejected.status, rejected.body, left | rejected.headers)
        if isinstance(answer, PartialAnswer):
            return _json(207, answer.body, left)
        return Response(NO_CONTENT, headers=left) if answer is None else _json(200, answer, left)


def _not_imitated(request: Request) -> Response:
    """Say that a path is not imitated, so that a wrong address never passes for a missing customer.

    Live, recorded: there it is a 404 of plain text.
    """
    detail = f"the sandbox does not imitate {request.method} {request.path}"
    if request.path.startswith(PREFIX):
        detail = "the sandbox's controls are off at this address: start it with --controls"
    return _json(501, {"errors": [{"detail": detail, "status": "501"}]}, {})


def _json(status: int, body: Any, headers: dict[str, str]) -> Response:
    """Return an answer as recorded: JSON and a line break, with its characters and its type."""
    typed = {"content-type": "application/json; charset=utf-8"}
    return Response(status, json.dumps(body) + "\n", typed | headers)

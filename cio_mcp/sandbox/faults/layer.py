"""Faults strike requests: an ASGI application around the one that answers."""

import asyncio
import json
from collections.abc import Iterator
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qsl, unquote

from cio_mcp.sandbox.asgi import (
    ASGIApp,
    ConnectionCut,
    Message,
    Receive,
    Response,
    Scope,
    Send,
    body_of,
    path_of,
)
from cio_mcp.sandbox.faults import book
from cio_mcp.sandbox.faults.fault import STATUS, Fault
from cio_mcp.sandbox.gate import DAY, throttled
from cio_mcp.sandbox.http import Rejected, refusal
from cio_mcp.sandbox.state.workspace import Workspace

# What a 429 that was asked for says is allowed in a second, and in a day.
PER_SECOND, PER_DAY = 10, 100


class FaultLayer:
    """Answers as `app` does, but for the requests that the workspace's faults strike.

    Where several do, all waiting adds up, and the oldest fault decides how it ends. Raises ConnectionCut.
    """

    def __init__(self, app: ASGIApp, workspace: Workspace) -> None:
        self._app = app
        self._workspace = workspace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not book.any_kept(self._workspace):
            await self._app(scope, receive, send)
            return
        body = await body_of(receive)
        path = [unquote(part, errors="replace") for part in path_of(scope).split("/")[1:]]
        with self._workspace.transaction():
            names = _names(path, scope["query_string"], body)
            struck = book.met_by_request(self._workspace, scope["method"], path, names)
        await _wait(struck, after=False)
        ends = next((fault for fault in struck if fault.does != "slow"), None)
        if ends and not ends.after:
            await _end(ends, "/" + "/".join(path), send)
            return
        told: list[Message] = []

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Message) -> None:
            told.append(message)

        await self._app(scope, again, keep)
        await _wait(struck, after=True)
        if ends:
            await _end(ends, "/" + "/".join(path), send)
            return
        for message in told:
            await send(message)


async def _wait(struck: list[Fault], *, after: bool) -> None:
    seconds = sum(fault.seconds or 0 for fault in struck if fault.does == "slow" and fault.after is after)
    if seconds:
        await asyncio.sleep(seconds)


async def _end(fault: Fault, path: str, send: Send) -> None:
    if fault.does == "cut":
        raise ConnectionCut
    await _answer(fault, path)(send)


def _answer(fault: Fault, path: str) -> Response:
    """Return what a struck request is answered with."""
    status = fault.status or STATUS.get(fault.does, 429)
    if fault.does == "html":
        title = f"<title>{status} from a proxy</title>"
        page = f"<html><head>{title}</head><body>This is not Customer.io.</body></html>"
        return Response(status, page, {"content-type": "text/html; charset=utf-8"})
    rejected = _rejected(fault, path, status)
    headers = {"content-type": "application/json"} | rejected.headers
    return Response(rejected.status, json.dumps(rejected.body, separators=(",", ":")), headers)


def _rejected(fault: Fault, path: str, status: int) -> Rejected:
    api = "track" if path.startswith("/api/") else "app"
    if fault.does == "quota":
        left = {"x-ratelimit-limit": str(PER_DAY), "x-ratelimit-remaining": "0"}
        return throttled(api, PER_DAY, DAY, None, left)
    if fault.does == "throttle":
        return throttled(api, PER_SECOND, 1, fault.retry_after, {})
    return refusal(path, "a fault that was asked for", status)


def _names(path: list[str], query: bytes, body: bytes) -> Iterator[str]:
    """Yield all texts of a request that may say whom it is about."""
    yield from (part.removeprefix("cio_") for part in path)
    yield from (value for _, value in parse_qsl(query.decode("latin-1")))
    try:
        yield from _texts(json.loads(body))
    except (ValueError, RecursionError):
        return


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        for item in found:
            yield from _texts(item)
    elif isinstance(found, str):
        yield found
        if "<" in found:
            yield parseaddr(found)[1]

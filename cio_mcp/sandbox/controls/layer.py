"""The controls answer beside the APIs: an ASGI application around the one that imitates them."""

import asyncio
import json
from typing import Any

from cio_mcp.sandbox.asgi import ASGIApp, Receive, Response, Scope, Send, body_of, path_of
from cio_mcp.sandbox.bodies import WrongBody, parsed
from cio_mcp.sandbox.controls.table import NoSuchControl, ask_in_turns
from cio_mcp.sandbox.state.copies import written
from cio_mcp.sandbox.state.workspace import Workspace

PREFIX = "/_sandbox"


class ControlLayer:
    """Answers what is asked of `/_sandbox/…`, and all else as `app` does."""

    def __init__(self, app: ASGIApp, workspace: Workspace) -> None:
        self._app = app
        self._workspace = workspace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = path_of(scope) if scope["type"] == "http" else ""
        if path != PREFIX and not path.startswith(f"{PREFIX}/"):
            await self._app(scope, receive, send)
            return
        body = await body_of(receive)
        answering = asyncio.create_task(self._answer(scope["method"], path, body))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                await answering.result()(send)
        finally:
            # What takes long goes on for nobody.
            answering.cancel()
            leaving.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)

    async def _answer(self, method: str, path: str, body: bytes) -> Response:
        try:
            found = parsed(body) if body.strip() else None
        except WrongBody as wrong:
            return _json(400, {"error": f"the body must be JSON {wrong}".rstrip()})
        try:
            told = await ask_in_turns(self._workspace, method, path, found)
        except NoSuchControl as unknown:
            return _json(404, {"error": str(unknown.args[0])})
        except ValueError as wrong:
            return _json(400, {"error": str(wrong)})
        if path.endswith("/export"):
            return Response(200, written(told), {"content-type": "application/json"})
        return _json(200, told)


async def _gone(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _json(status: int, told: Any) -> Response:
    text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    return Response(status, text, {"content-type": "application/json; charset=utf-8"})

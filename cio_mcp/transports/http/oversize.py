"""Requests that are too large: the SDK refuses them with a line of text, which is no answer of JSON-RPC."""

from mcp.types import INVALID_REQUEST, ErrorData, JSONRPCError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Oversize:
    """Answers a request of more than `most` bytes with an error of JSON-RPC; its id was not read."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        what = f"The request has more than {most} bytes, which CIO_MAX_REQUEST_BYTES sets. Send less at once."
        error = JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=INVALID_REQUEST, message=what))
        text = error.model_dump_json(by_alias=True, exclude_unset=True)
        self._app, self._refusal = app, Response(text, 413, media_type="application/json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        refused = False

        async def judged(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 413:
                refused = True
                await self._refusal(scope, receive, send)
            elif not refused:
                await send(message)

        await self._app(scope, receive, judged)

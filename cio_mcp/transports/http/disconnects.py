"""Clients that go away, or end their session, while they are answered: no fault, so no log says ERROR."""

import logging

from anyio import BrokenResourceError, ClosedResourceError
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What the SDK meets then: half a request, or the streams of a session that has ended meanwhile.
GONE = (ClientDisconnect, ClosedResourceError, BrokenResourceError)

_log = logging.getLogger(__name__)


class Disconnects:
    """ASGI middleware that takes what the SDK raises for GONE, and answers nobody twice."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        logging.getLogger("mcp.server.streamable_http").addFilter(_is_worth_a_line)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for as long as the client is there."""
        complete = False

        async def once(message: Message) -> None:
            nonlocal complete
            # The SDK has said 202 when it finds that the session has ended, and would say 500 as well.
            if not complete:
                complete = message["type"] == "http.response.body" and not message.get("more_body")
                await send(message)

        try:
            await self._app(scope, receive, once)
        except GONE:
            _log.info("a client went away while it was answered")


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], GONE))

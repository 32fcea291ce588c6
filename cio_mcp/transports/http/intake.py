"""How much of the server one caller may have, and how long a request may take to come in."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cio_mcp.transports.repair import repaired

# What may be open at once: requests, bytes of their bodies, streams; and the part that one token may have.
REQUESTS, BYTES, STREAMS = 2000, 128 * 1024 * 1024, 1000
PART = 0.25

# Seconds in which a body must come in, and between two parts of it.
BODY, PAUSE = 30.0, 10.0


class Room:
    """Room for `most` things, of which one caller may have a part; the caller without a name may have all."""

    def __init__(self, what: str, most: int) -> None:
        self.what, self._most = what, most
        self._taken = Counter[str]()

    def take(self, caller: str, count: int = 1) -> None:
        """Take room; raises IntakeRefusal if there is none."""
        if caller and self._taken[caller] + count > self._most * PART:
            raise IntakeRefusal(429, f"{caller} has too many {self.what} open")
        if self._taken.total() + count > self._most:
            raise IntakeRefusal(503, f"too many {self.what} are open")
        self._taken[caller] += count

    def leave(self, caller: str, count: int = 1) -> None:
        """Give room back."""
        self._taken[caller] -= count
        if not self._taken[caller]:
            del self._taken[caller]


class Rooms:
    """The room that a server has for requests (all that is no GET), their bytes, and streams (GET).

    One request may have `largest` bytes.
    """

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.requests = Room("requests", REQUESTS)
        self.bytes = Room("bytes", max(BYTES, int(largest / PART)))
        self.streams = Room("streams", STREAMS)


class IntakeRefusal(Exception):
    """A request that does not come in: the status, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status

    @property
    def answer(self) -> JSONResponse:
        """The answer. A connection that may still carry a body is of no use afterwards."""
        error = "busy" if self.status in {429, 503} else "invalid_request"
        headers = {"retry-after": "5"} if error == "busy" else {}
        told = {"error": error, "error_description": str(self)}
        return JSONResponse(told, self.status, headers)


class Intake:
    """Lets a request in if its caller has room, and once its body is whole.

    Without tokens all are one caller, who may have everything. The body is read here, and not by the SDK, so
    that one that does not come in is cut; JSON in it is made readable.
    """

    def __init__(self, app: ASGIApp, rooms: Rooms) -> None:
        self._app, self._rooms = app, rooms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the request through."""
        grant = getattr(scope.get("user"), "grant", None)
        caller = grant.name if grant else ""
        try:
            async with AsyncExitStack() as taken:
                room = self._rooms.streams if scope["method"] == "GET" else self._rooms.requests
                room.take(caller)
                taken.callback(room.leave, caller)
                if scope["method"] == "POST":
                    receive = await self._received(receive, caller, taken)
                await self._app(scope, receive, send)
        except IntakeRefusal as why:
            await why.answer(scope, receive, send)

    async def _received(self, receive: Receive, caller: str, taken: AsyncExitStack) -> Receive:
        """Return what gives the whole body, and then whatever comes after it."""
        body, more = bytearray(), True
        try:
            async with asyncio.timeout(BODY):
                while more:
                    async with asyncio.timeout(PAUSE):
                        message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    part = message.get("body", b"")
                    if len(body) + len(part) > self._rooms.largest:
                        raise IntakeRefusal(413, f"a body may have at most {self._rooms.largest} bytes")
                    self._rooms.bytes.take(caller, len(part))
                    taken.callback(self._rooms.bytes.leave, caller, len(part))
                    body += part
                    more = message.get("more_body", False)
        except TimeoutError:
            raise IntakeRefusal(408, "the body did not arrive in time") from None
        rest: list[Message] = [{"type": "http.request", "body": repaired(bytes(body)), "more_body": False}]

        async def replayed() -> Message:
            return rest.pop() if rest else await receive()

        return replayed

"""Requests and answers as ASGI carries them: as much of it as the sandbox needs, so that it starts soon."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class ConnectionCut(Exception):
    """The client gets no answer: whoever carries the request cuts its connection."""


@dataclass(frozen=True)
class Request:
    """One request. What is encoded in its path stays so: an encoded slash does not end a segment."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def segments(self) -> list[str]:
        """The path, split at its slashes."""
        return self.path.split("/")[1:]


def path_of(scope: Scope) -> str:
    """Return the path as it was asked for; a server that keeps only the decoded one has it encoded anew."""
    raw: bytes | None = scope.get("raw_path")
    return quote(scope["path"]) if raw is None else raw.decode("latin-1")


async def request_of(scope: Scope, receive: Receive) -> Request:
    """Return the request that comes in, whole; raises ConnectionCut if the client leaves before its end."""
    return Request(
        scope["method"],
        path_of(scope),
        dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])},
        await body_of(receive),
    )


async def no_request(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a server that asks something else: nothing begins or ends with it, and no web socket opens."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
        return
    while (message := await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": f"{message['type']}.complete"})


async def body_of(receive: Receive) -> bytes:
    """Return a request's body, whole; raises ConnectionCut if the client leaves before its end."""
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionCut
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


@dataclass
class Response:
    """An answer: its status, its text or bytes, and its headers."""

    status: int
    body: str | bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(self, send: Send) -> None:
        """Send it."""
        body = self.body.encode() if isinstance(self.body, str) else self.body
        sized = {} if self.status == NO_CONTENT else {"content-length": str(len(body))}
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in (sized | self.headers).items()
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


NO_CONTENT = 204

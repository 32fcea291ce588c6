"""Answering only requests that are meant for a port: no web page reaches it under a name of its own."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from cio_mcp.settings.values import LOOPBACK

Application = Callable[[Any, Any, Any], Awaitable[None]]


class NameCheck:
    """An ASGI application for requests whose Host, and Origin if there is one, is of loopback or of `hosts`.

    The sandbox's controls, which need no key, also want an Origin to be theirs to the port. It does without
    the SDK, which takes a second to import.
    """

    def __init__(self, app: Application, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = {host.strip("[]").lower() for host in (*LOOPBACK, *hosts)}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, or let the request through."""
        named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
        status = 421 if [_name(f"//{host}") in self._hosts for host in named] != [True] else 200
        here = [f"{scope['scheme']}://{host}".lower() for host in named]
        is_control = scope["path"].startswith("/_sandbox")
        if not all(
            origin.lower() in here if is_control else _name(origin) in self._hosts for origin in origins
        ):
            status = 403
        if status == 200:
            await self._app(scope, receive, send)
            return
        body = b'{"errors":[{"detail":"this name or Origin is not answered; see CIO_ALLOWED_HOSTS"}]}'
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""

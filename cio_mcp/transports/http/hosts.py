"""Which Host and Origin headers are answered, so that no web page reaches a port of somebody's machine.

It does without the SDK, which takes a second to import: the sandbox's port uses it too.
"""

import json
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from cio_mcp.settings.values import LOOPBACK

Application = Callable[[Any, Any, Any], Awaitable[None]]

# The name in a Host header, and what stands before it in an Origin.
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s\[\]:/@?#\\]+)(:\d{1,5})?")
_ORIGIN = re.compile(r"https?://")


class NameCheck:
    """An ASGI application for requests whose one Host is of loopback or of `hosts`, with a port or without.

    An Origin, if there is one, is a page's on this machine, or one of `origins`, of which those that end in
    `:*` stand for all ports. Below the path `own` it must be the very address that is asked.
    """

    def __init__(
        self, app: Application, hosts: Collection[str], origins: Collection[str] = (), own: str = ""
    ) -> None:
        self._app, self._own = app, own
        self._hosts = {_written(host.lower()) for host in (*LOOPBACK, *hosts)}
        self._pages = {_written(host) for host in LOOPBACK}
        self._origins = {origin.lower() for origin in origins}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, or let the request through."""
        hosts, origins = ([*_values(scope, name)] for name in (b"host", b"origin"))
        if len(hosts) != 1 or not {hosts[0], _name(hosts[0])} & self._hosts:
            await _refuse(send, 421, "Host", "CIO_ALLOWED_HOSTS")
        elif not all(self._lets(origin, scope, hosts[0]) for origin in origins):
            await _refuse(send, 403, "Origin", "CIO_ALLOWED_ORIGINS")
        else:
            await self._app(scope, receive, send)

    def _lets(self, origin: str, scope: Any, host: str) -> bool:
        if self._own and scope["path"].startswith(self._own):
            return origin == f"{scope['scheme']}://{host}"
        scheme = _ORIGIN.match(origin)
        name = _name(origin[scheme.end() :]) if scheme else None
        if scheme is None or name is None:
            return False
        return name in self._pages or bool({origin, f"{scheme[0]}{name}:*"} & self._origins)


def _values(scope: Any, name: bytes) -> list[str]:
    return [value.decode("latin-1").lower() for key, value in scope["headers"] if key == name]


def _name(host: str) -> str | None:
    """Return a host without its port, None for what is none."""
    found = _HOST.fullmatch(host)
    return found[1] if found else None


def _written(host: str) -> str:
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host


async def _refuse(send: Any, status: int, header: str, setting: str) -> None:
    told = {
        "error": "invalid_request",
        "error_description": f"this {header} is not allowed; an operator can list it in {setting}",
    }
    body = json.dumps(told).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""Which Host and Origin headers are answered, so that no web page reaches a server on somebody's machine."""

from collections.abc import Sequence

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from cio_mcp.settings.values import LOOPBACK


def security_of(hosts: Sequence[str], origins: Sequence[str] = ()) -> TransportSecuritySettings:
    """Return the SDK's settings: loopback's names are answered, and those that are given."""
    here = [_written(host) for host in LOOPBACK]
    allowed = [name for host in (*here, *map(_written, hosts)) for name in (host, f"{host}:*")]
    local = [f"http://{name}" for host in here for name in (host, f"{host}:*")]
    return TransportSecuritySettings(allowed_hosts=allowed, allowed_origins=[*local, *origins])


def _written(host: str) -> str:
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host


class HostCheck:
    """Answers only requests whose Host and Origin are answered."""

    def __init__(self, app: ASGIApp, security: TransportSecuritySettings) -> None:
        self._app = app
        self._check = TransportSecurityMiddleware(security)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the request through."""
        refusal = await self._check.validate_request(Request(scope, receive), is_post=False)
        await (refusal or self._app)(scope, receive, send)

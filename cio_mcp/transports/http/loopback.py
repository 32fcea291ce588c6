"""Whether a request is from this host, by its connection: what a header says can only deny it."""

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cio_mcp.settings.values import LOOPBACK, is_loopback

# Besides X-Forwarded-…, what tells that a proxy passed a request on.
PROXIED = {"forwarded", "via", "x-real-ip"}


def is_near(request: HTTPConnection) -> bool:
    """Say whether a connection is from this host, were it from a proxy that runs here."""
    return is_loopback(request.client.host if request.client else "")


def is_local(request: HTTPConnection) -> bool:
    """Say whether a request is from this host, by a name of loopback: not through a proxy that runs here."""
    direct = not any(name in PROXIED or name.startswith("x-forwarded-") for name in request.headers)
    return is_near(request) and direct and request.url.hostname in LOOPBACK


class LoopbackOnly:
    """Answers this host alone, where no token says who asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the request through."""
        if is_near(HTTPConnection(scope)):
            await self._app(scope, receive, send)
            return
        why = "without tokens this server answers its own host only; see CIO_TOKENS_FILE and CIO_OAUTH_ISSUER"
        refusal = JSONResponse({"error": "access_denied", "error_description": why}, 403)
        await refusal(scope, receive, send)

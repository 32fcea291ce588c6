"""Pages of other origins that may call this server (CORS)."""

import re
from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from cio_mcp.auth.principal import NAMES
from cio_mcp.transports.http.routes import wrapped

# What MCP's clients send of their own, besides what any page may send.
SENT = ("authorization", "last-event-id", "mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id")

# What a page must see of an answer: its session, and where to log in.
SEEN = ("Mcp-Session-Id", "WWW-Authenticate")


def opened(routes: Sequence[BaseRoute], origins: Sequence[str]) -> list[BaseRoute]:
    """Return routes that pages of `origins` may call. A browser asks first, without credentials."""

    def around(app: ASGIApp) -> ASGIApp:
        return CORSMiddleware(
            app,
            allow_origin_regex="|".join(re.escape(origin).replace(r":\*", r":\d+") for origin in origins),
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=(*SENT, *NAMES),
            allow_private_network=True,
            expose_headers=SEEN,
        )

    asked = [
        Route(route.path, around(Response(status_code=405)), methods=["OPTIONS"])
        for route in routes
        if isinstance(route, Route) and route.methods
    ]
    return [*asked, *(wrapped(route, around) for route in routes)]

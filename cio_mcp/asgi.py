"""Serving over HTTP: Streamable HTTP on /mcp and SSE on /sse, in one ASGI application.

`create_app()` is for whoever runs an ASGI server of their own; `cio-mcp serve --transport both` runs uvicorn.
"""

import contextlib
from collections.abc import AsyncIterator, Collection
from typing import Literal

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cio_mcp import traces
from cio_mcp.app import App, build
from cio_mcp.http.door import door_of
from cio_mcp.http.health import Health
from cio_mcp.http.monitoring import Counting, Traffic, metrics_route
from cio_mcp.http.vanished import Vanishing
from cio_mcp.logs import configure
from cio_mcp.settings import Settings, load

Transport = Literal["http", "sse"]

# The largest request body, in bytes: attachments of 2 MB as base64, and room for the rest.
LARGEST_BODY = 4 * 1024 * 1024

# Sessions of Streamable HTTP until 2025-11-25 live in memory, about 40 kB each, and idle for so many seconds.
MOST_SESSIONS, IDLE = 1000, 600.0

# The last traces get so many seconds to leave when the server stops.
FLUSH = 2.0

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def create_app(
    settings: Settings | None = None,
    *,
    transports: Collection[Transport] = ("http", "sse"),
    served: App | None = None,
) -> Starlette:
    """Return the ASGI application; without `settings` they are read from the environment.

    All sessions share one client, one pace and one state, which are closed with the application's lifespan.
    `served` takes the place of what the settings would build. Raises SettingsError.
    """
    settings = settings or load()
    configure(settings.log_level, settings.log_format)
    traces.start()
    app = served or build(settings)
    try:
        return _application(app, settings, transports)
    except BaseException:
        app.files.close()
        raise


def _application(app: App, settings: Settings, transports: Collection[Transport]) -> Starlette:
    security = _security(settings)
    routes: list[BaseRoute] = []
    if "http" in transports:
        http = app.server.streamable_http_app(
            transport_security=security,
            stateless_http=settings.stateless,
            max_request_body_size=LARGEST_BODY,
            max_sessions=MOST_SESSIONS,
            session_idle_timeout=None if settings.stateless else IDLE,
        )
        routes += http.routes
    if "sse" in transports:
        sse = app.server.sse_app(transport_security=security, max_request_body_size=LARGEST_BODY)
        routes += [
            Route(route.path, _Checked(route.app, security), methods=route.methods)
            if isinstance(route, Route)
            else route
            for route in sse.routes
        ]

    door = door_of(settings, app.tokens)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            if "http" in transports:
                await stack.enter_async_context(app.server.session_manager.run())
            stack.callback(traces.flush, FLUSH)
            stack.push_async_callback(app.aclose)
            if door:
                await stack.enter_async_context(door)
            yield

    if door:
        routes = [*map(door.guard, routes), *door.metadata()]
    routes += _operations(Health(app, door))
    traffic = Traffic()
    if settings.metrics != "off":
        routes.append(metrics_route(app, traffic, settings.metrics))
    application = Starlette(routes=routes, lifespan=lifespan)
    application.add_middleware(Vanishing)
    application.add_middleware(Counting, traffic=traffic)
    application.state.app = app
    return application


class _Checked:
    """A stream that begins only for Host and Origin headers that are answered.

    The SDK checks that too, but raises after its answer: the log fills up and the connection breaks.
    """

    def __init__(self, app: ASGIApp, security: TransportSecuritySettings) -> None:
        self._app = app
        self._check = TransportSecurityMiddleware(security)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._check.validate_request(Request(scope, receive), is_post=False)
        await (refusal or self._app)(scope, receive, send)


def _security(settings: Settings) -> TransportSecuritySettings:
    """Return which Host and Origin headers are answered: loopback's, and those that the settings name."""
    hosts = [name for host in (*LOOPBACK, *settings.allowed_hosts) for name in (host, f"{host}:*")]
    origins = [f"http://{name}" for host in LOOPBACK for name in (host, f"{host}:*")]
    return TransportSecuritySettings(
        allowed_hosts=hosts, allowed_origins=[*origins, *settings.allowed_origins]
    )


def _operations(health: Health) -> list[BaseRoute]:
    """Return the routes for whoever operates the server. They tell nothing of the workspace."""

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        problems, makeshifts = await health.problems(), await health.makeshifts()
        told = {"problems": problems, "degraded": makeshifts}
        told = {name: words for name, words in told.items() if words}
        # Without Redis a replica is still ready: or a load balancer would take all of them out at once.
        return JSONResponse(
            {"status": "not ready" if problems else "ready", **told}, 503 if problems else 200
        )

    return [Route("/healthz", alive), Route("/readyz", ready)]

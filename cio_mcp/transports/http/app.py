"""Serving over HTTP, all transports in one ASGI application.

`create_app()` is for whoever runs an ASGI server of their own; `cio-mcp serve` runs uvicorn.
"""

import contextlib
from collections.abc import AsyncIterator, Collection, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from cio_mcp import traces
from cio_mcp.app.application import App
from cio_mcp.app.build import build
from cio_mcp.logs import configure
from cio_mcp.server.server import Server
from cio_mcp.settings import Settings, load
from cio_mcp.transports.http.authentication import authenticator_of
from cio_mcp.transports.http.browsers import opened
from cio_mcp.transports.http.disconnects import Disconnects
from cio_mcp.transports.http.health import Health
from cio_mcp.transports.http.hosts import NameCheck
from cio_mcp.transports.http.intake import Intake, Rooms
from cio_mcp.transports.http.loopback import LoopbackOnly
from cio_mcp.transports.http.monitoring import AnswerCounter, AnswerCounts, metrics_route
from cio_mcp.transports.http.narrowing import NarrowingCheck
from cio_mcp.transports.http.oversize import Oversize
from cio_mcp.transports.http.prefix import Prefix
from cio_mcp.transports.http.routes import with_slash, wrapped
from cio_mcp.transports.http.transports import TRANSPORTS, Transport

# The last traces get so many seconds to leave when the server stops.
FLUSH = 2.0


def create_app(
    settings: Settings | None = None,
    *,
    transports: Collection[str] = tuple(TRANSPORTS),
    served: App | None = None,
) -> Starlette:
    """Return the ASGI application; without `settings` they are read from the environment.

    `transports` are those of `cio-mcp serve`, except stdio. All sessions share one client, one pace and one
    state, which are closed with the application's lifespan. `served` takes the place of what the settings
    would build. Raises SettingsError.
    """
    settings = settings or load()
    configure(settings.log_level, settings.log_format)
    traces.start()
    app = served or build(settings)
    try:
        return _application(app, settings, [TRANSPORTS[name] for name in transports])
    except BaseException:
        app.files.close()
        raise


def _application(app: App, settings: Settings, ways: Sequence[Transport]) -> Starlette:
    server = Server(app)
    authenticator, rooms = authenticator_of(settings, app), Rooms(settings.max_request_bytes)

    def guarded(inner: ASGIApp) -> ASGIApp:
        checked = NarrowingCheck(inner, app.catalogue.tools, app.workspaces)
        return Oversize(Intake(checked, rooms), settings.max_request_bytes)

    def named(inner: ASGIApp) -> ASGIApp:
        return NameCheck(inner, settings.allowed_hosts, settings.allowed_origins)

    found = [route for way in ways for route in way.routes(server, settings)]
    routes = [wrapped(route, guarded) for route in found]
    routes += [with_slash(route) for route in routes if isinstance(route, Route)]
    if authenticator:
        routes = [authenticator.guard(route) for route in routes]
    else:
        routes = [wrapped(route, LoopbackOnly) for route in routes]
    routes = [wrapped(route, named) for route in routes]
    if settings.allowed_origins:
        routes = opened(routes, settings.allowed_origins)
    if authenticator:
        routes += authenticator.metadata()
    routes += _operations(Health(app, authenticator))
    counts = AnswerCounts()
    if settings.metrics != "off":
        routes.append(metrics_route(server, counts, settings.metrics))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for way in ways:
                await stack.enter_async_context(way.running(server))
            stack.callback(traces.flush, FLUSH)
            stack.push_async_callback(app.aclose)
            if authenticator:
                await stack.enter_async_context(authenticator)
            yield

    application = Starlette(routes=routes, lifespan=lifespan)
    application.add_middleware(Prefix, root=settings.root_path, trusted=settings.trusted_proxies)
    application.add_middleware(Disconnects)
    application.add_middleware(AnswerCounter, counts=counts)
    application.state.app = app
    return application


def _operations(health: Health) -> list[BaseRoute]:
    """Return the routes for whoever operates the server. They tell nothing of the workspace."""

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        problems, degraded = await health.problems(), await health.degraded()
        told = {"problems": problems, "degraded": degraded}
        told = {name: words for name, words in told.items() if words}
        # Without Redis a replica is still ready: or a load balancer would take all of them out at once.
        return JSONResponse(
            {"status": "not ready" if problems else "ready", **told}, 503 if problems else 200
        )

    return [Route("/healthz", alive), Route("/readyz", ready)]

"""What is changed about the routes that the SDK makes."""

from collections.abc import Callable

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp


def wrapped(route: BaseRoute, around: Callable[[ASGIApp], ASGIApp]) -> BaseRoute:
    """Return a route whose application is reached through another."""
    if isinstance(route, Route):
        return Route(route.path, around(route.app), methods=route.methods)
    if isinstance(route, Mount):
        return Mount(route.path, around(route.app))
    message = f"nothing can be put before {route}"
    raise TypeError(message)


def with_slash(route: Route) -> Route:
    """Return a route for the same path with a slash at its end: a redirect would lose a proxy's prefix."""
    return Route(f"{route.path}/", route.app, methods=route.methods)

"""Headers by which a request narrows what its caller may do."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cio_mcp.auth.principal import BadHeader, check_narrowing, narrowing_of
from cio_mcp.toolkit.registry import Tool


class NarrowingCheck:
    """Answers 400 where a narrowing header is repeated, or holds a word that names nothing.

    To leave the word out would leave the caller more than was meant, or nothing, without saying so.
    """

    def __init__(self, app: ASGIApp, tools: Collection[Tool], workspaces: Collection[str]) -> None:
        self._app, self._tools, self._workspaces = app, tools, workspaces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the request through."""
        try:
            if narrowing := narrowing_of(Headers(scope=scope).items()):
                check_narrowing(narrowing, self._tools, self._usable(scope))
        except BadHeader as why:
            refusal = JSONResponse({"error": "invalid_request", "error_description": str(why)}, 400)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _usable(self, scope: Scope) -> list[str]:
        """Return the workspaces that the caller's token leaves: it is told of no other."""
        grant = getattr(scope.get("user"), "grant", None)
        return [name for name in self._workspaces if grant is None or grant.may_use(name)]

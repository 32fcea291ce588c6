"""The sandbox behind a port: HTTP/1.1 in which a connection can be cut."""

from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from cio_mcp.sandbox import ConnectionCut


class CuttingProtocol(H11Protocol):
    """Ends a connection without an answer where the application says so."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._application, self.app = self.app, self._answer

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._application(scope, receive, send)
        except ConnectionCut:
            self.transport.close()
            while (await receive())["type"] != "http.disconnect":
                pass

"""The sandbox behind a port: HTTP/1.1 in which a connection can be cut."""

import asyncio
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from cio_mcp.sandbox.asgi import ASGIApp, ConnectionCut


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


class Port:
    """A port of this host on which an application is served, by the event loop that opens it."""

    def __init__(self, app: ASGIApp) -> None:
        self._config = uvicorn.Config(
            app,
            http=CuttingProtocol,
            ws="none",
            interface="asgi3",
            lifespan="off",
            proxy_headers=False,
            log_config=None,
        )
        self._config.load()
        self._state = ServerState()

    async def open(self) -> int:
        """Begin to listen; returns the number of the port."""
        self._server = await asyncio.get_running_loop().create_server(self._protocol, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Listen no more, and let go of what is connected."""
        self._server.close()
        for connection in list(self._state.connections):
            connection.transport.abort()
        for task in self._state.tasks:
            task.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)

    def _protocol(self) -> CuttingProtocol:
        return CuttingProtocol(config=self._config, server_state=self._state, app_state={})

"""Serving one port, with a hint for who speaks http where https is spoken, or https where http is."""

import asyncio
import json
import socket
import sys
from collections.abc import Callable, Coroutine

import uvicorn

# With this byte every TLS connection begins, and no HTTP request.
HANDSHAKE = b"\x16"

# Seconds for a client that is told off to finish its request: else it might not read the hint.
FAREWELL = 2.0


class PortServer(uvicorn.Server):
    """Serves on `listener`. `hint` tells both a client and stderr how this port is spoken to.

    uvicorn itself has no say in what begins as the wrong protocol: that ends in the handshake.
    """

    def __init__(self, config: uvicorn.Config, listener: socket.socket, hint: str) -> None:
        super().__init__(config)
        self._listener = listener
        self._hint = hint
        self._tasks: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        if sys.platform == "win32":  # its event loop cannot look at a byte and leave it
            await super().startup([self._listener])
            return
        await super().startup(sockets or [])
        self._listener.setblocking(False)
        self._run(self._accept())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and let running requests end."""
        for task in self._tasks:
            task.cancel()
        await super().shutdown(sockets)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        while True:
            connection, _ = await asyncio.get_running_loop().sock_accept(self._listener)
            self._run(self._begin(connection))

    async def _begin(self, connection: socket.socket) -> None:
        """Hand a connection to uvicorn if it speaks what this port does."""
        try:
            first = await _first_byte(connection)
            if first and (first == HANDSHAKE) != self.config.is_ssl:
                await self._tell(connection)
            elif first:
                loop = asyncio.get_running_loop()
                await loop.connect_accepted_socket(self._protocol, connection, ssl=self.config.ssl)
                return
        except OSError:
            pass  # it is gone, or does not trust the certificate
        except BaseException:
            connection.close()
            raise
        connection.close()

    def _protocol(self) -> asyncio.Protocol:
        protocol: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    async def _tell(self, connection: socket.socket) -> None:
        sys.stderr.write(f"{self._hint}\n")
        sys.stderr.flush()
        body = json.dumps(
            {"meta": {"error": self._hint}, "errors": [{"detail": self._hint, "status": "400"}]}
        )
        head = ["HTTP/1.1 400 Bad Request", "content-type: application/json", f"content-length: {len(body)}"]
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, "\r\n".join((*head, "connection: close", "", body)).encode())
        connection.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(FAREWELL):
            while await loop.sock_recv(connection, 65_536):
                pass


async def _first_byte(connection: socket.socket) -> bytes:
    """Return the first byte that comes, and leave it to be read; empty if the client has gone."""
    loop = asyncio.get_running_loop()
    connection.setblocking(False)
    readable: asyncio.Future[None] = loop.create_future()
    loop.add_reader(connection, _set, readable)
    try:
        await readable
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

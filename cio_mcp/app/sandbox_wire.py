"""The wire to a sandbox in this process: what goes wrong ends for a client exactly as it does over a port."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx


class SandboxWire(httpx.AsyncBaseTransport):
    """Leads to a sandbox. Who stops waiting stops nothing, as a server goes on behind a port."""

    def __init__(self, app: Callable[[Any, Any, Any], Awaitable[None]]) -> None:
        self._inner = httpx.ASGITransport(app=app)
        self._running: set[asyncio.Task[httpx.Response]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the sandbox's answer; raises ReadTimeout and RemoteProtocolError as a connection does."""
        from cio_mcp.sandbox import ConnectionCut  # noqa: PLC0415 - a live workspace needs none of it

        answering = asyncio.create_task(self._inner.handle_async_request(request))
        self._running.add(answering)
        answering.add_done_callback(self._forget)
        await asyncio.wait({answering}, timeout=request.extensions.get("timeout", {}).get("read"))
        if not answering.done():
            raise httpx.ReadTimeout("the sandbox does not answer in time", request=request)
        try:
            return answering.result()
        except ConnectionCut:
            message = "the sandbox cut the connection without an answer"
            raise httpx.RemoteProtocolError(message, request=request) from None

    def _forget(self, answering: asyncio.Task[httpx.Response]) -> None:
        self._running.discard(answering)
        if not answering.cancelled():
            answering.exception()  # nobody may wait for it any more

    async def aclose(self) -> None:
        """Let go of what still runs."""
        for answering in self._running:
            answering.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

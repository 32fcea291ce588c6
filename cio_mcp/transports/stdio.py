"""Serving over stdin and stdout, and stopping in time."""

import asyncio
import logging
import os
import signal

from mcp.server.stdio import stdio_server

from cio_mcp import traces
from cio_mcp.app.application import App
from cio_mcp.app.build import build
from cio_mcp.server.server import Server
from cio_mcp.settings import Settings
from cio_mcp.transports.readable import ReadableStream

# What has left may come back for so long after the order to stop; the process ends within a second of it.
GRACE = 0.8

# The last traces get what is left of so many seconds after the order to stop, and a little at the least.
TRACES, AT_LEAST = 0.5, 0.05

_log = logging.getLogger(__name__)


async def serve(settings: Settings) -> None:
    """Serve MCP until stdin ends, or SIGINT or SIGTERM comes.

    The SDK reads stdin in a thread that no signal interrupts, so after a signal the process ends itself
    once everything is settled.
    """
    traces.start()
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not loop.add_signal_handler, which Windows does not have.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    app = build(settings)
    serving = asyncio.create_task(_run(Server(app)))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    ordered = loop.time()
    await _close(app, serving)
    traces.flush(max(AT_LEAST, ordered + TRACES - loop.time()))
    if not serving.done():
        logging.shutdown()
        os._exit(0)
    stopping.cancel()
    serving.result()


async def _run(server: Server) -> None:
    """Do what the SDK's `run_stdio_async` does, for messages too that it cannot read."""
    inner = server._lowlevel_server
    async with stdio_server() as (received, sent):
        await inner.run(ReadableStream(received), sent, inner.create_initialization_options())


async def _close(app: App, serving: asyncio.Task[None]) -> None:
    await app.aclose(GRACE)
    # The answers to what came back in time still have to be written.
    await asyncio.wait({serving}, timeout=0.1)

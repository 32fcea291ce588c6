"""Serving over stdin and stdout, and stopping in time."""

import asyncio
import io
import logging
import os
import select
import signal
import sys
from contextlib import suppress

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter
from pydantic import ValidationError

from cio_mcp import traces
from cio_mcp.app.application import App
from cio_mcp.app.build import build
from cio_mcp.app.pictures import pages_folder
from cio_mcp.server.server import Server
from cio_mcp.settings import Settings
from cio_mcp.transports.repair import repaired
from cio_mcp.transports.unreadable import answers

# What has left may come back for so long after the order to stop; the process ends within a second of it.
GRACE = 0.8

# The last traces get what is left of so many seconds after the order to stop, and a little at the least.
TRACES, AT_LEAST = 0.5, 0.05

# What tells the process to end; the last is Windows's.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]

_log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serve MCP until stdin ends, stdout is closed, or SIGINT or SIGTERM comes."""
    traces.start()
    app = build(settings)
    app.pages = pages_folder()
    asyncio.run(_until_told(app))


async def _until_told(app: App) -> None:
    """Serve until it is over, and close everything.

    stdin is read in a thread that nothing interrupts, so the process ends itself once everything is settled.
    """
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in SIGNALS:
        # Not loop.add_signal_handler, which Windows does not have.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(over.set))
    _watch_stdout(over)
    serving = asyncio.create_task(_serve(Server(app), over))
    await over.wait()
    ordered = loop.time()
    await _close(app, serving)
    traces.flush(max(AT_LEAST, ordered + TRACES - loop.time()))
    if not serving.done():
        logging.shutdown()
        os._exit(0)
    serving.result()


async def _serve(server: Server, over: asyncio.Event) -> None:
    """Answer what comes on stdin, and say when it is over; the SDK would pass over what is no message."""
    to_server, messages = anyio.create_memory_object_stream[SessionMessage | Exception]()
    stdin, lowlevel = _take_stdin(), server._lowlevel_server  # its own way to run reads stdin itself
    try:
        async with (
            stdio_server(stdin=anyio.wrap_file(io.StringIO())) as (unused, out),
            unused,
            messages,
            anyio.create_task_group() as tasks,
        ):

            async def read() -> None:
                async with to_server, stdin:
                    async for line in stdin:
                        try:
                            text = repaired(line.encode(errors="surrogateescape"))
                            message = jsonrpc_message_adapter.validate_json(text, by_name=False)
                        except ValidationError:
                            if line.strip():
                                await refuse(line)
                        else:
                            await to_server.send(SessionMessage(message))

            async def refuse(line: str) -> None:
                for answer in answers(line):
                    _log.warning("on stdin: %s", answer.error.message)
                    await out.send(SessionMessage(answer))

            tasks.start_soon(read)
            try:
                await lowlevel.run(messages, out, lowlevel.create_initialization_options())
            finally:
                over.set()
    except* OSError as errors:
        _log.info("stdout is closed: %s", errors.exceptions[0])
    finally:
        over.set()


def _take_stdin() -> "anyio.AsyncFile[str]":
    """Return the lines of stdin, with bytes that are no UTF-8 marked; whatever we start gets an empty one."""
    own = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0, inheritable=True)
    os.close(empty)
    return anyio.wrap_file(os.fdopen(own, encoding="utf-8", errors="surrogateescape"))


def _watch_stdout(over: asyncio.Event) -> None:
    """Say that it is over once nobody reads stdout; where the system does not tell, the next answer will."""
    if sys.platform == "win32":
        return
    loop, stdout, poll = asyncio.get_running_loop(), os.dup(1), select.poll()
    poll.register(stdout, 0)

    def look() -> None:
        if poll.poll(0):
            over.set()
        loop.remove_reader(stdout)

    with suppress(OSError):  # a file is never closed by its reader
        loop.add_reader(stdout, look)


async def _close(app: App, serving: asyncio.Task[None]) -> None:
    await app.aclose(GRACE)
    # The answers to what came back in time still have to be written.
    await asyncio.wait({serving}, timeout=0.1)

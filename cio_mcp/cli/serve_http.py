"""Listening for MCP over HTTP, until a signal comes."""

import argparse
import asyncio
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Collection
from contextlib import closing
from types import FrameType

import uvicorn

from cio_mcp.cli.ports import listen
from cio_mcp.errors import SettingsError
from cio_mcp.logs import configure
from cio_mcp.settings import Settings, load
from cio_mcp.settings.values import is_loopback
from cio_mcp.transports.http.app import create_app
from cio_mcp.transports.http.connections import PatientProtocol, allow_connections
from cio_mcp.transports.http.transports import TRANSPORTS

# Streams that stay open after the drain are cut after so many seconds.
CUT = 2


def run(asked: argparse.Namespace, transports: Collection[str]) -> int:
    """Serve until told to stop; returns 0."""
    settings = load()
    configure(settings.log_level, settings.log_format)  # before the SDK does it its own, louder way
    if not (settings.tokens_file or settings.oauth_issuer or is_loopback(asked.host)):
        raise SettingsError(
            f"--host {asked.host}: without tokens this server listens on loopback only, such as 127.0.0.1; "
            "set CIO_TOKENS_FILE and make tokens with cio-mcp token add, or set CIO_OAUTH_ISSUER"
        )
    _check_certificate(asked.certificate, asked.key)
    with closing(listen(asked.host, asked.port)) as listener:
        _serve(asked, settings, transports, listener)
    return 0


def _serve(
    asked: argparse.Namespace, settings: Settings, transports: Collection[str], listener: socket.socket
) -> None:
    allow_connections()
    application = create_app(settings, transports=transports)
    config = uvicorn.Config(
        application,
        http=PatientProtocol,
        log_config=None,  # logs.configure has done it
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # who is near is told by the connection alone
        ssl_certfile=asked.certificate,
        ssl_keyfile=asked.key,
        timeout_graceful_shutdown=CUT,
    )
    host, port = listener.getsockname()[:2]
    address = f"{'https' if asked.certificate else 'http'}://{host}:{port}"
    paths = " and ".join(address + TRANSPORTS[name].paths[0] for name in transports)
    sys.stdout.write(f"cio-mcp serves MCP on {paths} until you press Ctrl-C.\n")
    sys.stdout.flush()
    # uvicorn passes a signal on once it has stopped; an exit ends well where the default would not.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _DrainingServer(config, lambda: application.state.app.drain(settings.drain)).run([listener])


def _check_certificate(certificate: str | None, key: str | None) -> None:
    if certificate is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"--certificate {certificate}: cannot be used: {error}") from None


class _DrainingServer(uvicorn.Server):
    """Drains at the first signal, with all streams open, and stops then; a second signal stops at once."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._draining or self._loop is None:
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self._begin, sig, frame)

    def _begin(self, sig: int, frame: FrameType | None) -> None:
        self._draining = asyncio.create_task(self._drain_and_exit(sig, frame))

    async def _drain_and_exit(self, sig: int, frame: FrameType | None) -> None:
        await self._drain()
        super().handle_exit(sig, frame)

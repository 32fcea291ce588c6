"""The composition root: settings in, a server ready to be served out."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx
from pydantic import HttpUrl, SecretStr

from cio_mcp import __version__
from cio_mcp.client import CustomerIO
from cio_mcp.client.network import Network
from cio_mcp.errors import SettingsError
from cio_mcp.safety import Guard
from cio_mcp.sandbox import Sandbox
from cio_mcp.server import Server
from cio_mcp.settings import Settings
from cio_mcp.tools import TOOLS
from cio_mcp.workspace import accesses, choose, limits, slots

# A name that can never resolve (RFC 2606), so that nothing meant for the sandbox reaches a network.
SANDBOX_URL = HttpUrl("https://sandbox.invalid")


@dataclass
class App:
    """A server and what it stands on. Serve `server` while the event loop runs, then `aclose`."""

    server: Server
    client: CustomerIO
    sandbox: Sandbox | None

    async def aclose(self, grace: float = 0.0) -> None:
        """Let what has left come back for `grace` seconds, then close everything."""
        await self.client.aclose(grace)
        if self.sandbox:
            self.sandbox.close()


def build(
    settings: Settings,
    *,
    wire: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] = time.time,
) -> App:
    """Put the program together.

    `wire` takes the place of the network, and then no limit is shared with other processes; `clock` is the
    time of day in the embedded sandbox. The loggers of the libraries underneath are turned down, since they
    log addresses, and addresses hold identifiers.
    """
    for name in ("httpx", "httpcore", "mcp"):
        logging.getLogger(name).setLevel(logging.WARNING)
    tools, off = choose(TOOLS, settings)
    sandbox = open_sandbox(settings, clock=clock) if settings.uses_sandbox else None
    if sandbox:
        wire, settings = httpx.ASGITransport(app=sandbox.app), _for_sandbox(settings, sandbox)
    client = CustomerIO(
        wire or Network(),
        accesses(settings),
        limits=limits(settings),
        deadline=settings.deadline,
        user_agent=f"cio-mcp/{__version__}",
        slots=None if wire else slots(settings),
    )
    server = Server(
        tools,
        Guard(client, sandbox=sandbox is not None),
        workspace=_in_sandbox(settings) if sandbox else _live(settings, set(off.values())),
        off=off,
        prefix=settings.tool_prefix,
    )
    return App(server, client, sandbox)


def open_sandbox(settings: Settings, *, clock: Callable[[], float] = time.time) -> Sandbox:
    """Open the sandbox that the settings name; raises SettingsError if its file cannot be used."""
    try:
        return Sandbox(settings.sandbox_path or ":memory:", region=settings.region, clock=clock)
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"CIO_SANDBOX_PATH: {settings.sandbox_path} cannot be used: {error}") from None


def _for_sandbox(settings: Settings, sandbox: Sandbox) -> Settings:
    """Return the settings with the sandbox's address and keys in place of any others."""
    keys = sandbox.credentials
    return settings.model_copy(
        update={
            "site_id": SecretStr(keys.site_id),
            "track_api_key": SecretStr(keys.track_api_key),
            "app_api_key": SecretStr(keys.app_api_key),
            "track_url": SANDBOX_URL,
            "app_url": SANDBOX_URL,
        }
    )


def _in_sandbox(settings: Settings) -> str:
    end = "it is kept in CIO_SANDBOX_PATH" if settings.sandbox_path else "all is gone when this process ends"
    return (
        "This is the embedded sandbox: a made-up workspace with sample customers, campaigns and messages. "
        f"Try anything: nothing reaches a real customer, and {end}."
    )


def _live(settings: Settings, reasons: Iterable[str]) -> str:
    what_is_off = "".join(f" Some tools are off: {reason}." for reason in reasons)
    return f"This is a live workspace ({settings.region}): writes and sends are real.{what_is_off}"

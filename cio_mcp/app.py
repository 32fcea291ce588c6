"""The composition root: settings in, a server ready to be served out."""

import logging
import time
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import httpx
from pydantic import HttpUrl, SecretStr

from cio_mcp import __version__
from cio_mcp.client import CustomerIO
from cio_mcp.client.access import Access
from cio_mcp.client.network import Network
from cio_mcp.client.pacing import Limits
from cio_mcp.registry import Tool
from cio_mcp.safety import Guard
from cio_mcp.sandbox import Sandbox
from cio_mcp.server import Server
from cio_mcp.settings import Settings
from cio_mcp.tools import TOOLBOXES

# Customer.io's own addresses (Track and App API references, 2026-08).
HOSTS = {
    ("track", "us"): "https://track.customer.io",
    ("track", "eu"): "https://track-eu.customer.io",
    ("app", "us"): "https://api.customer.io",
    ("app", "eu"): "https://api-eu.customer.io",
}

# A name that can never resolve (RFC 2606), so that nothing meant for the sandbox reaches a network.
SANDBOX_URL = HttpUrl("https://sandbox.invalid")

# Why a tool is off, and how an operator mends that.
MISSING = {
    "track": "the Track API is not open: set CIO_SITE_ID and CIO_TRACK_API_KEY",
    "app": "the App API is not open: set CIO_APP_API_KEY",
}

IN_SANDBOX = (
    "This is the embedded sandbox: a made-up workspace with sample customers, campaigns and messages. "
    "Try anything: nothing reaches a real customer, and all is gone when this process ends."
)


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

    `wire` takes the place of the network; `clock` is the time of day in the embedded sandbox. The loggers of
    the libraries underneath are turned down, since they log addresses, and addresses hold identifiers.
    """
    for name in ("httpx", "httpcore", "mcp"):
        logging.getLogger(name).setLevel(logging.WARNING)
    sandbox = Sandbox(clock=clock) if settings.uses_sandbox else None
    if sandbox:
        wire, settings = httpx.ASGITransport(app=sandbox.app), _for_sandbox(settings, sandbox)
    client = CustomerIO(
        wire or Network(),
        _accesses(settings),
        limits=Limits(
            track=settings.track_rate,
            app=settings.app_rate,
            send=settings.send_rate,
            broadcast_interval=settings.broadcast_interval,
            share=settings.rate_share,
        ),
        deadline=settings.deadline,
        user_agent=f"cio-mcp/{__version__}",
    )
    tools = [tool for toolbox in TOOLBOXES for tool in toolbox.tools]
    off = {tool.name: reason for tool in tools if (reason := _why_off(tool, client))}
    server = Server(
        [tool for tool in tools if tool.name not in off],
        Guard(client, sandbox=sandbox is not None),
        workspace=IN_SANDBOX if sandbox else _live(settings, set(off.values())),
        off=off,
        prefix=settings.tool_prefix,
    )
    return App(server, client, sandbox)


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


def _accesses(settings: Settings) -> list[Access]:
    """Return what the credentials open: Basic for Track, Bearer for App."""
    accesses = []
    if settings.site_id and settings.track_api_key:
        pair = f"{settings.site_id.get_secret_value()}:{settings.track_api_key.get_secret_value()}"
        basic = f"Basic {b64encode(pair.encode()).decode()}"
        accesses.append(_access("track", settings, settings.track_url, basic))
    if settings.app_api_key:
        key = settings.app_api_key.get_secret_value()
        accesses.append(_access("app", settings, settings.app_url, f"Bearer {key}"))
        if settings.app_api_key in {settings.track_api_key, settings.site_id}:
            accesses[-1].suspicion = "CIO_APP_API_KEY is the same as one of the Track credentials"
        elif key.startswith("sa_live_"):
            accesses[-1].suspicion = "CIO_APP_API_KEY is a service account token, which opens only /v1/send"
    for access in accesses:
        access.sibling = next((other for other in accesses if other is not access), None)
    return accesses


def _access(
    api: Literal["track", "app"], settings: Settings, url: HttpUrl | None, authorization: str
) -> Access:
    if url:
        return Access(api, str(url), authorization, region=None)
    return Access(api, HOSTS[api, settings.region], authorization, region=settings.region)


def _why_off(tool: Tool, client: CustomerIO) -> str:
    return "; ".join(MISSING[api.name] for api in tool.apis.values() if not client.opens(api))


def _live(settings: Settings, reasons: Iterable[str]) -> str:
    what_is_off = "".join(f" Some tools are off: {reason}." for reason in reasons)
    return f"This is a live workspace ({settings.region}): writes and sends are real.{what_is_off}"

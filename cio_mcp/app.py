"""The composition root: settings in, a server ready to be served out."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from pydantic import HttpUrl, SecretStr

from cio_mcp import __version__
from cio_mcp.callers.tokens import Tokens
from cio_mcp.client import CustomerIO
from cio_mcp.client.network import Network
from cio_mcp.client.spans import with_spans
from cio_mcp.errors import SettingsError
from cio_mcp.limits import covering
from cio_mcp.safety import Guard
from cio_mcp.safety.audit import AuditLog
from cio_mcp.safety.bounds import Caps
from cio_mcp.safety.confirmation import Confirmations
from cio_mcp.safety.stop import Stop
from cio_mcp.safety.store import FileStore, Store
from cio_mcp.sandbox import Sandbox
from cio_mcp.server.served import Served, Workspace
from cio_mcp.server.server import Server
from cio_mcp.settings import Settings
from cio_mcp.settings.workspaces import each
from cio_mcp.status import status_of
from cio_mcp.tools import TOOLS
from cio_mcp.workspace import (
    CLOSED,
    accesses,
    bounds,
    limits,
    safety_file,
    shared_store,
    slots,
    state_folder,
    state_key,
    tools_off,
)

if TYPE_CHECKING:
    from cio_mcp.safety.privacy import Mask

# What an agent must know to act on people whom it cannot see.
MASKED = (
    "Addresses and phone numbers of people are hidden: pass their pseudonyms (…@masked.invalid, phone-…) "
    "back as they are, as identifiers and recipients."
)

# A name that can never resolve (RFC 2606), so that nothing meant for the sandbox reaches a network.
SANDBOX_URL = HttpUrl("https://sandbox.invalid")


@dataclass(frozen=True)
class Opened:
    """One workspace, and what it stands on."""

    workspace: Workspace
    client: CustomerIO
    sandbox: Sandbox | None


@dataclass
class App:
    """A server and what it stands on. Serve `server` while the event loop runs, then `aclose`."""

    server: Server
    opened: Mapping[str, Opened]
    store: Store
    tokens: Tokens | None = None

    async def aclose(self, grace: float = 0.0) -> None:
        """Let what has left come back for `grace` seconds, then close everything."""
        await asyncio.gather(*(found.client.aclose(grace) for found in self.opened.values()))
        await self.store.aclose()
        for found in self.opened.values():
            if found.sandbox:
                found.sandbox.close()


def build(
    settings: Settings,
    *,
    wire: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] = time.time,
) -> App:
    """Put the program together.

    `wire` takes the place of the network, and then no limit is shared with other processes; `clock` is the
    time of day, in the embedded sandbox too. The loggers of the libraries underneath are turned down, since
    they log addresses, which hold identifiers, and whole answers.
    """
    for name in ("httpx", "httpcore", "mcp", "sse_starlette"):
        logging.getLogger(name).setLevel(logging.WARNING)
    workspaces = each(settings)
    store, mask = _store(settings, list(workspaces.values()), clock), _mask(settings)
    opened = {name: _open(name, one, store, mask, wire, clock) for name, one in workspaces.items()}
    tokens = Tokens(settings.tokens_file, clock) if settings.tokens_file else None
    served = Served(
        TOOLS,
        {name: found.workspace for name, found in opened.items()},
        settings.tool_prefix,
        MASKED if mask else "",
    )
    hide = next(iter(opened.values())).workspace.guard.hide  # all hide alike
    server = Server(served, hide, tokens, state_key(workspaces.values()))
    return App(server, opened, store, tokens)


def _store(settings: Settings, workspaces: list[Settings], clock: Callable[[], float]) -> Store:
    """Return where codes and counts are kept: what embedded sandboxes in memory were told ends with them."""
    if not all(one.uses_sandbox for one in workspaces):
        return shared_store(settings, clock)
    return FileStore(safety_file() if any(one.sandbox_path for one in workspaces) else None, clock)


def _open(
    name: str,
    settings: Settings,
    store: Store,
    mask: "Mask | None",
    wire: httpx.AsyncBaseTransport | None,
    clock: Callable[[], float],
) -> Opened:
    """Open one workspace, and put together what stands before the tools there."""
    off = tools_off(settings)
    sandbox = open_sandbox(settings, clock=clock) if settings.uses_sandbox else None
    if sandbox:
        wire, settings = httpx.ASGITransport(app=sandbox.app), _for_sandbox(settings, sandbox)
    client = CustomerIO(
        with_spans(wire or Network()),
        accesses(settings),
        limits=limits(settings),
        deadline=settings.deadline,
        user_agent=f"cio-mcp/{__version__}",
        slots=None if wire else slots(settings),
        clock=clock,
    )
    budget, bound = accesses(settings)[-1].workspace, bounds(settings)
    caps, stop = Caps(bound.caps, store, budget), Stop(settings.stop_file, store)
    guard = Guard(
        client,
        sandbox=sandbox is not None,
        confirm=settings.confirm,
        confirmations=Confirmations(store, budget, settings.max_audience_growth),
        bounds=bound,
        caps=caps,
        stop=stop,
        workspace=name or None,
        audit=open_audit_log(settings, clock, name or None),
        mask=mask,
        status=lambda: status_of(settings, store, stop, caps, client, off, sandbox=sandbox is not None),
    )
    about = _in_sandbox(settings) if sandbox else _live(settings, set(off.values()) & set(CLOSED.values()))
    return Opened(Workspace(off, guard, about), client, sandbox)


def open_audit_log(
    settings: Settings, clock: Callable[[], float] = time.time, workspace: str | None = None
) -> AuditLog | None:
    """Open the audit log that the settings name; raises SettingsError if it cannot be written."""
    try:
        return AuditLog(settings.audit_log, clock, workspace=workspace) if settings.audit_log else None
    except OSError as error:
        raise SettingsError(f"CIO_AUDIT_LOG: {settings.audit_log}: {error.strerror}") from None


def _mask(settings: Settings) -> "Mask | None":
    if settings.pii == "show":
        return None
    from cio_mcp.safety.privacy import Mask, load_key  # noqa: PLC0415 - takes long to import, and few use it

    return Mask(load_key(state_folder()), settings.pii_attributes)


def open_sandbox(settings: Settings, *, clock: Callable[[], float] = time.time) -> Sandbox:
    """Open the sandbox that the settings name; raises SettingsError if its file cannot be used."""
    try:
        return Sandbox(
            settings.sandbox_path or ":memory:", region=settings.region, clock=clock, counts=_documented
        )
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"CIO_SANDBOX_PATH: {settings.sandbox_path} cannot be used: {error}") from None


def _documented(request: str) -> list[tuple[str, float, float]]:
    """Return what counts a request; the sandbox itself counts the triggers of a broadcast, with its state."""
    counts = covering(request)
    return [(limit.name, limit.requests, limit.window) for limit in counts if not limit.each_path]


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

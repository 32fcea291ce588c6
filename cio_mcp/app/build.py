"""The composition root: builds the application from the settings."""

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cache, partial
from typing import TYPE_CHECKING

import httpx
from pydantic import HttpUrl, SecretStr

from cio_mcp import __version__
from cio_mcp.app.application import App
from cio_mcp.app.audit import copier_of, open_audit_log
from cio_mcp.app.catalogue import Catalogue, OpenWorkspace
from cio_mcp.app.extensions import rules_named
from cio_mcp.app.sandbox_wire import SandboxWire
from cio_mcp.app.status import status_of
from cio_mcp.app.toolshelf import Toolshelf
from cio_mcp.app.workspace import (
    accesses,
    closed_apis,
    limits,
    safety_file,
    shared_store,
    slots,
    state_folder,
    state_key,
    tools_off,
)
from cio_mcp.auth.tokens import Tokens
from cio_mcp.client import CustomerIO
from cio_mcp.client.download import Downloader
from cio_mcp.client.network import Network
from cio_mcp.client.tracing import with_spans
from cio_mcp.errors import SettingsError
from cio_mcp.files import narrow
from cio_mcp.limits import covering
from cio_mcp.safety import Guard
from cio_mcp.safety.audit.copy import Copier
from cio_mcp.safety.audit.record import Record
from cio_mcp.safety.audit.strangers import Strangers
from cio_mcp.safety.bounds import Bounds
from cio_mcp.safety.caps import Caps
from cio_mcp.safety.confirmation import Confirmations
from cio_mcp.safety.consent import Consent
from cio_mcp.safety.counting import Counting
from cio_mcp.safety.stop import Stop
from cio_mcp.safety.stores import Store
from cio_mcp.safety.stores.file import FileStore
from cio_mcp.safety.supplies import Supplies
from cio_mcp.settings import Settings
from cio_mcp.settings.workspaces import each
from cio_mcp.toolkit.downloads import Downloads
from cio_mcp.toolkit.people.consequences import Consequence
from cio_mcp.toolkit.sandbox_controls import SandboxControls
from cio_mcp.toolkit.texts.history import History

if TYPE_CHECKING:
    from cio_mcp.safety.privacy.mask import Mask
    from cio_mcp.sandbox import Sandbox

# What an agent must know to act on people whose addresses are hidden.
MASKED = (
    "People's addresses and phone numbers are hidden. Pass their pseudonyms (…@masked.invalid, phone-…) back "
    "unchanged, as identifiers and recipients."
)

# A name that never resolves (RFC 2606), so that no request meant for the sandbox reaches a network.
SANDBOX_URL = HttpUrl("https://sandbox.invalid")


def build(
    settings: Settings,
    *,
    wire: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] = time.time,
) -> App:
    """Build the application.

    `wire` replaces the network, and then limits are not shared with other processes. `clock` is the real
    time; only tools on a sandbox take theirs from the sandbox's. Loggers of libraries log URLs and answers.
    """
    for name in ("httpx", "httpcore", "mcp", "sse_starlette"):
        logging.getLogger(name).setLevel(logging.WARNING)
    workspaces = each(settings)
    # `cio-mcp stop` stops every server, whatever it works on, as it cannot know which workspaces there are.
    stops = shared_store(settings, clock)
    store, mask_of = _store(list(workspaces.values()), stops, clock), _masks(settings)
    tokens = Tokens(settings.tokens_file, clock) if settings.tokens_file else None
    shelf = Toolshelf(list(workspaces.values()))
    with ExitStack() as files:
        copier = copier_of(settings)
        opened = {}
        for name, one in workspaces.items():
            stop = Stop(one.stop_file, stops)
            opened[name] = _open(name, one, shelf, store, stop, mask_of, wire, clock, files, copier)
            if shelf.is_whole:
                opened[name].off  # noqa: B018 - what is wrong with them stops the start
        audit = open_audit_log(settings, files, clock, copier=copier)
        return App(
            Catalogue(shelf, opened, settings.tool_prefix, MASKED if mask_of else ""),
            store,
            stops,
            files.pop_all(),
            tokens,
            state_key(workspaces.values()),
            clock=clock,
            record=Record(audit),
            strangers=Strangers(audit),
            copier=copier,
        )


def _store(workspaces: list[Settings], shared: Store, clock: Callable[[], float]) -> Store:
    """Return the store of codes and counts; it is in memory if all workspaces are sandboxes in memory."""
    if not all(one.uses_sandbox for one in workspaces):
        return shared
    return FileStore(safety_file() if any(one.sandbox_path for one in workspaces) else None, clock)


def _open(
    name: str,
    settings: Settings,
    shelf: Toolshelf,
    store: Store,
    stop: Stop,
    mask_of: "Callable[[str], Mask] | None",
    wire: httpx.AsyncBaseTransport | None,
    clock: Callable[[], float],
    files: ExitStack,
    copier: Copier | None,
) -> OpenWorkspace:
    """Open one workspace and build its guard; `files` closes it."""
    off, sandbox = cache(partial(tools_off, settings)), None
    if settings.uses_sandbox:
        sandbox = files.enter_context(closing(open_sandbox(settings, clock=clock)))
        wire, settings = SandboxWire(sandbox), _for_sandbox(settings, sandbox)
    shared, wire = wire is None, wire or Network()
    client = CustomerIO(
        with_spans(wire),
        accesses(settings),
        limits=limits(settings),
        deadline=settings.deadline,
        user_agent=f"cio-mcp/{__version__}",
        slots=slots(settings, files) if shared else None,
        clock=sandbox.now if sandbox else clock,
    )
    budget, bounds = accesses(settings)[-1].workspace, Bounds.of(settings)
    caps = Caps("sends", bounds.caps, store, budget)
    deletions = Caps("deletions", settings.caps("deletions"), store, budget)
    confirmations = Confirmations(store, budget, settings.max_audience_growth)
    audit = open_audit_log(settings, files, clock, name or None, copier)
    guard = Guard(
        client,
        sandbox=sandbox is not None,
        consent=Consent(
            settings.confirm, confirmations, [Consequence(word) for word in settings.confirm_also]
        ),
        bounds=bounds,
        counting=Counting(caps, deletions, confirmations, store, name),
        stop=stop,
        workspace=name or None,
        timezone=settings.timezone if "timezone" in settings.model_fields_set else "",
        reads="read" in settings.permissions,
        rules=rules_named(settings.rules),
        record=Record(audit, reads=settings.audit_reads),
        mask=mask_of(budget) if mask_of else None,
        files=settings.files,
        supplies=Supplies(
            client,
            lambda: status_of(
                *(settings, store, stop, (caps, deletions), client, shelf.tools.values()),
                off(tuple(shelf.tools.values())),
                clock(),
                sandbox,
            ),
            History(store, budget),
            Downloads(None if mask_of else settings.downloads, Downloader(wire)),
            SandboxControls(sandbox.control_in_turns) if sandbox else None,
        ),
    )
    return OpenWorkspace(shelf, off, guard, client, _in_sandbox(settings) if sandbox else _live(settings))


def _masks(settings: Settings) -> "Callable[[str], Mask] | None":
    """Return what makes the mask of a workspace, by its budget; None if nothing is hidden."""
    if settings.pii == "show":
        return None
    from cio_mcp.safety.privacy.mask import Mask, load_key, workspace_key  # noqa: PLC0415 - slow, and rare

    key = load_key(state_folder())
    return lambda workspace: Mask(workspace_key(key, workspace), settings.pii_attributes)


def open_sandbox(settings: Settings, *, clock: Callable[[], float] = time.time) -> "Sandbox":
    """Open the sandbox that the settings name; raises SettingsError if its file cannot be used."""
    from cio_mcp.sandbox import Sandbox  # noqa: PLC0415 - a live workspace needs none of it

    path = settings.sandbox_path
    try:
        if path and path.parent.is_dir():
            path.touch(mode=0o600)
        sandbox = Sandbox(path or ":memory:", region=settings.region, clock=clock, counts=_documented)
        try:
            if path:
                narrow(path)
        except OSError:
            sandbox.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"CIO_SANDBOX_PATH: {path} cannot be used: {error}") from None
    return sandbox


def _documented(request: str) -> list[tuple[str, float, float]]:
    """Return what counts a request; the sandbox itself counts the triggers of a broadcast, with its state."""
    counts = covering(request)
    return [(limit.name, limit.requests, limit.window) for limit in counts if not limit.each_path]


def _for_sandbox(settings: Settings, sandbox: "Sandbox") -> Settings:
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
    kept, lost = "is kept in a file, which server_status names", "is gone when this process ends"
    end = kept if settings.sandbox_path else lost
    return (
        "This is the embedded sandbox: a made-up workspace with sample customers, campaigns and messages. "
        f"Try anything: nothing reaches a real customer. What you change {end}."
    )


def _live(settings: Settings) -> str:
    what_is_off = "".join(f" Some tools are off: {why}." for why in closed_apis(settings).values())
    return f"This is a live workspace ({settings.region}): writes and sends are real.{what_is_off}"

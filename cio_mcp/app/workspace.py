"""The parts of a workspace, from the settings: addresses, credentials, limits, and which tools can work."""

import hashlib
import logging
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from platformdirs import user_state_path
from pydantic import SecretStr

from cio_mcp.app.message_tools import off_by_file
from cio_mcp.client.access import Access
from cio_mcp.client.api import Api, TrackApi
from cio_mcp.client.pacing import Limits, MemorySlots, Slots
from cio_mcp.client.pacing.file_slots import FileSlots
from cio_mcp.errors import SettingsError
from cio_mcp.files import check_folder, make_private
from cio_mcp.limits import LIMITS
from cio_mcp.safety.permissions import switched_off
from cio_mcp.safety.stores import Store
from cio_mcp.safety.stores.file import FileStore
from cio_mcp.settings import Settings
from cio_mcp.settings.workspaces import each
from cio_mcp.toolkit.core import CORE
from cio_mcp.toolkit.registry import Tool
from cio_mcp.toolkit.rows.results import Results
from cio_mcp.toolkit.sandbox_controls import SandboxControls

ApiName = Literal["track", "app"]

_log = logging.getLogger(__name__)

# Customer.io's own addresses (Track and App API references, 2026-08).
HOSTS: dict[tuple[ApiName, Literal["us", "eu"]], str] = {
    ("track", "us"): "https://track.customer.io",
    ("track", "eu"): "https://track-eu.customer.io",
    ("app", "us"): "https://api.customer.io",
    ("app", "eu"): "https://api-eu.customer.io",
}

# How an operator gives access to an API, and the reason why its tools are off until then.
TO_OPEN: dict[ApiName, str] = {
    "track": "set CIO_SITE_ID and CIO_TRACK_API_KEY",
    "app": "set CIO_APP_API_KEY",
}
CLOSED = {api: f"the {api.capitalize()} API has no credentials: {fix}" for api, fix in TO_OPEN.items()}
SENDS_ONLY = "CIO_APP_API_KEY is a service account token, which can only send: set an App API key instead"


def tools_off(settings: Settings, tools: Iterable[Tool]) -> Mapping[str, str]:
    """Return the names of those of `tools` that are off with these settings, and the reason for each."""
    tools, opened, why = list(tools), accesses(settings), closed_apis(settings)
    closed = {
        tool.name: [api for api in _needed(tool) if not any(map(api.opened_by, opened))]
        for tool in tools
        if why
    }
    of_sandbox = [tool.name for tool in tools if SandboxControls in tool.supplied.values()]
    away = {} if settings.uses_sandbox else dict.fromkeys(of_sandbox, "this is a live workspace")
    apart = {name: "; ".join(why[api.name] for api in apis) for name, apis in closed.items() if apis}
    return switched_off(tools, CORE, settings) | apart | away | off_by_file(settings, tools)


def _needed(tool: Tool) -> Sequence[type[Api]]:
    """Return the APIs without which a tool cannot work; what kept results tell of was sent through Track."""
    keeps = any(issubclass(what, Results) for what in tool.supplied.values())
    return tool.apis or ([TrackApi] if keeps else [])


def closed_apis(settings: Settings) -> Mapping[ApiName, str]:
    """Return the APIs that are closed, wholly or in part, and why; the embedded sandbox has both."""
    if settings.uses_sandbox:
        return {}
    opened = accesses(settings)
    closed = {api: why for api, why in CLOSED.items() if api not in {access.api for access in opened}}
    return closed | ({"app": SENDS_ONLY} if any(access.sends_only for access in opened) else {})


def limits(settings: Settings) -> Limits:
    """Return Customer.io's limits, as set in the settings."""
    values = {limit.name: getattr(settings, limit.setting) for limit in LIMITS if limit.setting}
    return Limits(share=settings.rate_share, **values)


def accesses(settings: Settings) -> list[Access]:
    """Return the access to each API that has credentials: Basic for Track, Bearer for App."""
    found = []
    if settings.site_id and settings.track_api_key:
        pair = f"{settings.site_id.get_secret_value()}:{settings.track_api_key.get_secret_value()}"
        found.append(_access("track", settings, f"Basic {b64encode(pair.encode()).decode()}"))
    if settings.app_api_key:
        key = settings.app_api_key.get_secret_value()
        found.append(_access("app", settings, f"Bearer {key}"))
        found[-1].sends_only, found[-1].workspace_id = settings.sends_only, settings.workspace_id
        if settings.app_api_key in {settings.track_api_key, settings.site_id}:
            found[-1].suspicion = "CIO_APP_API_KEY is the same as one of the Track credentials"
    for access in found:
        access.sibling = next((other for other in found if other is not access), None)
    return found


def _access(api: ApiName, settings: Settings, authorization: str) -> Access:
    if url := (settings.track_url if api == "track" else settings.app_url):
        return Access(api, str(url), authorization, region=None, workspace=_budget(settings, str(url)))
    home = HOSTS[api, settings.region]
    return Access(api, home, authorization, region=settings.region, workspace=_budget(settings, home))


def _budget(settings: Settings, address: str) -> str:
    """Return a hash that identifies the request budget in use: Customer.io's limits belong to a workspace."""
    known = settings.workspace or settings.site_id or settings.app_api_key
    name = known.get_secret_value() if isinstance(known, SecretStr) else known
    return hashlib.sha256(f"{address} {name}".encode()).hexdigest()[:16]


def slots(settings: Settings, files: ExitStack) -> Slots:
    """Return the store of slots: Redis, a file that this host's processes share, or this process's memory.

    `files` closes what is opened. Raises SettingsError if redis-py is missing or rejects the address.
    """
    if isinstance(settings.shared_pace, SecretStr):
        from cio_mcp.client.pacing.redis_slots import RedisSlots  # noqa: PLC0415 - needs the extra

        return RedisSlots(settings.shared_pace)
    if settings.shared_pace == "off":
        return MemorySlots()
    try:
        shared = FileSlots(pace_file())
    except (sqlite3.Error, OSError) as error:
        _log.warning("the pace is not shared with other processes: %s: %s", pace_file(), error)
        return MemorySlots(trouble="the file that this host's processes share cannot be used")
    files.callback(shared.close)
    return shared


def state_key(workspaces: Iterable[Settings]) -> bytes | None:
    """Return the key that protects the state which a client carries from one request to the next.

    It derives from the credentials, so that replicas have the same key and nobody else has it. For embedded
    sandboxes it is None, and the SDK then makes up a key.
    """
    live = (settings for settings in workspaces if not settings.uses_sandbox)
    parts = ["request state", *(access.authorization for settings in live for access in accesses(settings))]
    return hashlib.sha256("\n".join(parts).encode()).digest() if len(parts) > 1 else None


def shared_store(settings: Settings, clock: Callable[[], float]) -> Store:
    """Return the store of codes and counts: Redis, or a file that this host's processes share.

    Raises SettingsError as `slots` does.
    """
    if isinstance(settings.shared_pace, SecretStr):
        from cio_mcp.safety.stores.redis import RedisStore  # noqa: PLC0415 - needs the extra

        return RedisStore(settings.shared_pace, _tenant(settings))
    return FileStore(safety_file(), clock)


def _tenant(settings: Settings) -> str:
    """Return whose stop a stop is, among all who share a Redis: that of all who have the same workspaces."""
    try:
        found = {access.workspace for one in each(settings).values() for access in accesses(one)}
    except SettingsError:
        found = set()  # whoever must stop need not fix a file of workspaces first
    return hashlib.sha256(" ".join(sorted(found)).encode()).hexdigest()[:12] if found else "operator"


def pace_file() -> Path:
    """Return the file through which this host's processes share the rate limits."""
    return state_folder() / "pace.db"


def safety_file() -> Path:
    """Return the file through which this host's processes share confirmation codes and caps."""
    return state_folder() / "safety.db"


def remembering(settings: Settings) -> Settings:
    """Return settings whose sandbox outlasts the process, where nothing is set that says otherwise.

    Then it is in the state folder, if that can be written.
    """
    says_otherwise = settings.sandbox == "on" or settings.sandbox_path or settings.workspaces_file
    if not settings.uses_sandbox or says_otherwise:
        return settings
    path = _kept_file()
    try:
        make_private(path)
    except OSError as error:
        _log.warning("the sandbox is kept in memory only: %s: %s", path, error.strerror)
        return settings
    return settings.model_copy(update={"sandbox_path": path})


def kept_sandbox(settings: Settings) -> Settings:
    """Return settings with the sandbox that is kept; raises SettingsError if they say that none is.

    Credentials do not matter: without them the same file is used.
    """
    if settings.sandbox_path:
        return settings
    if settings.sandbox == "on" or settings.workspaces_file:
        setting = "CIO_SANDBOX=on" if settings.sandbox == "on" else "CIO_WORKSPACES_FILE"
        message = f"{setting}: with it no sandbox is kept; unset it, or name its file in CIO_SANDBOX_PATH"
        raise SettingsError(message)
    path = _kept_file()
    try:
        make_private(path)
    except OSError as error:
        message = f"{path} cannot be used: {error.strerror}; name another file in CIO_SANDBOX_PATH"
        raise SettingsError(message) from None
    return settings.model_copy(update={"sandbox_path": path})


def _kept_file() -> Path:
    from cio_mcp.sandbox import adopt  # noqa: PLC0415 - a live workspace needs none of it

    adopt(path := state_folder() / "sandbox.db")
    return path


def state_folder() -> Path:
    """Return the folder of the files that this user's processes share.

    Raises SettingsError if others can write to it.
    """
    folder = user_state_path("cio-mcp", appauthor=False)
    try:
        check_folder(folder)
    except OSError as error:
        raise SettingsError(f"{folder}: no state can be kept there: {error.strerror}") from None
    return folder

"""Which workspace the settings open: addresses, credentials, limits, and the tools that can work there."""

import hashlib
import logging
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from platformdirs import user_state_path
from pydantic import SecretStr

from cio_mcp.client.access import Access
from cio_mcp.client.pacing import Limits, MemorySlots, Slots
from cio_mcp.client.pacing.file_slots import FileSlots
from cio_mcp.limits import LIMITS
from cio_mcp.safety.bounds import Bounds
from cio_mcp.safety.permissions import switched_off
from cio_mcp.safety.store import FileStore, Store
from cio_mcp.settings import Settings
from cio_mcp.tools import CORE, TOOLS

ApiName = Literal["track", "app"]

_log = logging.getLogger(__name__)

# Customer.io's own addresses (Track and App API references, 2026-08).
HOSTS: dict[tuple[ApiName, Literal["us", "eu"]], str] = {
    ("track", "us"): "https://track.customer.io",
    ("track", "eu"): "https://track-eu.customer.io",
    ("app", "us"): "https://api.customer.io",
    ("app", "eu"): "https://api-eu.customer.io",
}

# Why an API is not open, and how an operator mends that.
CLOSED: dict[ApiName, str] = {
    "track": "the Track API is not open: set CIO_SITE_ID and CIO_TRACK_API_KEY",
    "app": "the App API is not open: set CIO_APP_API_KEY",
}


def tools_off(settings: Settings) -> Mapping[str, str]:
    """Return the names of the tools that are off with these settings, and the reason for each."""
    opened = CLOSED.keys() if settings.uses_sandbox else {access.api for access in accesses(settings)}
    return switched_off(
        TOOLS,
        CORE,
        permissions=settings.permissions,
        toolsets=settings.toolsets,
        patterns=settings.tools,
    ) | {
        tool.name: "; ".join(CLOSED[api.name] for api in tool.apis if api.name not in opened)
        for tool in TOOLS
        if any(api.name not in opened for api in tool.apis)
    }


def limits(settings: Settings) -> Limits:
    """Return Customer.io's limits as the settings know them."""
    values = {limit.name: getattr(settings, limit.setting) for limit in LIMITS if limit.setting}
    return Limits(share=settings.rate_share, **values)


def bounds(settings: Settings) -> Bounds:
    """Return the bounds that the settings set."""
    caps = {
        "CIO_MAX_SENDS_PER_HOUR": settings.max_sends_per_hour,
        "CIO_MAX_SENDS_PER_DAY": settings.max_sends_per_day,
    }
    return Bounds(
        allowed=settings.allowed_recipients,
        max_recipients=settings.max_recipients,
        caps={name: most for name, most in caps.items() if most is not None},
        bcc=settings.allow_bcc,
    )


def accesses(settings: Settings) -> list[Access]:
    """Return what the credentials open: Basic for Track, Bearer for App."""
    found = []
    if settings.site_id and settings.track_api_key:
        pair = f"{settings.site_id.get_secret_value()}:{settings.track_api_key.get_secret_value()}"
        found.append(_access("track", settings, f"Basic {b64encode(pair.encode()).decode()}"))
    if settings.app_api_key:
        key = settings.app_api_key.get_secret_value()
        found.append(_access("app", settings, f"Bearer {key}"))
        if settings.app_api_key in {settings.track_api_key, settings.site_id}:
            found[-1].suspicion = "CIO_APP_API_KEY is the same as one of the Track credentials"
        elif key.startswith("sa_live_"):
            found[-1].suspicion = "CIO_APP_API_KEY is a service account token, which opens only /v1/send"
    for access in found:
        access.sibling = next((other for other in found if other is not access), None)
    return found


def _access(api: ApiName, settings: Settings, authorization: str) -> Access:
    if url := (settings.track_url if api == "track" else settings.app_url):
        return Access(api, str(url), authorization, region=None, workspace=_budget(settings, str(url)))
    home = HOSTS[api, settings.region]
    return Access(api, home, authorization, region=settings.region, workspace=_budget(settings, home))


def _budget(settings: Settings, address: str) -> str:
    """Return whose budget of requests is used, as a hash: Customer.io's limits belong to a workspace."""
    known = settings.workspace or settings.site_id or settings.app_api_key
    name = known.get_secret_value() if isinstance(known, SecretStr) else known
    return hashlib.sha256(f"{address} {name}".encode()).hexdigest()[:16]


def slots(settings: Settings) -> Slots:
    """Return where slots are kept: in Redis, in a file that this host's processes share, or in this process.

    Raises SettingsError if redis-py is missing for an address, or does not take it.
    """
    if isinstance(settings.shared_pace, SecretStr):
        from cio_mcp.client.pacing.redis_slots import RedisSlots  # noqa: PLC0415 - needs the extra

        return RedisSlots(settings.shared_pace)
    if settings.shared_pace == "off":
        return MemorySlots()
    try:
        return FileSlots(pace_file())
    except (sqlite3.Error, OSError) as error:
        _log.warning("the pace is not shared with other processes: %s: %s", pace_file(), error)
        return MemorySlots(trouble="the file that this host's processes share cannot be used")


def state_key(workspaces: Iterable[Settings]) -> bytes | None:
    """Return the key that seals what a client carries from one request to the next.

    It follows from the credentials, so that replicas have the same one and nobody else has it. Embedded
    sandboxes have none: without a key one is made up.
    """
    live = (settings for settings in workspaces if not settings.uses_sandbox)
    parts = ["request state", *(access.authorization for settings in live for access in accesses(settings))]
    if len(parts) == 1:
        return None
    return hashlib.sha256("\n".join(parts).encode()).digest()


def shared_store(settings: Settings, clock: Callable[[], float]) -> Store:
    """Return where codes and counts are kept: in Redis, or in a file that this host's processes share.

    Raises SettingsError as `slots` does.
    """
    if isinstance(settings.shared_pace, SecretStr):
        from cio_mcp.safety.replicas import RedisStore  # noqa: PLC0415 - needs the extra

        return RedisStore(settings.shared_pace)
    return FileStore(safety_file(), clock)


def pace_file() -> Path:
    """Return the file through which this host's processes share each limit."""
    return state_folder() / "pace.db"


def safety_file() -> Path:
    """Return the file through which this host's processes share confirmation codes and caps."""
    return state_folder() / "safety.db"


def state_folder() -> Path:
    """Return where this user's processes keep what they share."""
    return user_state_path("cio-mcp", appauthor=False)

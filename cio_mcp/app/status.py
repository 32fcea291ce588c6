"""The server's status."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cio_mcp import __version__
from cio_mcp.client import CustomerIO
from cio_mcp.client.pacing import BucketState
from cio_mcp.errors import NotAllowed
from cio_mcp.safety.caps import Caps
from cio_mcp.safety.stop import Stop
from cio_mcp.safety.stores import Store
from cio_mcp.settings import CREDENTIALS, Settings, variable
from cio_mcp.settings.scopes import LIMITS_SET, WINDOWS, WorkspaceSettings
from cio_mcp.toolkit.answers.status import CapStatus, LimitStatus, Status
from cio_mcp.toolkit.registry import Tool

if TYPE_CHECKING:
    from cio_mcp.sandbox import Sandbox

# Settings that the status shows in another form: as permissions, confirmation, time zone, caps, limits, tools
# that are off.
TOLD = {
    *("permissions", "toolsets", "tools", "confirm", "timezone", "rate_share"),
    *WINDOWS,
    *LIMITS_SET,
}

# All other settings that restrict a workspace: an agent can run into each of them.
BOUNDS = [name for name in WorkspaceSettings.model_fields if name not in TOLD]

# Tools that are off for one reason and told by name; more are told by toolset.
NAMED = 5

# What clients cannot do without sessions; see docs/safety.md.
STATELESS = (
    "there are no sessions (CIO_STATELESS): over Streamable HTTP, clients of protocol revisions before "
    "2026-07-28 cannot ask a person or cancel a call by a message, and without tokens all count as one caller"
)


async def status_of(
    settings: Settings,
    store: Store,
    stop: Stop,
    caps: Iterable[Caps],
    client: CustomerIO,
    tools: Iterable[Tool],
    off: Mapping[str, str],
    now: float,
    sandbox: "Sandbox | None",
) -> Status:
    """Return the status at `now` (unix seconds), without secrets and values of credentials."""
    bounds = {variable(name): _text(getattr(settings, name)) for name in BOUNDS}
    stopped = await stop.stopped()
    notes = [
        await store.trouble(),
        STATELESS if settings.stateless else None,
        *(_of_sandbox(settings, sandbox) if sandbox else ()),
    ]
    return Status(
        version=__version__,
        environment="sandbox" if sandbox else f"live, {settings.region}",
        credentials={}
        if sandbox
        else {variable(name): getattr(settings, name) is not None for name in CREDENTIALS},
        permissions=list(settings.permissions),
        confirmation=settings.confirm,
        stopped=stopped or None,
        timezone=settings.timezone,
        now=_time_of_day(sandbox.clock() if sandbox else now, settings.timezone),
        notes=[note for note in notes if note] or None,
        bounds={name: text for name, text in bounds.items() if text},
        caps=[
            CapStatus(setting=cap.setting, most=cap.most, left=left)
            for each in caps
            for cap, left in await each.left()
        ],
        scheduled=await _scheduled(store) if stopped else None,
        limits=[_limited(state) for state in client.buckets()],
        off=_in_brief(tools, off),
    )


def _in_brief(tools: Iterable[Tool], off: Mapping[str, str]) -> dict[str, list[str]]:
    """Return why tools are off, with those of each reason: by name, or of many by toolset and number."""
    by_reason: dict[str, list[Tool]] = {}
    for tool in tools:
        if tool.name in off:
            by_reason.setdefault(off[tool.name].replace(f"toolset {tool.toolset}", "toolset"), []).append(
                tool
            )
    return {reason: _named(found) for reason, found in by_reason.items()}


def _named(tools: list[Tool]) -> list[str]:
    counted = Counter(tool.toolset for tool in tools)
    if len(tools) <= NAMED:
        return [tool.name for tool in tools]
    return [f"{toolset} ({count})" for toolset, count in counted.items()]


def _of_sandbox(settings: Settings, sandbox: "Sandbox") -> Iterator[str]:
    """Yield where a sandbox is kept, what its clock shows if that is another time, and its faults."""
    if settings.sandbox_path:
        yield f"the sandbox is kept in {settings.sandbox_path}; delete that file to start over"
    if (clock := sandbox.clock.read()).differs:
        yield f"times here are of the sandbox's own clock: {clock}; cio-mcp sandbox clock moves it"
    yield from sandbox.notes()


def _time_of_day(now: float, zone: str) -> str:
    """Return a time as a clock in a time zone shows it."""
    moment = datetime.fromtimestamp(int(now), UTC if zone == "UTC" else ZoneInfo(zone))
    return moment.isoformat().replace("+00:00", "Z")


async def _scheduled(store: Store) -> list[str] | None:
    try:
        return await store.scheduled()
    except NotAllowed:
        return None


def _text(value: object) -> str:
    """Return a bound as text, empty if it is not set."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _limited(state: BucketState) -> LimitStatus:
    return LimitStatus(
        limit=f"{state.bucket.label}: {state.bucket.limit} per {state.bucket.window:g} s",
        waiting=state.waiting,
        used_share=round(state.share, 2) if state.share < 1 else None,
        held_back_seconds=round(state.held, 1) or None,
        last_429_seconds_ago=None if state.last_429 is None else round(state.last_429),
        failing=state.failing_with
        and f"for {state.failing_for:.0f} s, with {state.failing_with}; next try in {state.probe_in:.0f} s",
    )

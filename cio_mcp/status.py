"""What the server says of itself."""

from collections.abc import Mapping

from cio_mcp import __version__
from cio_mcp.client import CustomerIO
from cio_mcp.client.pacing import BucketState
from cio_mcp.safety.bounds import Caps
from cio_mcp.safety.stop import Stop
from cio_mcp.safety.store import Store
from cio_mcp.settings import CREDENTIALS, PREFIX, Settings
from cio_mcp.toolkit.answers import Cap, Limited, Status

# Settings that bound what may be done and are no caps: told where they are set, since an agent meets them.
BOUNDS = ("allowed_recipients", "max_recipients", "max_audience_growth", "allow_bcc", "stop_file", "deadline")


# What nobody can do without sessions; see docs/safety.md.
STATELESS = (
    "there are no sessions (CIO_STATELESS): over Streamable HTTP, clients of revisions before 2026-07-28 "
    "cannot ask a person or cancel a call by a message, and take turns as one caller unless they have tokens"
)


async def status_of(
    settings: Settings,
    store: Store,
    stop: Stop,
    caps: Caps,
    client: CustomerIO,
    off: Mapping[str, str],
    *,
    sandbox: bool,
) -> Status:
    """Return the status now: no secret, and no value of a credential."""
    told = {name: getattr(settings, name) for name in BOUNDS}
    notes = [await store.trouble(), STATELESS if settings.stateless else None]
    return Status(
        version=__version__,
        environment="sandbox" if sandbox else f"live, {settings.region}",
        credentials={}
        if sandbox
        else {PREFIX + name.upper(): getattr(settings, name) is not None for name in CREDENTIALS},
        permissions=list(settings.permissions),
        confirmation=settings.confirm,
        stopped=await stop.stopped() or None,
        notes=[note for note in notes if note],
        bounds={PREFIX + name.upper(): _text(value) for name, value in told.items() if value},
        caps=[Cap(setting=name, most=most, left=left) for name, (most, left) in (await caps.left()).items()],
        limits=[_limited(state) for state in client.buckets()],
        off=dict(off),
    )


def _text(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _limited(state: BucketState) -> Limited:
    return Limited(
        limit=f"{state.bucket.label}: {state.bucket.limit} per {state.bucket.window:g} s",
        waiting=state.waiting,
        used_share=round(state.share, 2) if state.share < 1 else None,
        held_back_seconds=round(state.held, 1) or None,
        last_429_seconds_ago=None if state.last_429 is None else round(state.last_429),
        failing=state.failing_with
        and f"for {state.failing_for:.0f} s, with {state.failing_with}; next try in {state.probe_in:.0f} s",
    )

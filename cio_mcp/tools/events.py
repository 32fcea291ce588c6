"""The toolset `events`: records what customers and anonymous visitors do."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from ulid import ULID

from cio_mcp.client import AnyIdType, AppApi, RequestKind, TrackApi, people
from cio_mcp.errors import InvalidArgument
from cio_mcp.limits import LOGGED
from cio_mcp.toolkit.answers.shapes import Accepted
from cio_mcp.toolkit.arguments.addresses import HOW, recipients
from cio_mcp.toolkit.arguments.sizes import excess
from cio_mcp.toolkit.arguments.times import Timestamp
from cio_mcp.toolkit.arguments.types import (
    AnonymousId,
    CustomerId,
    Line,
    Naming,
    at_most,
    meant,
    one_line,
)
from cio_mcp.toolkit.arguments.values import Values
from cio_mcp.toolkit.people.audience import Audience, reaches
from cio_mcp.toolkit.people.automations import YOUNG, started_by_events
from cio_mcp.toolkit.people.consequences import Consequence, Outlook, affects
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

# Track API, "track": bytes of an event's name, which a page's address is.
LONGEST_NAME = 100

# Track API, "track": bytes of an event's data.
LARGEST_DATA = 100_000

# Track API, "track": these keys of an event's data change the emails of the campaigns that it triggers.
REDIRECTS = {
    "recipient": "data.recipient: emails that this event triggers go to that address.",
    "from_address": "data.from_address: emails that this event triggers come from that address.",
    "reply_to": "data.reply_to: replies to emails that this event triggers go to that address.",
}


def _event_data(data: dict[str, Any], asked: ValidationInfo) -> dict[str, Any]:
    """Return an event's data with a pseudonym as recipient replaced."""
    if "recipient" in data:
        recipient = meant(data["recipient"], asked)
        try:
            recipient = ", ".join(map(str, recipients(one_line(recipient))))
        except (ValueError, TypeError):
            message = f"recipient must be an email address; {HOW}"
            raise ValueError(message) from None
        data = data | {"recipient": recipient}
    return data


def _ulid(value: object) -> object:
    try:
        return str(ULID.from_str(value)) if isinstance(value, str) else value
    except ValueError:
        message = "must be the event_id (a ULID) from an earlier answer; leave it out for a new event"
        raise ValueError(message) from None


EventName = Annotated[
    Line, at_most(LONGEST_NAME), Field(description="Such as order_completed; at most 100 bytes.")
]
EventData = Annotated[
    Values,
    AfterValidator(_event_data),
    at_most(LARGEST_DATA),
    Field(description='Properties, such as {"total": 25}.'),
]
EventTime = Annotated[Timestamp | None, Field(description="ISO 8601. Default: now.")]
EventId = Annotated[
    str,
    BeforeValidator(_ulid),
    Naming,
    Field(description="ULID; repeats count once."),
]


async def _reached(data: dict[str, Any] | None) -> Audience:
    """Return the recipient that an event's data sets for the emails that it triggers."""
    # Whether Customer.io takes several addresses here is not documented.
    named = recipients(data["recipient"]) if data and "recipient" in data else []
    known = not any(recipient.liquid for recipient in named)
    return Audience(
        "the address in data.recipient",
        len(named) if known else None,
        addresses=[recipient.address for recipient in named],
    )


def unseen(which: str) -> str:
    """Return a note on events that Customer.io does not list any more; `which` are older, in words."""
    days = LOGGED // 86400
    return f"{which} older than {days} days: check_write cannot see them, nor does Customer.io list them"


async def _started(app: AppApi, name: str, timestamp: int | None) -> Outlook:
    old = timestamp is not None and timestamp < app.call.called_at - YOUNG
    started = await started_by_events(app, {} if old else {name: "this event"})
    return Outlook(sets_off=started, covers=frozenset({Consequence.EVENTS}))


@tools.writes
@reaches(_reached)
@affects(Consequence.EVENTS, shows=_started)
async def track_event(
    track: TrackApi,
    customer_id: CustomerId,
    name: EventName,
    id_type: AnyIdType = "id",
    data: EventData | None = None,
    timestamp: EventTime = None,
    event_id: EventId | None = None,
) -> Accepted:
    """Record an event: something a customer did, such as a purchase. It can start campaigns (automations).

    check_write tells whether it was applied.
    """
    return await _record(track, name, data, timestamp, event_id, customer=(customer_id, id_type))


@tools.writes
@reaches(_reached)
@affects(Consequence.EVENTS, shows=_started)
async def track_anonymous_event(
    track: TrackApi,
    name: EventName,
    anonymous_id: AnonymousId | None = None,
    data: EventData | None = None,
    timestamp: EventTime = None,
    event_id: EventId | None = None,
) -> Accepted:
    """Record an event of a visitor who is not identified yet.

    identify_customer with this anonymous_id within 30 days moves it to that customer. Without anonymous_id it
    invites data.recipient.
    """
    if anonymous_id is None and not (data and "recipient" in data):
        raise InvalidArgument(
            "anonymous_id: is required, unless data.recipient is the person the event invites"
        )
    visitor = {"anonymous_id": anonymous_id} if anonymous_id else None
    return await _record(track, name, data, timestamp, event_id, extra=visitor)


@tools.writes
@reaches(_reached)
@affects(Consequence.EVENTS)
async def track_page_view(
    track: TrackApi,
    url: Annotated[
        Line,
        Field(description="URL or path."),
    ],
    customer_id: CustomerId | None = None,
    id_type: AnyIdType = "id",
    anonymous_id: AnonymousId | None = None,
    data: EventData | None = None,
    timestamp: EventTime = None,
    event_id: EventId | None = None,
) -> Accepted:
    """Record that a customer or an anonymous visitor viewed a page.

    Give exactly one of customer_id and anonymous_id.
    """
    page, name = {"type": "page"}, page_name(url)
    if name != url:
        data = {"url": url} | (data or {})
        if why := excess(data, LARGEST_DATA):
            raise InvalidArgument(f"url, data: in all {why}")
    match customer_id, anonymous_id:
        case str(), None:
            customer = customer_id, id_type
            answer = await _record(track, name, data, timestamp, event_id, customer=customer, extra=page)
        case None, str():
            visitor = page | {"anonymous_id": anonymous_id}
            answer = await _record(track, name, data, timestamp, event_id, extra=visitor)
        case _:
            raise InvalidArgument("customer_id, anonymous_id: give exactly one of them")
    if data and name != url:
        kept = "data.url has all of it" if data["url"] == url else "data.url is as you gave it"
        answer.notes = [*(answer.notes or ()), f"The page view is named by the start of url; {kept}."]
    return answer


def page_name(url: str) -> str:
    """Return what names a page view of `url`: as much of it as Customer.io takes."""
    return url.encode()[:LONGEST_NAME].decode(errors="ignore")


async def _record(
    track: TrackApi,
    name: str,
    data: dict[str, Any] | None,
    timestamp: int | None,
    event_id: str | None,
    *,
    customer: tuple[str, AnyIdType] | None = None,
    extra: dict[str, str] | None = None,
) -> Accepted:
    """Send an event with an id that all retries share, so that it counts once."""
    event_id = event_id or str(ULID())
    body = {"name": name, "data": data or None, "timestamp": timestamp, "id": event_id, **(extra or {})}
    event = {key: value for key, value in body.items() if value is not None}
    if_unknown = f"It is safe to call again with event_id={event_id}: the event counts once."
    if customer:
        await people.record(track, *customer, event, if_unknown)
    else:
        await track.post("/api/v1/events", event, kind=RequestKind.REPEATABLE, if_unknown=if_unknown)
    notes = [REDIRECTS[key] for key in data or () if key in REDIRECTS]
    if timestamp and timestamp < track.call.called_at - LOGGED:
        notes.append(unseen("The event is"))
    return Accepted(event_id=event_id, notes=notes or None)

"""Events: what customers and anonymous visitors did."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from ulid import ULID

from cio_mcp.client import IdType, RequestKind, TrackApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Accepted
from cio_mcp.toolkit.audience import Audience, reaches
from cio_mcp.toolkit.params import (
    AnonymousId,
    CustomerId,
    JsonObject,
    Text,
    Timestamp,
    at_most,
    meant,
    size_of,
)
from cio_mcp.toolkit.registry import Toolbox

events = Toolbox("events")

CUSTOMER_EVENTS = "/api/v1/customers/{customer_id}/events"

# Track API, "track": these keys of an event's data change the mail of the campaigns that it triggers.
REDIRECTS = {
    "recipient": "data.recipient sends the mail that this event triggers to that address",
    "from_address": "data.from_address changes the sender of the mail that this event triggers",
    "reply_to": "data.reply_to changes where answers to the mail that this event triggers go",
}


def _event_data(data: dict[str, Any], asked: ValidationInfo) -> dict[str, Any]:
    """Return an event's data with the recipient who is meant."""
    if "recipient" in data:
        data = data | {"recipient": meant(data["recipient"], asked)}
    if (size := size_of(data)) > 100_000:
        message = f"at most 100000 bytes are allowed, this is {size}"
        raise ValueError(message)
    return data


def _ulid(value: object) -> object:
    try:
        return str(ULID.from_str(value)) if isinstance(value, str) else value
    except ValueError:
        message = "must be a ULID, such as an earlier call answered; leave it out for a new event"
        raise ValueError(message) from None


EventName = Annotated[Text, at_most(100)]
EventData = Annotated[JsonObject, AfterValidator(_event_data), Field(description="The event's properties.")]
EventTime = Annotated[Timestamp, Field(description="When it happened, if not now: ISO 8601 or unix seconds.")]
EventId = Annotated[
    str, BeforeValidator(_ulid), Field(description="Only to repeat a call: the id that it answered.")
]


async def _reached(data: dict[str, Any] | None) -> Audience:
    """Return whom an event names as the recipient of the mail that it triggers."""
    named = [str(data["recipient"])] if data and data.get("recipient") else []
    return Audience("whom data.recipient names", len(named), addresses=named)


@events.writes
@reaches(_reached)
async def track_event(
    track: TrackApi,
    customer_id: CustomerId,
    name: EventName,
    id_type: IdType = "id",
    data: EventData | None = None,
    timestamp: EventTime | None = None,
    event_id: EventId | None = None,
) -> Accepted:
    """Record that a customer did something, such as a purchase. It can trigger campaigns.

    For a visitor without customer_id use track_anonymous_event, for a page view track_page_view.
    """
    customer = track.person(customer_id, id_type)
    return await _record(track, name, data, timestamp, event_id, customer=customer)


@events.writes
@reaches(_reached)
async def track_anonymous_event(
    track: TrackApi,
    anonymous_id: AnonymousId,
    name: EventName,
    data: EventData | None = None,
    timestamp: EventTime | None = None,
    event_id: EventId | None = None,
) -> Accepted:
    """Record what a visitor did before they are known.

    identify_customer with the same anonymous_id within 30 days gives the event to that customer.
    """
    return await _record(track, name, data, timestamp, event_id, extra={"anonymous_id": anonymous_id})


@events.writes
@reaches(_reached)
async def track_page_view(
    track: TrackApi,
    url: Annotated[
        EventName, Field(description="URL or path, at most 100 bytes; what is longer belongs in data.")
    ],
    customer_id: CustomerId | None = None,
    id_type: IdType = "id",
    anonymous_id: AnonymousId | None = None,
    data: EventData | None = None,
    timestamp: EventTime | None = None,
    event_id: EventId | None = None,
) -> Accepted:
    """Record that a customer, or a visitor by anonymous_id, viewed a page. Name exactly one of them."""
    page = {"type": "page"}
    match customer_id, anonymous_id:
        case str(), None:
            customer = track.person(customer_id, id_type)
            return await _record(track, url, data, timestamp, event_id, customer=customer, extra=page)
        case None, str():
            visitor = page | {"anonymous_id": anonymous_id}
            return await _record(track, url, data, timestamp, event_id, extra=visitor)
    raise InvalidArgument("customer_id, anonymous_id: exactly one of them is needed")


async def _record(
    track: TrackApi,
    name: str,
    data: dict[str, Any] | None,
    timestamp: int | None,
    event_id: str | None,
    *,
    customer: str | None = None,
    extra: dict[str, str] | None = None,
) -> Accepted:
    """Send an event under an id that stays the same through all retries, so that it counts once."""
    event_id = event_id or str(ULID())
    body = {"name": name, "data": data or None, "timestamp": timestamp, "id": event_id, **(extra or {})}
    ids: dict[str, Any] = {} if customer is None else {"customer_id": customer}
    await track.post(
        CUSTOMER_EVENTS if ids else "/api/v1/events",
        {key: value for key, value in body.items() if value is not None},
        kind=RequestKind.REPEATABLE,
        if_unknown=f"Calling again with event_id={event_id} is safe: the event counts once.",
        **ids,
    )
    notes = [REDIRECTS[key] for key in data or () if key in REDIRECTS]
    return Accepted(event_id=event_id, notes=notes or None)

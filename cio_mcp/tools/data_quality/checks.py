"""Whether an accepted write was applied, as far as the App API can tell."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.errors import InvalidArgument, Refused
from cio_mcp.limits import LOGGED
from cio_mcp.toolkit.answers.reading import Fields, needed, seconds, unusable
from cio_mcp.toolkit.answers.shapes import Anything, Quoted, Shape
from cio_mcp.toolkit.answers.things import customer_identifiers
from cio_mcp.toolkit.arguments.times import Timestamp, iso, unix_seconds
from cio_mcp.toolkit.arguments.types import CustomerId, JsonObject, Text, unguessed
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.data_quality.activities import happened_since, read_activities
from cio_mcp.tools.data_quality.rejections import LOOKED_AT, Rejection, rejection
from cio_mcp.tools.events import page_name

tools = Toolbox(__name__)

# Seconds: how far back a write is searched by default, and how long it can be pending.
LOOK_BACK, PENDING = 300, 600

# Seconds by which a caller's clock may be ahead.
AHEAD = 60

# The largest number of pages to read of a busy customer's activities.
PAGES = 5

EVENTS = {"event", "page", "screen"}

# The rejections that an identify, or an event, can have.
OF_IDENTIFY = {"failed_attribute_change", "skipped_update", "failed_batch_update"}
OF_EVENT = {"failed_event", "failed_batch_update"}

NEXT = {
    "applied": None,
    "pending": "Call check_write again in some seconds, with this since.",
    "rejected": "Correct what rejections name, write it again, and check with since set to the time of that "
    "write. find_rejected_data explains each type.",
    "not_seen": "There is no trace of it since then. If it was written, as whoever wrote it can tell, then "
    "write it again: an event with the same event_id counts only once. Else nothing was lost.",
}


TOO_OLD = (
    "Customer.io keeps events in its activity log for 30 days only, so an older one may exist. Do not write "
    "it again because of this answer."
)

# An event is listed under the time that it carries.
BACKDATED = (
    "If the event carries a timestamp, call with a since before that; one of over 30 days ago is never seen."
)

UNTOLD = "the value agrees, but the API returns all values as text, so its type cannot be seen."


class AttributeDifference(Shape):
    """An attribute whose value is not the written one."""

    expected: Anything = None
    found: Anything = None


class WriteCheck(Quoted):
    """What became of an identify or an event."""

    state: Literal["applied", "pending", "rejected", "not_seen"] = Field(
        description="applied: the write took effect. pending: no trace yet, but it is recent. rejected: "
        "Customer.io dropped it. not_seen: no trace, though there should be one by now."
    )
    since: str | None = Field(None, description="The search covers the time from then on.")
    count: int | None = Field(None, description="How many times the event was found.")
    differs: dict[str, AttributeDifference] | None = Field(
        None, description="Attributes whose values are not the written ones."
    )
    rejections: list[Rejection] | None = Field(
        None, description="Writes dropped since then, which may include this one."
    )
    next: str | None = Field(None, description="What to do next.")


@tools.reads
async def check_write(
    app: AppApi,
    customer_id: CustomerId,
    id_type: AnyIdType = "id",
    attributes: Annotated[
        Annotated[JsonObject, AfterValidator(unguessed)] | None,
        Field(description="As written."),
    ] = None,
    event: Annotated[Text | None, Field(description="Name of an event, or url of a page view.")] = None,
    since: Annotated[
        Timestamp | None,
        Field(description="ISO 8601, by the event's own timestamp. Default: 5 minutes ago."),
    ] = None,
) -> WriteCheck:
    """Check whether an accepted write was applied, or is pending, rejected or not found.

    Pass the attributes of an identify, or an event.
    """
    if bool(attributes) == (event is not None):
        raise InvalidArgument("attributes, event: give exactly one of them")
    called_at = app.call.called_at
    start = int(called_at) - LOOK_BACK if since is None else since
    if start > called_at + AHEAD:
        now, then = iso(called_at), iso(start)
        raise InvalidArgument(f"since: {then} is in the future, and it is {now}; give the time of the write")
    differs = None if not attributes else await _differences(app, customer_id, id_type, attributes)
    recent = [] if differs == {} else await _recent(app, customer_id, id_type, start)
    count = sum(_is_event(item, event) for item in recent if _is_dated(item))
    rejections = [rejection(item) for item in recent if _is_rejection(item, event) and _is_dated(item)]
    state: Literal["applied", "pending", "rejected", "not_seen"]
    if differs == {} or count:
        state, rejections = "applied", []
    elif rejections:
        state = "rejected"
    elif any(_is_event(item, event) or _is_rejection(item, event) for item in recent):
        raise unusable("the activity log has an entry that may be this write, without a readable time")
    else:
        state = "pending" if called_at - start < PENDING else "not_seen"
    untold = [name for name, value in (attributes or {}).items() if _of_any_type(name, value)]
    agreeing = [name for name in untold if differs is not None and name not in differs]
    return WriteCheck(
        notes=[f"{', '.join(agreeing)}: {UNTOLD}"] if agreeing else None,
        state=state,
        since=iso(start),
        count=count if event else None,
        differs=differs or None,
        rejections=rejections or None,
        next=_next(state, event, start < called_at - LOGGED),
    )


def _next(state: str, event: str | None, all_known: bool) -> str | None:
    """Return what to do next; `all_known` says that the search went as far back as activities are kept."""
    if event is None or state not in {"pending", "not_seen"}:
        return NEXT[state]
    if all_known:
        return TOO_OLD
    return f"{NEXT[state]} {BACKDATED}" if state == "pending" else f"{BACKDATED} Else: {NEXT[state]}"


def _is_dated(item: Fields) -> bool:
    return item.seconds("timestamp") is not None


def _of_any_type(name: str, value: Any) -> bool:
    """Return whether an attribute that reads as written may be stored as text, or as what that looks like."""
    if name in {"created_at", "unsubscribed"}:
        return False
    try:
        return isinstance(json.loads(value) if isinstance(value, str) else value, (bool, int, float))
    except ValueError:
        return False


def _is_event(item: Fields, event: str | None) -> bool:
    if event and item.text("type") == "page":
        event = page_name(event)
    return item.text("type") in EVENTS and event in {item.text("name"), item.text("url")}


def _is_rejection(item: Fields, event: str | None) -> bool:
    """Return whether an activity may be the rejection of `event`, or, if that is None, of an identify."""
    if event is None:
        return item.text("type") in OF_IDENTIFY
    return item.text("type") in OF_EVENT and (item.text("name") or event) in {event, page_name(event)}


async def _differences(
    app: AppApi, customer_id: str, id_type: AnyIdType, written: dict[str, Any]
) -> dict[str, AttributeDifference]:
    """Return the attributes that differ from the written ones; for an unknown customer, all of them."""
    found: dict[str, Any] = {}
    try:
        answer = await app.get(
            "/v1/customers/{customer_id}/attributes",
            {"id_type": id_type},
            customer_id=app.person(customer_id, id_type),
        )
    except Refused as refused:
        if refused.status != 404:
            raise
        written = {id_type: customer_id, **written}
    else:
        customer = Fields(answer).wrapped("customer")
        found = needed(customer.mapping("attributes"), "attributes")
        if "unsubscribed" in written:
            found = found | {"unsubscribed": needed(customer.flag("unsubscribed"), "unsubscribed")}
    return {
        name: AttributeDifference(expected=value, found=found.get(name))
        for name, value in written.items()
        if not _agrees(name, value, found.get(name), app.call.timezone)
    }


def _agrees(name: str, written: Any, found: Any, timezone: str) -> bool:
    """Return whether an attribute has its written value; the App API returns every value as text."""
    if written is None or written == "":
        return found is None or found == ""
    if name == "unsubscribed":
        return found is (str(written).lower() in {"true", "1"})
    try:
        if name == "created_at":
            return seconds(found) == unix_seconds(written, timezone)
        if isinstance(written, str):
            return written == found or (name == "email" and written.casefold() == str(found).casefold())
        stored = json.loads(found) if isinstance(found, str) else found
    except (ValueError, RecursionError):
        return False
    return bool(stored == written and isinstance(stored, bool) is isinstance(written, bool))


async def _recent(app: AppApi, customer_id: str, id_type: AnyIdType, start: int) -> list[Fields]:
    """Return a customer's activities since a time; for an unknown one, rejections with the identifier."""
    asked: dict[str, object] = {"limit": LOOKED_AT}
    found: list[Fields] = []
    try:
        for _ in range(PAGES):
            answer = await read_activities(app, asked, customer_id, id_type)
            items = answer.listed("activities")
            found += (recent := [item for item in items if happened_since(item, start)])
            asked["start"] = answer.following()
            if len(recent) < len(items) or not asked["start"]:
                break
    except Refused as refused:
        if refused.status != 404:
            raise
        for type_ in sorted(OF_IDENTIFY | OF_EVENT):
            answer = await read_activities(app, asked | {"type": type_}, None, id_type)
            found += [
                item
                for item in answer.listed("activities")
                if happened_since(item, start)
                and _holds([customer_identifiers(item), item.value("data")], customer_id.removeprefix("cio_"))
            ]
    return found


def _holds(value: Any, identifier: str) -> bool:
    if isinstance(value, dict):
        return any(_holds(part, identifier) for part in value.values())
    if isinstance(value, list):
        return any(_holds(part, identifier) for part in value)
    return isinstance(value, str) and value.removeprefix("cio_") == identifier

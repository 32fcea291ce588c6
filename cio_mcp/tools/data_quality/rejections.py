"""Writes that the Track API accepted and later dropped."""

from typing import Annotated

from pydantic import Field

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.toolkit.answers.pages import joined, page_of
from cio_mcp.toolkit.answers.reading import Fields, beside
from cio_mcp.toolkit.answers.shapes import Cut, Quoted, Shape
from cio_mcp.toolkit.arguments.times import Timestamp
from cio_mcp.toolkit.arguments.types import CustomerId
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.data_quality.activities import Activity, activity, happened_since, read_activities

tools = Toolbox(__name__)

# What each kind of rejection means, and what to do about it. Customer.io documents only the names.
MEANINGS = {
    "failed_event": (
        "An event was accepted and later dropped. Either its customer cannot have events (an unknown cio_id, "
        "a suppressed customer), or its data could not be processed.",
        "Look up the customer with get_customer, correct the identifier or data, and track the event again.",
    ),
    "failed_attribute_change": (
        "An identify was accepted and later dropped. Its identifiers belong to two customers, or it would "
        "change an id or email that is already set, or update_only was set and the customer is unknown.",
        "Look up both identifiers with get_customer. To change an id or email, identify with id_type=cio_id.",
    ),
    "relationship_failed_attribute_change": (
        "A change of a relationship to an object was accepted and later dropped.",
        "Look up the customer with get_relationships, correct it, and call set_relationships again.",
    ),
    "skipped_update": (
        "An update was older than the customer's current values, so these were kept.",
        "If the current values are right, do nothing; else identify the customer again.",
    ),
    "failed_batch_update": (
        "Part of a batch or an import was not applied.",
        "Correct the data that it names and write it again with identify_customer or track_event.",
    ),
}

REASONS = ("reason", "error", "message", "failure_message")

# Rejections in one answer, and in one read of each kind.
TOLD, LOOKED_AT = 50, 100


class RejectionKind(Shape):
    """A kind of rejection that was found."""

    type: str
    count: int
    meaning: str
    do: str = Field(description="What to do about it.")


class Rejection(Activity):
    """A write that was accepted and later dropped."""

    reason: str | None = Field(None, description="Customer.io's reason, if it gave one.")


class RejectedData(Quoted, Cut):
    """Writes that were accepted and later dropped, newest first."""

    kinds: list[RejectionKind] = Field(
        description="The kinds found, each with its meaning; empty, without left_out: nothing was dropped."
    )
    rejections: list[Rejection]


@tools.reads
async def find_rejected_data(
    app: AppApi,
    customer_id: CustomerId | None = None,
    id_type: AnyIdType = "id",
    since: Annotated[
        Timestamp | None,
        Field(description="ISO 8601. Default: 30 days ago."),
    ] = None,
) -> RejectedData:
    """Find writes of the last 30 days that Customer.io accepted and later dropped, with reasons and remedies.

    For one write of your own use check_write.
    """
    found: list[tuple[float, Rejection]] = []
    kinds, hidden, unread = [], [], []
    for number, (type_, (meaning, do)) in enumerate(MEANINGS.items()):
        read = _rejections(app, type_, customer_id, id_type, since or 0)
        # What is refused of the first kind is refused of all: an unknown customer, a key without access.
        some, refused = await beside(type_, read) if number else (await read, None)
        unread.append(refused)
        rejections, following = some or ([], None)
        found += rejections
        if rejections:
            kinds.append(RejectionKind(type=type_, count=len(rejections), meaning=meaning, do=do))
        hidden += [f"{type_} (cursor={following})"] if following else []
    found.sort(key=lambda one: one[0], reverse=True)
    kept, cut_off = page_of([rejection for _, rejection in found], TOLD)
    hidden = [f"{len(found) - len(kept)} older ones", *hidden] if cut_off else hidden
    to_list = "to list them use list_activities with the type as activity_type"
    left_out = joined(*unread, f"{', '.join(hidden)}; {to_list}" if hidden else None)
    return RejectedData(kinds=kinds, rejections=kept, left_out=left_out)


async def _rejections(
    app: AppApi, type_: str, customer_id: str | None, id_type: AnyIdType, start: int
) -> tuple[list[tuple[float, Rejection]], str | None]:
    """Return the rejections of a kind since a time, each with its own, and the cursor for more."""
    answer = await read_activities(app, {"type": type_, "limit": LOOKED_AT}, customer_id, id_type)
    items = answer.listed("activities")
    recent = [
        (item.seconds("timestamp") or 0, rejection(item)) for item in items if happened_since(item, start)
    ]
    return recent, answer.following() if len(recent) == len(items) else None


def rejection(item: Fields) -> Rejection:
    """Return a rejection. Its data is not documented, so any of several keys may hold the reason."""
    told = activity(item)
    data = item.mapping("data") or {}
    key = next((key for key in REASONS if isinstance(data.get(key), str)), None)
    rest = {name: value for name, value in data.items() if name != key} if key else told.data
    return Rejection(**{**told.model_dump(), "data": rest or None, "reason": data[key] if key else None})

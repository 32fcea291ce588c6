"""Writes that the Track API accepted and later dropped."""

from typing import Annotated, Any

from pydantic import Field

from cio_mcp.client import AppApi, IdType
from cio_mcp.toolkit.answers import Cut, Quoted, Shape, page
from cio_mcp.toolkit.params import CustomerId
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import Timestamp
from cio_mcp.tools.data_quality.activities import Activity, activity, read_activities

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
        description="The kinds found, each with its meaning; empty: nothing was dropped."
    )
    rejections: list[Rejection]


@tools.reads
async def find_rejected_data(
    app: AppApi,
    customer_id: CustomerId | None = None,
    id_type: IdType = "id",
    since: Annotated[
        Timestamp | None,
        Field(description="ISO 8601. Default: 30 days ago."),
    ] = None,
) -> RejectedData:
    """Find writes of the last 30 days that Customer.io accepted and later dropped, with reasons and remedies.

    For one write of your own use check_write.
    """
    found: list[Rejection] = []
    more = []
    for type_ in MEANINGS:
        some, further = await _rejections(app, type_, customer_id, id_type, since or 0)
        found += some
        more += [f"{type_} (cursor={further})"] if further else []
    found.sort(key=lambda rejection: rejection.time or "", reverse=True)
    kept, cut_off = page(found, TOLD)
    hidden = [f"{len(found) - len(kept)} older ones"] if cut_off else []
    note = f"{', '.join(hidden + more)}; to list them use list_activities with the type as activity_type"
    counts = {type_: sum(rejection.type == type_ for rejection in found) for type_ in MEANINGS}
    return RejectedData(
        kinds=[
            RejectionKind(type=type_, count=count, meaning=MEANINGS[type_][0], do=MEANINGS[type_][1])
            for type_, count in counts.items()
            if count
        ],
        rejections=kept,
        left_out=note if hidden or more else None,
    )


async def _rejections(
    app: AppApi, type_: str, customer_id: str | None, id_type: IdType, since: int
) -> tuple[list[Rejection], str | None]:
    """Return the rejections of a kind since a time, and the cursor for more."""
    answer = await read_activities(app, {"type": type_, "limit": LOOKED_AT}, customer_id, id_type)
    items = answer.get("activities") or []
    recent = [rejection(item) for item in items if (item.get("timestamp") or 0) >= since]
    return recent, answer.get("next") or None if len(recent) == len(items) else None


def rejection(item: dict[str, Any]) -> Rejection:
    """Return a rejection. Its data is not documented, so any of several keys may hold the reason [?]."""
    told = activity(item)
    data = told.data if isinstance(told.data, dict) else {}
    reason = next((data[key] for key in REASONS if isinstance(data.get(key), str)), None)
    rest = {key: value for key, value in data.items() if value is not reason} if reason else told.data
    return Rejection(**{**told.model_dump(), "data": rest or None, "reason": reason})

"""What Track accepted and then dropped: a success is not yet an effect."""

from typing import Any

from pydantic import Field

from cio_mcp.client import AppApi, IdType
from cio_mcp.toolkit.answers import Cut, Quoted, Shape, page
from cio_mcp.toolkit.params import CustomerId
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import Timestamp
from cio_mcp.tools.data_quality.activities import Activity, activity, read_activities

tools = Toolbox(__name__)

# What each kind of rejection means, and what to do about it. Customer.io documents the kinds by name only.
MEANINGS = {
    "failed_event": (
        "An event was accepted and dropped: it named nobody who can have events, such as an unknown cio_id "
        "or a suppressed customer, or its data could not be processed.",
        "Look its customer up with get_customer, correct the identifier or the data, and track it again.",
    ),
    "failed_attribute_change": (
        "An identify was accepted and dropped: its identifiers belong to two customers, it would change an "
        "id or email that is set, or update_only found nobody.",
        "Look both identifiers up with get_customer. To change a set one, identify with id_type=cio_id.",
    ),
    "skipped_update": (
        "An update was older than what the customer has by now, so that the newer values stayed.",
        "Nothing, if the newer values are right; else identify the customer again.",
    ),
    "failed_batch_update": (
        "A part of a batch or of an import was not applied.",
        "Correct the data that it names, and write it again: identify_customer or track_event.",
    ),
}

REASONS = ("reason", "error", "message", "failure_message")

# Rejections in one answer, and in one look at each kind.
TOLD, LOOKED_AT = 50, 100


class Kind(Shape):
    """One kind of rejection that was found."""

    type: str
    count: int
    meaning: str
    do: str = Field(description="What to do about it.")


class Rejection(Activity):
    """One write that was accepted and dropped."""

    reason: str | None = Field(None, description="Customer.io's own words, where it has some.")


class RejectedData(Quoted, Cut):
    """What was accepted and dropped, newest first."""

    kinds: list[Kind] = Field(description="The kinds that were found; none: nothing was dropped.")
    rejections: list[Rejection]


@tools.reads
async def find_rejected_data(
    app: AppApi,
    customer_id: CustomerId | None = None,
    id_type: IdType = "id",
    since: Timestamp | None = None,
) -> RejectedData:
    """Find writes that were accepted and later dropped in the last 30 days, with reasons and what to do."""
    found: list[Rejection] = []
    more = []
    for type_ in MEANINGS:
        some, further = await _rejections(app, type_, customer_id, id_type, since or 0)
        found += some
        more += [f"{type_} (cursor={further})"] if further else []
    found.sort(key=lambda rejection: rejection.time or "", reverse=True)
    kept, cut_off = page(found, TOLD)
    hidden = [f"{len(found) - len(kept)} older ones"] if cut_off else []
    note = f"{', '.join(hidden + more)}: list_activities with the activity_type shows them"
    counts = {type_: sum(rejection.type == type_ for rejection in found) for type_ in MEANINGS}
    return RejectedData(
        kinds=[
            Kind(type=type_, count=count, meaning=MEANINGS[type_][0], do=MEANINGS[type_][1])
            for type_, count in counts.items()
            if count
        ],
        rejections=kept,
        left_out=note if hidden or more else None,
    )


async def _rejections(
    app: AppApi, type_: str, customer_id: str | None, id_type: IdType, since: int
) -> tuple[list[Rejection], str | None]:
    """Return the rejections of a kind since a time, and the cursor of more of them."""
    answer = await read_activities(app, {"type": type_, "limit": LOOKED_AT}, customer_id, id_type)
    items = answer.get("activities") or []
    recent = [rejection(item) for item in items if (item.get("timestamp") or 0) >= since]
    return recent, answer.get("next") or None if len(recent) == len(items) else None


def rejection(item: dict[str, Any]) -> Rejection:
    """Return a rejection. What its data holds is not documented, so any word of a reason is taken [?]."""
    told = activity(item)
    data = told.data if isinstance(told.data, dict) else {}
    reason = next((data[key] for key in REASONS if isinstance(data.get(key), str)), None)
    rest = {key: value for key, value in data.items() if value is not reason} if reason else told.data
    return Rejection(**{**told.model_dump(), "data": rest or None, "reason": reason})

"""Triggers of a broadcast: when it ran, and what a run failed on."""

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers import Cut, Page, Quoted, Shape, newest
from cio_mcp.toolkit.params import CountCursor, Limit, ObjectId
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import iso

tools = Toolbox(__name__)

# Errors in one answer.
ERRORS = 50

# App API, "triggerBroadcast": nobody who is missing is created or left out, unless a flag says so.
FAILED = (
    "Such an error stops the whole run. Correct the audience and trigger it again, or leave unknown people "
    "out with email_ignore_missing or id_ignore_missing."
)


class Trigger(Shape):
    """One run of a broadcast."""

    trigger_id: int
    created: str | None = None
    processed: str | None = Field(None, description="When the whole audience was worked through.")


class Triggers(Cut):
    """A broadcast's triggers, newest first."""

    broadcast_id: int
    triggers: list[Trigger]


@tools.reads
async def list_broadcast_triggers(app: AppApi, broadcast_id: ObjectId, limit: Limit = 20) -> Triggers:
    """List when a broadcast was triggered, newest first.

    Also the way to find out whether a trigger whose outcome is unknown was taken.
    """
    answer = await app.get("/v1/broadcasts/{broadcast_id}/triggers", broadcast_id=broadcast_id)
    found = newest(answer.get("triggers"))
    return Triggers(
        broadcast_id=broadcast_id,
        triggers=[
            Trigger(
                trigger_id=int(item["id"]),
                created=iso(item.get("created_at")),
                processed=iso(item.get("processed_at")),
            )
            for item in found[:limit]
        ],
        left_out=f"{len(found) - limit} older ones; ask with a larger limit" if len(found) > limit else None,
    )


class TriggerStatus(Quoted, Page, Trigger):
    """How far one run of a broadcast has come."""

    broadcast_id: int
    error_count: int = Field(description="Errors so far; with next_cursor there are more.")
    errors: list[str] = Field([], description="`line <number in the audience>: <what is wrong>`.")
    next: str | None = Field(None, description="What to do now.")


@tools.reads
async def get_broadcast_trigger(
    app: AppApi,
    broadcast_id: ObjectId,
    trigger_id: ObjectId,
    cursor: CountCursor | None = None,
) -> TriggerStatus:
    """Follow one trigger of a broadcast: whether it is processed, and what it failed on."""
    # Triggers live under campaigns, though the id is a broadcast's (App API, broadcastStatus).
    status = await app.get(
        "/v1/campaigns/{broadcast_id}/triggers/{trigger_id}",
        broadcast_id=broadcast_id,
        trigger_id=trigger_id,
    )
    answer = await app.get(
        "/v1/campaigns/{broadcast_id}/triggers/{trigger_id}/errors",
        {"limit": ERRORS, "start": cursor or None},
        broadcast_id=broadcast_id,
        trigger_id=trigger_id,
    )
    errors = [str(error) for error in answer.get("errors") or []]
    return TriggerStatus(
        broadcast_id=broadcast_id,
        trigger_id=trigger_id,
        created=iso(status.get("created_at")),
        processed=iso(status.get("processed_at")),
        error_count=(cursor or 0) + len(errors),
        errors=errors,
        next_cursor=str(answer["next"]) if answer.get("next") else None,
        next=FAILED if errors else None,
    )

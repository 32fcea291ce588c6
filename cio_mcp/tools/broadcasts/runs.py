"""Runs of a broadcast, which the API calls triggers: when each started, and why it failed."""

from typing import Annotated

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers.pages import joined, newest_first
from cio_mcp.toolkit.answers.reading import Fields, beside, needed, text, whole
from cio_mcp.toolkit.answers.shapes import Cut, Page, Quoted, Shape
from cio_mcp.toolkit.arguments.types import CountCursor, Limit, ObjectId
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

# Errors in one answer.
ERRORS = 50

# App API, "triggerBroadcast": unknown people are not created, and are skipped only if a flag says so.
FAILED = (
    "An error such as an unknown person stops the whole run. Correct the audience and call trigger_broadcast "
    "again, or skip unknown people with email_ignore_missing or id_ignore_missing."
)


NOT_ALL = (
    "No error does not mean that everybody got it: unsubscribed and suppressed people are skipped. "
    "list_customer_messages shows it for one person."
)


# App API, "/triggers": a row has the times of a run, and nothing of its errors.
UNTOLD = "The list does not tell whether a run failed, even if it is processed; get_broadcast_trigger does."


class Trigger(Shape):
    """A run of a broadcast."""

    trigger_id: int | None = None
    created: str | None = Field(None, description="When the run was started.")
    processed: str | None = Field(None, description="When the whole audience had been processed.")


class Triggers(Cut):
    """The runs of a broadcast, newest first."""

    broadcast_id: int
    triggers: list[Trigger]


@tools.reads
async def list_broadcast_triggers(app: AppApi, broadcast_id: ObjectId, limit: Limit = 20) -> Triggers:
    """List the runs (triggers) of a broadcast, newest first.

    After a trigger_broadcast of unknown outcome, this shows whether a run started.
    """
    answer = Fields(await app.get("/v1/broadcasts/{broadcast_id}/triggers", broadcast_id=broadcast_id))
    found = newest_first(answer.listed("triggers"))
    return Triggers(
        broadcast_id=broadcast_id,
        triggers=[Trigger(trigger_id=item.whole("id"), **_times(item)) for item in found[:limit]],
        notes=[UNTOLD] if found else None,
        left_out=f"{len(found) - limit} older runs; call with a larger limit" if len(found) > limit else None,
    )


class TriggerStatus(Quoted, Page, Trigger):
    """The state of one run of a broadcast."""

    broadcast_id: int
    error_count: int | None = Field(
        None, description="Errors up to this page; next_cursor means that there are more."
    )
    errors: list[str] | None = Field(None, description="Each as `line <position in the audience>: <error>`.")
    next: str | None = Field(None, description="What to do next.")


@tools.reads
async def get_broadcast_trigger(
    app: AppApi,
    broadcast_id: ObjectId,
    trigger_id: Annotated[ObjectId, Field(description="From trigger_broadcast.")],
    cursor: CountCursor | None = None,
) -> TriggerStatus:
    """Read one run (trigger) of a broadcast: whether it is processed, and the errors that stopped it.

    Call it after trigger_broadcast, and again until processed is set or errors appear.
    """
    # Runs are under campaigns, though the id is a broadcast's (App API, broadcastStatus).
    answer = Fields(
        await app.get(
            "/v1/campaigns/{broadcast_id}/triggers/{trigger_id}",
            broadcast_id=broadcast_id,
            trigger_id=trigger_id,
        )
    )
    run = answer.inside("trigger", "id", "created_at", "processed_at")
    found, refused = await beside("errors", _errors(app, broadcast_id, trigger_id, cursor))
    errors, following = found or (None, None)
    next_cursor = whole(following)
    unread = "more errors, for which there is no cursor" if following and next_cursor is None else None
    return TriggerStatus(
        broadcast_id=broadcast_id,
        trigger_id=trigger_id,
        **_times(run),
        error_count=None if errors is None else (cursor or 0) + len(errors),
        errors=errors,
        next_cursor=text(next_cursor),
        left_out=joined(refused, unread),
        next=FAILED if errors else NOT_ALL if errors is not None and run.time("processed_at") else None,
    )


async def _errors(
    app: AppApi, broadcast_id: int, trigger_id: int, cursor: int | None
) -> tuple[list[str], str | None]:
    """Return a page of a run's errors, and the cursor of the next."""
    answer = Fields(
        await app.get(
            "/v1/campaigns/{broadcast_id}/triggers/{trigger_id}/errors",
            {"limit": ERRORS, "start": cursor or None},
            broadcast_id=broadcast_id,
            trigger_id=trigger_id,
        )
    )
    return needed(answer.texts("errors"), "errors"), answer.following()


def _times(item: Fields) -> dict[str, str | None]:
    return {"created": item.time("created_at"), "processed": item.time("processed_at")}

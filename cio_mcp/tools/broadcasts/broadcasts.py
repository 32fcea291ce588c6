"""API-triggered broadcasts: which there are."""

from typing import Annotated, Any

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers import Numbered, Page, newest, page_by_id, state_of
from cio_mcp.toolkit.params import CountCursor, ObjectId
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import iso

tools = Toolbox(__name__)


class Broadcast(Numbered):
    """One API-triggered broadcast, in short."""

    state: str | None = Field(None, description="running, draft or stopped.")
    type: str | None = None
    actions: int = Field(0, description="How many messages and other actions it has.")
    tags: list[str] = []
    first_started: str | None = None
    updated: str | None = None


class Broadcasts(Page):
    """Broadcasts, newest first."""

    broadcasts: list[Broadcast]


@tools.reads
async def list_broadcasts(
    app: AppApi,
    broadcast_id: Annotated[ObjectId | None, Field(description="Only this one.")] = None,
    cursor: CountCursor | None = None,
) -> Broadcasts:
    """List API-triggered broadcasts, newest first. Each run of one is a trigger: list_broadcast_triggers."""
    if broadcast_id is not None:
        answer = await app.get("/v1/broadcasts/{broadcast_id}", broadcast_id=broadcast_id)
        return Broadcasts(broadcasts=[_broadcast(answer.get("broadcast") or {})])
    # The endpoint takes no parameters and answers everything at once (App API, listBroadcasts).
    answer = await app.get("/v1/broadcasts")
    found = [_broadcast(item) for item in newest(answer.get("broadcasts"), cursor)]
    kept, next_cursor, left_out = page_by_id(found, len(found))
    return Broadcasts(broadcasts=kept, next_cursor=next_cursor, left_out=left_out)


def _broadcast(item: dict[str, Any]) -> Broadcast:
    return Broadcast(
        id=int(item["id"]),
        name=str(item.get("name") or ""),
        state=state_of(item),
        type=item.get("type"),
        actions=len(item.get("actions") or []),
        tags=item.get("tags") or [],
        first_started=iso(item.get("first_started")),
        updated=iso(item.get("updated")),
    )

"""API-triggered broadcasts: list and read."""

from typing import Annotated

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers.pages import newest_first, page_by_id
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Numbered, Page
from cio_mcp.toolkit.answers.things import source_state
from cio_mcp.toolkit.arguments.types import CountCursor, ObjectId
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)


class Broadcast(Numbered):
    """An API-triggered broadcast in brief."""

    state: str | None = Field(None, description="running, draft or stopped.")
    type: str | None = None
    actions: int | None = Field(None, description="Number of its actions, such as messages.")
    tags: list[str] | None = None
    first_started: str | None = None
    updated: str | None = None


class Broadcasts(Page):
    """Broadcasts, newest first."""

    broadcasts: list[Broadcast]


@tools.reads
async def list_broadcasts(
    app: AppApi,
    broadcast_id: Annotated[ObjectId | None, Field(description="Only this broadcast.")] = None,
    cursor: CountCursor | None = None,
) -> Broadcasts:
    """List API-triggered broadcasts with their ids, newest first."""
    if broadcast_id is not None:
        answer = Fields(await app.get("/v1/broadcasts/{broadcast_id}", broadcast_id=broadcast_id))
        found = _broadcast(answer.inside("broadcast", "id", "name"))
        return Broadcasts(broadcasts=[found.model_copy(update={"id": broadcast_id})])
    # The endpoint takes no parameters and returns everything at once (App API, listBroadcasts).
    answer = Fields(await app.get("/v1/broadcasts"))
    listed = [_broadcast(item) for item in newest_first(answer.listed("broadcasts"), cursor)]
    kept, next_cursor, left_out = page_by_id(listed, len(listed))
    return Broadcasts(broadcasts=kept, next_cursor=next_cursor, left_out=left_out)


def _broadcast(item: Fields) -> Broadcast:
    actions = item.objects("actions")
    return Broadcast(
        id=item.whole("id"),
        name=item.text("name"),
        state=source_state(item),
        type=item.text("type"),
        actions=None if actions is None else len(actions),
        tags=item.texts("tags"),
        first_started=item.time("first_started"),
        updated=item.time("updated"),
    )

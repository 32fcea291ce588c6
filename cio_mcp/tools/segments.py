"""The toolset `segments`: groups of customers, by rules (dynamic) or put together by hand (manual)."""

import asyncio
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cio_mcp.client import AppApi, IdType, RequestKind, TrackApi
from cio_mcp.toolkit.answers.pages import cut_page, joined, newest_first, page_by_id
from cio_mcp.toolkit.answers.reading import Fields, beside, made
from cio_mcp.toolkit.answers.shapes import Accepted, Acted, Cut, Numbered, Page, Quoted
from cio_mcp.toolkit.answers.things import has_in_name, read_uses
from cio_mcp.toolkit.arguments.lists import People
from cio_mcp.toolkit.arguments.types import (
    CountCursor,
    Cursor,
    ExceptPhone,
    Limit,
    Line,
    NameContains,
    ObjectId,
    Text,
)
from cio_mcp.toolkit.people.audience import segment_size
from cio_mcp.toolkit.people.automations import started_by_segment
from cio_mcp.toolkit.people.conditions import in_words
from cio_mcp.toolkit.people.consequences import Consequence, Outlook, affects
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.people.search import FoundCustomer, identifiers_of, total_of

tools = Toolbox(__name__)

# Each count takes a request, of which the API allows 10 per second.
COUNTED = 20

FIND_OUT = "Do not create it again yet: first call list_segments (newest first) to see whether it exists."


class Segment(Numbered):
    """A segment in brief."""

    type: str | None = Field(None, description="dynamic (by rules) or manual.")
    description: str | None = None
    state: str | None = Field(None, description="finished; any other state: it is still being built.")
    tags: list[str] | None = None
    count: int | None = Field(None, description="Number of customers in the segment.")


class Segments(Page):
    """Segments that match, newest first."""

    segments: list[Segment]


@tools.reads
async def list_segments(
    app: AppApi,
    name_contains: NameContains | None = None,
    counts: Annotated[bool, Field(description="Count customers too; 20 segments per page.")] = False,
    limit: Limit = 50,
    cursor: CountCursor | None = None,
) -> Segments:
    """List segments with their ids, newest first."""
    # The endpoint takes no parameters and returns everything at once (App API, listSegments).
    answer = Fields(await app.get("/v1/segments"))
    found = [
        Segment(**_told(item))
        for item in newest_first(answer.listed("segments"), cursor)
        if has_in_name(item, name_contains)
    ]
    kept, next_cursor, left_out = page_by_id(found, min(limit, COUNTED) if counts else limit)
    uncounted = None
    for segment in kept if counts else []:
        if segment.id is not None:
            segment.count, refused = await beside("some counts", segment_size(app, segment.id))
            uncounted = refused or uncounted
    left_out = joined(left_out, uncounted)
    return Segments(segments=kept, next_cursor=next_cursor, left_out=left_out)


class SegmentInUse(Cut, Segment):
    """A segment, its size, and what uses it."""

    who: str | None = Field(
        None, description="Who is in a dynamic segment, if Customer.io reports its rules."
    )
    progress: int | None = Field(None, description="Percent done, while the segment is being built.")
    created: str | None = None
    updated: str | None = None
    used_by: dict[str, list[int]] | None = Field(
        None, description="Ids of the campaigns and newsletters that use the segment."
    )


@tools.reads
async def get_segment(app: AppApi, segment_id: ObjectId) -> SegmentInUse:
    """Read one segment: its size, and the campaigns (automations) and newsletters that use it."""
    answer = Fields(await app.get("/v1/segments/{segment_id}", segment_id=segment_id))
    item = answer.inside("segment", "id", "name")
    used_by, unread = await read_uses(app, "/v1/segments/{segment_id}/used_by", segment_id=segment_id)
    count, no_count = await beside("count", segment_size(app, segment_id))
    return SegmentInUse(
        **{**_told(item), "id": segment_id},
        who=in_words(item.value("conditions")),
        count=count,
        progress=item.whole("progress"),
        created=item.time("created_at"),
        updated=item.time("updated_at"),
        used_by=used_by,
        left_out=joined(unread, no_count),
    )


def _told(item: Fields) -> dict[str, Any]:
    return {
        "id": item.whole("id"),
        "name": item.text("name"),
        "type": item.text("type"),
        "description": item.text("description"),
        "state": item.text("state"),
        "tags": item.texts("tags"),
    }


class SegmentMembers(Quoted, Page):
    """The customers in a segment, by identifier."""

    members: list[FoundCustomer]
    total: int | None = Field(None, description="How many there are in all; absent if that is not known.")


@tools.reads
async def list_segment_members(
    app: AppApi, segment_id: ObjectId, limit: Limit = 50, cursor: Cursor | None = None
) -> SegmentMembers:
    """List the customers in a segment. To read attributes too, use search_customers with segment_id."""
    path, query = "/v1/segments/{segment_id}/membership", {"limit": limit, "start": cursor}
    answer = Fields(await app.get(path, query, segment_id=segment_id))
    found = [FoundCustomer(**identifiers_of(item)) for item in answer.listed("identifiers")]
    kept, next_cursor, left_out = cut_page(found, answer.following())
    total = await total_of(app, found, answer.following(), cursor, segment_id)
    return SegmentMembers(members=kept, total=total, next_cursor=next_cursor, left_out=left_out)


class SegmentCreated(Acted):
    """A new segment."""

    outcome: Literal["created"] = Field("created", description="The segment exists now, still empty.")
    segment_id: int


@tools.writes
@affects()
async def create_segment(
    app: AppApi,
    name: Line,
    description: Text | None = None,
) -> SegmentCreated:
    """Create an empty manual segment, to fill with add_to_segment.

    Segments with rules can only be built in Customer.io.
    """
    segment = {"name": name} | ({"description": description} if description else {})
    answer = await app.post("/v1/segments", {"segment": segment}, kind=RequestKind.ONCE, if_unknown=FIND_OUT)
    return SegmentCreated(segment_id=made(Fields(answer).wrapped("segment").whole("id"), "id", FIND_OUT))


def _ids(ids: list[str]) -> list[str]:
    if not 0 < len(ids) <= 1000:
        message = f"1 to 1000 are allowed; these are {len(ids)}"
        raise ValueError(message)
    return ids


Ids = Annotated[
    People,
    AfterValidator(_ids),
    Field(description="Up to 1000 identifiers, of the type id_type."),
]


async def _started(app: AppApi, segment_id: int) -> Outlook:
    return Outlook(sets_off=await started_by_segment(app, segment_id))


@tools.writes
@affects(Consequence.SEGMENTS, shows=_started)
async def add_to_segment(
    track: TrackApi, segment_id: ObjectId, ids: Ids, id_type: ExceptPhone = "id"
) -> Accepted:
    """Add customers to a manual segment. This can start campaigns (automations). Unknown ones are ignored."""
    return await _change(track, "add_customers", segment_id, ids, id_type)


@tools.writes
@affects(Consequence.SEGMENTS)
async def remove_from_segment(
    track: TrackApi, segment_id: ObjectId, ids: Ids, id_type: ExceptPhone = "id"
) -> Accepted:
    """Remove customers from a manual segment. Unknown ones are ignored."""
    return await _change(track, "remove_customers", segment_id, ids, id_type)


async def _change(track: TrackApi, change: str, segment_id: int, ids: list[str], id_type: IdType) -> Accepted:
    await track.post(
        f"/api/v1/segments/{{segment_id}}/{change}",
        {"ids": [AppApi.person(name, id_type) for name in ids]},
        query={"id_type": id_type},
        kind=RequestKind.REPEATABLE,
        segment_id=segment_id,
    )
    note = f"A value that is not the {id_type} of a known customer is ignored, without an error."
    return Accepted(notes=[f"{note} list_segment_members shows who is in the segment."])


class SegmentDeleted(Acted):
    """A deleted segment. The customers in it stay."""

    outcome: Literal["deleted"] = Field("deleted", description="The segment no longer exists.")
    segment_id: int


async def _lost(app: AppApi, segment_id: int) -> Outlook:
    path, known = "/v1/segments/{segment_id}", {"segment_id": segment_id}
    answer, size, (used_by, _) = await asyncio.gather(
        app.get(path, None, **known),
        segment_size(app, segment_id),
        read_uses(app, f"{path}/used_by", **known),
    )
    name = Fields(answer).wrapped("segment").text("name")
    return Outlook(loses={"name": name, "members": size, "used by": used_by or "nothing"})


@tools.deletes
@affects(Consequence.SEGMENTS, shows=_lost)
async def delete_segment(app: AppApi, segment_id: ObjectId) -> SegmentDeleted:
    """Delete a manual segment; its customers stay. get_segment shows which campaigns use it."""
    await app.delete("/v1/segments/{segment_id}", segment_id=segment_id)
    return SegmentDeleted(segment_id=segment_id)

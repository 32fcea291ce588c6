"""Segments: groups of customers by what they are or did (dynamic), or put together by hand (manual)."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cio_mcp.client import AppApi, IdType, RequestKind, TrackApi
from cio_mcp.toolkit.answers import Accepted, Acted, Answer, Page, Quoted, Shape, cut, page
from cio_mcp.toolkit.params import CountCursor, Cursor, Limit, ObjectId, People, Text, iso
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.search import Found, identifiers_of

segments = Toolbox("segments")

# A count is a request for each segment, and 10 go through in a second.
COUNTED = 20

FIND_OUT = "Do not create it again before looking: list_segments shows, newest first, whether it is there."


class Segment(Shape):
    """One segment, in short."""

    id: int
    name: str
    type: str | None = Field(None, description="dynamic (by rules) or manual.")
    description: str | None = None
    state: str | None = Field(None, description="finished, or still being built.")
    tags: list[str] = []
    count: int | None = Field(None, description="Customers in it.")


class Segments(Page):
    """Segments that match, newest first."""

    segments: list[Segment]


@segments.reads
async def list_segments(
    app: AppApi,
    name_contains: Text | None = None,
    counts: Annotated[bool, Field(description="Also count customers; 20 a page.")] = False,
    limit: Limit = 50,
    cursor: CountCursor | None = None,
) -> Segments:
    """List segments, newest first, to find an id."""
    # The endpoint takes no parameters and answers everything at once (App API, listSegments).
    answer = await app.get("/v1/segments")
    found = [
        Segment(**_told(item))
        for item in sorted(answer.get("segments") or [], key=lambda item: int(item["id"]), reverse=True)
        if (cursor is None or int(item["id"]) < cursor)
        and (name_contains is None or name_contains.casefold() in str(item.get("name") or "").casefold())
    ]
    kept, left_out = page(found, min(limit, COUNTED) if counts else limit)
    if counts:
        for segment in kept:
            segment.count = await _count(app, segment.id)
    return Segments(segments=kept, next_cursor=str(kept[-1].id) if left_out else None, left_out=left_out)


class SegmentInUse(Answer, Segment):
    """One segment, how many are in it, and what uses it."""

    progress: int | None = Field(None, description="Percent built, while it is being built.")
    created: str | None = None
    updated: str | None = None
    used_by: dict[str, list[int]] = Field(description="Ids of the campaigns and newsletters that use it.")


@segments.reads
async def get_segment(app: AppApi, segment_id: ObjectId) -> SegmentInUse:
    """Read one segment: how many are in it, and which campaigns and newsletters use it."""
    answer = await app.get("/v1/segments/{segment_id}", segment_id=segment_id)
    uses = await app.get("/v1/segments/{segment_id}/used_by", segment_id=segment_id)
    item = answer.get("segment") or {"id": segment_id}
    return SegmentInUse(
        **_told(item),
        count=await _count(app, segment_id),
        progress=item.get("progress"),
        created=iso(item.get("created_at")),
        updated=iso(item.get("updated_at")),
        used_by={
            name: [int(number) for number in numbers]
            for name, numbers in (uses.get("used_by") or {}).items()
            if numbers and isinstance(numbers, list)
        },
    )


def _told(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": int(item["id"]),
        "name": str(item.get("name") or ""),
        "type": item.get("type"),
        "description": item.get("description") or None,
        "state": item.get("state"),
        "tags": item.get("tags") or [],
    }


async def _count(app: AppApi, segment_id: int) -> int:
    answer = await app.get("/v1/segments/{segment_id}/customer_count", segment_id=segment_id)
    return int(answer.get("count") or 0)


class Members(Quoted, Page):
    """Customers in a segment, by their identifiers."""

    members: list[Found]


@segments.reads
async def list_segment_members(
    app: AppApi, segment_id: ObjectId, limit: Limit = 50, cursor: Cursor | None = None
) -> Members:
    """List who is in a segment. search_customers with segment_id can read their attributes."""
    answer = await app.get(
        "/v1/segments/{segment_id}/membership",
        {"limit": limit, "start": cursor},
        segment_id=segment_id,
    )
    found = [Found(**identifiers_of(item)) for item in answer.get("identifiers") or []]
    kept, next_cursor, left_out = cut(found, answer.get("next"))
    return Members(members=kept, next_cursor=next_cursor, left_out=left_out)


class SegmentCreated(Acted):
    """The new segment."""

    outcome: Literal["created"] = Field("created", description="It is there.")
    segment_id: int


@segments.writes
async def create_segment(app: AppApi, name: Text, description: Text | None = None) -> SegmentCreated:
    """Create an empty manual segment."""
    segment = {"name": name} | ({"description": description} if description else {})
    answer = await app.post(
        "/v1/segments", {"segment": segment}, kind=RequestKind.ONCE, if_unknown=FIND_OUT, expect="segment"
    )
    return SegmentCreated(segment_id=int(answer["segment"]["id"]))


def _ids(ids: list[str]) -> list[str]:
    if not 0 < len(ids) <= 1000:
        message = f"1 to 1000 are allowed, these are {len(ids)}"
        raise ValueError(message)
    return ids


Ids = Annotated[People, AfterValidator(_ids), Field(description="At most 1000.")]


@segments.writes
async def add_to_segment(track: TrackApi, segment_id: ObjectId, ids: Ids, id_type: IdType = "id") -> Accepted:
    """Add customers to a manual segment. It can start campaigns."""
    return await _change(track, "add_customers", segment_id, ids, id_type)


@segments.writes
async def remove_from_segment(
    track: TrackApi, segment_id: ObjectId, ids: Ids, id_type: IdType = "id"
) -> Accepted:
    """Remove customers from a manual segment."""
    return await _change(track, "remove_customers", segment_id, ids, id_type)


async def _change(track: TrackApi, change: str, segment_id: int, ids: list[str], id_type: IdType) -> Accepted:
    await track.post(
        "/api/v1/segments/{segment_id}/{change}",
        {"ids": [AppApi.person(name, id_type) for name in ids]},
        query={"id_type": id_type},
        kind=RequestKind.REPEATABLE,
        segment_id=segment_id,
        change=change,
    )
    note = f"What is not the {id_type} of a known customer is ignored, without an error."
    return Accepted(notes=[f"{note} list_segment_members shows who is in it."])


class SegmentDeleted(Acted):
    """The segment is gone; its customers stay."""

    outcome: Literal["deleted"] = Field("deleted", description="It is gone.")
    segment_id: int


@segments.deletes
async def delete_segment(app: AppApi, segment_id: ObjectId) -> SegmentDeleted:
    """Delete a manual segment; its customers stay. get_segment tells what uses it."""
    await app.delete("/v1/segments/{segment_id}", segment_id=segment_id)
    return SegmentDeleted(segment_id=segment_id)

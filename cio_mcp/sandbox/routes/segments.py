"""Segments: who is in them, how many, and what uses them."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Key, Rejected, Routes, app_error, track_error, whole
from cio_mcp.sandbox.routes.customers import person
from cio_mcp.sandbox.state import newsletters, people, segments
from cio_mcp.sandbox.state.workspace import Row

routes = Routes()


def _segment(asked: ApiRequest) -> dict[str, Any]:
    return asked.thing("segment", "segment_id")


def _members(asked: ApiRequest) -> list[Row]:
    return segments.audience(asked.workspace, {"segment": {"id": _segment(asked)["id"]}})


def _page(asked: ApiRequest, found: list[Row], *sizes: int, ends_empty: bool = False) -> dict[str, Any]:
    """Answer a page of people, oldest first, of usually and at most so many.

    Live: without anybody both lists are null, and who has no id is an empty text among the ids.
    """
    keyed: list[tuple[Key, Row]] = [((-person["number"], 0), person) for person in found]
    kept, after = asked.page(keyed, *sizes, ends_empty=ends_empty)
    return {
        "identifiers": [people.identifiers(person) for person in kept] or None,
        "ids": [person["id"] or "" for person in kept] or None,
        "next": after,
    }


def _public(segment: dict[str, Any]) -> dict[str, Any]:
    """Return a segment as the App API tells it. Live: with the conditions of one that goes by them."""
    rules = {"conditions": {"and": [segment["conditions"]]}} if "conditions" in segment else {}
    return {name: value for name, value in segment.items() if name != "performed"} | rules


@routes("GET", "/v1/segments")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer all segments; the endpoint has no pages. Documented."""
    return {"segments": [_public(found) for found in asked.workspace.things("segment")]}


@routes("POST", "/v1/segments")
def create(asked: ApiRequest) -> dict[str, Any]:
    """Make an empty manual segment. Live, recorded: its refusal, and null for what it does not have."""
    wanted = asked.json().get("segment") or {}
    if not isinstance(wanted, dict) or not (name := str(wanted.get("name") or "").strip()):
        raise app_error("Name can't be blank", 422, "/data/attributes/name")
    return {"segment": segments.create(asked.workspace, name, wanted.get("description") or "")}


@routes("DELETE", "/v1/segments/{segment_id}")
def delete(asked: ApiRequest) -> None:
    """Remove a manual segment (documented). Assumed (segments in use): they cannot be removed."""
    segment = _segment(asked)
    if segment["type"] != "manual":
        raise app_error("only manual segments can be deleted", 400)
    broadcasts = asked.workspace.things("broadcast")
    if any(_uses(asked).values()) or any(_named(segment, broadcast) for broadcast in broadcasts):
        raise app_error("segment is in use", 400)
    segments.delete(asked.workspace, segment["id"])


@routes("GET", "/v1/segments/{segment_id}/used_by")
def used_by(asked: ApiRequest) -> dict[str, Any]:
    """Answer which campaigns and newsletters use a segment, by their ids. Documented."""
    return {"segment_id": _segment(asked)["id"], "used_by": _uses(asked)}


def _uses(asked: ApiRequest) -> dict[str, list[int]]:
    segment = _segment(asked)
    letters = [letter for letter in asked.workspace.things("newsletter") if _named(segment, letter)]
    return {
        "campaigns": [
            campaign["id"]
            for campaign in asked.workspace.things("campaign")
            for uses in ("trigger_segment_ids", "filter_segment_ids")
            if segment["id"] in campaign.get(uses, [])
        ],
        "sent_newsletters": [letter["id"] for letter in letters if letter["sent_at"]],
        "draft_newsletters": [letter["id"] for letter in letters if not letter["sent_at"]],
    }


def _named(segment: dict[str, Any], message: dict[str, Any]) -> bool:
    return segment["id"] in newsletters.segment_ids(message["recipients"])


@routes("GET", "/v1/segments/{segment_id}")
def one(asked: ApiRequest) -> dict[str, Any]:
    """Answer one segment. Documented."""
    return {"segment": _public(_segment(asked))}


@routes("GET", "/v1/segments/{segment_id}/customer_count")
def count(asked: ApiRequest) -> dict[str, Any]:
    """Answer how many people are in a segment now. Documented."""
    return {"segment_id": asked.number("segment_id"), "count": len(_members(asked))}


@routes("GET", "/v1/segments/{segment_id}/membership")
def membership(asked: ApiRequest) -> dict[str, Any]:
    """Answer who is in a segment now. Live: the page of the last one has a `next` too."""
    found = _page(asked, _members(asked), 1000, 30_000, ends_empty=True)
    return {"segment_id": asked.number("segment_id")} | found


@routes("POST", "/api/v1/segments/{segment_id}/add_customers")
def add_customers(asked: ApiRequest) -> dict[str, Any]:
    """Accept people for a manual segment. Documented."""
    return _change_members(asked, remove=False)


@routes("POST", "/api/v1/segments/{segment_id}/remove_customers")
def remove_customers(asked: ApiRequest) -> dict[str, Any]:
    """Accept that people leave a manual segment. Documented."""
    return _change_members(asked, remove=True)


def _change_members(asked: ApiRequest, *, remove: bool) -> dict[str, Any]:
    """Check what Track checks at once.

    Assumed (segments by rules): their members cannot be changed, and what is no segment is not found.
    """
    number = whole(asked.ids["segment_id"])
    segment = None if number is None else asked.workspace.thing("segment", number)
    if segment is None:
        raise track_error("segment not found", 404)
    if segment["type"] != "manual":
        raise _invalid("segment is not a manual segment")
    ids, id_type = asked.json().get("ids"), asked.query.get("id_type", "id")
    if not _are_ids(ids):
        raise _invalid("ids must be 1 to 1000 strings")
    if id_type not in {"id", "email", "cio_id"}:
        raise _invalid("id_type must be id, email or cio_id")
    write = {"segment_id": segment["id"], "ids": ids, "id_type": id_type, "remove": remove}
    asked.workspace.accept(segments.MEMBERS, write)
    return {}


def _invalid(fault: str) -> Rejected:
    return Rejected(400, {"meta": {"errors": [fault]}})


def _are_ids(ids: Any) -> bool:
    return isinstance(ids, list) and 0 < len(ids) <= 1000 and all(isinstance(name, str) for name in ids)


@routes("POST", "/v1/customers")
def search(asked: ApiRequest) -> dict[str, Any]:
    """Answer who fits a filter. Documented."""
    try:
        found = segments.audience(asked.workspace, asked.json().get("filter") or {})
    except segments.WrongFilter as wrong:
        raise app_error(str(wrong), 400) from None
    return _page(asked, found, 50, 1000)


@routes("GET", "/v1/customers/{customer_id}/segments")
def of_customer(asked: ApiRequest) -> dict[str, Any]:
    """Answer which segments a person is in. Documented."""
    who = person(asked)
    return {
        "segments": [
            {name: segment[name] for name in ("id", "name", "description")}
            for segment in asked.workspace.things("segment")
            if segments.in_segment(asked.workspace, who, segment)
        ]
    }

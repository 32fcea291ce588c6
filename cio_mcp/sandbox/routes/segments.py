"""Segments: who is in them, and how many."""

from typing import Any

from cio_mcp.sandbox.http import Asked, Routes, app_error
from cio_mcp.sandbox.routes.customers import person
from cio_mcp.sandbox.state import people, segments
from cio_mcp.sandbox.state.workspace import Row

routes = Routes()


def _segment(asked: Asked) -> dict[str, Any]:
    found = asked.workspace.thing("segment", asked.number("segment_id"))
    if found is None:
        raise app_error("segment not found", 404)
    return found


def _members(asked: Asked) -> list[Row]:
    return segments.audience(asked.workspace, {"segment": {"id": _segment(asked)["id"]}})


def _public(segment: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in segment.items() if name not in {"members", "conditions", "performed"}
    }


@routes("GET", "/v1/segments")
def every(asked: Asked) -> dict[str, Any]:
    """Answer all segments; the endpoint has no pages."""
    return {"segments": [_public(found) for found in asked.workspace.things("segment")]}


@routes("GET", "/v1/segments/{segment_id}")
def one(asked: Asked) -> dict[str, Any]:
    """Answer one segment."""
    return {"segment": _public(_segment(asked))}


@routes("GET", "/v1/segments/{segment_id}/customer_count")
def count(asked: Asked) -> dict[str, Any]:
    """Answer how many people are in a segment now."""
    return {"segment_id": asked.number("segment_id"), "count": len(_members(asked))}


@routes("GET", "/v1/segments/{segment_id}/membership")
def membership(asked: Asked) -> dict[str, Any]:
    """Answer who is in a segment now."""
    found = _members(asked)[: asked.limit(1000, 30_000)]
    return {
        "segment_id": asked.number("segment_id"),
        "ids": [person["id"] or "" for person in found],
        "identifiers": [people.identifiers(person) for person in found],
        "next": "",
    }


@routes("POST", "/v1/customers")
def search(asked: Asked) -> dict[str, Any]:
    """Answer who fits a filter, page by page; `start` is the number of people on the pages before."""
    try:
        found = segments.audience(asked.workspace, asked.json().get("filter") or {})
    except segments.WrongFilter as wrong:
        raise app_error(str(wrong), 400) from None
    first = int(asked.query.get("start") or 0)
    page = found[first : first + asked.limit()]
    after = first + len(page)
    return {
        "identifiers": [people.identifiers(person) for person in page],
        "ids": [person["id"] or "" for person in page],
        "next": str(after) if after < len(found) else "",
    }


@routes("GET", "/v1/customers/{customer_id}/segments")
def of_customer(asked: Asked) -> dict[str, Any]:
    """Answer which segments a person is in."""
    who = person(asked)
    return {
        "segments": [
            {name: segment[name] for name in ("id", "name", "description")}
            for segment in asked.workspace.things("segment")
            if segments.in_segment(asked.workspace, who, segment)
        ]
    }

"""Objects as the App API reads them."""

import json
from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error
from cio_mcp.sandbox.state import objects, people
from cio_mcp.sandbox.state.segments import WrongFilter
from cio_mcp.sandbox.state.workspace import Row

routes = Routes()


def _object(asked: ApiRequest) -> Row:
    kind = asked.query.get("id_type", "object_id")
    if kind not in {"object_id", "cio_object_id"}:
        raise app_error("id_type must be object_id or cio_object_id", 400)
    named = {kind: asked.ids["object_id"], "object_type_id": asked.ids["object_type_id"]}
    found = objects.find(asked.workspace, named)
    if found is None or str(found["object_type_id"]) != asked.ids["object_type_id"]:
        raise app_error("object not found", 404)
    return found


@routes("GET", "/v1/objects/{object_type_id}/{object_id}/attributes")
def attributes(asked: ApiRequest) -> dict[str, Any]:
    """Answer an object's attributes (documented). Assumed (attributes of objects): they are texts."""
    found = _object(asked)
    values: dict[str, Any] = json.loads(found["attributes"])
    return {
        "object": {
            "attributes": {name: people.as_text(value) for name, value in values.items()},
            "identifiers": objects.identifiers(found),
            "object_type_id": str(found["object_type_id"]),
            "timestamps": {},
        }
    }


@routes("GET", "/v1/objects/{object_type_id}/{object_id}/relationships")
def members(asked: ApiRequest) -> dict[str, Any]:
    """Answer who is related to an object (documented)."""
    found, after = asked.page(objects.members(asked.workspace, _object(asked)))
    return {"cio_relationships": found, "next": after}


@routes("POST", "/v1/objects")
def search(asked: ApiRequest) -> dict[str, Any]:
    """Answer the objects of one type that fit a filter (documented)."""
    body = asked.json()
    type_id, condition = str(body.get("object_type_id", "")), body.get("filter")
    if not type_id.isdecimal() or not isinstance(condition, dict):
        raise app_error("object_type_id and filter are required", 400)
    try:
        found, after = asked.page(objects.matching(asked.workspace, type_id, condition))
    except WrongFilter as wrong:
        raise app_error(str(wrong), 400) from None
    return {"identifiers": found, "ids": [one["object_id"] for one in found], "next": after}

"""Collections: tables that messages look things up in."""

import json
from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error

routes = Routes()

# Bytes of a row, and of all.
ROW, ALL_ROWS = 10_000, 10_000_000

# What a URL leads to: the sandbox fetches nothing.
FETCHED = [{"fetched": "by the sandbox"}]


def _collection(asked: ApiRequest) -> dict[str, Any]:
    return asked.thing("collection", "collection_id")


def _public(collection: dict[str, Any]) -> dict[str, Any]:
    rows = collection["data"]
    told = {name: collection[name] for name in ("id", "name", "created_at", "updated_at")}
    keys = sorted({key for row in rows for key in row})
    return told | {"rows": len(rows), "bytes": len(json.dumps(rows)), "schema": keys}


@routes("GET", "/v1/collections")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer all collections, without their rows; the endpoint has no pages. Documented."""
    return {"collections": [_public(found) for found in asked.workspace.things("collection")]}


@routes("POST", "/v1/collections")
def create(asked: ApiRequest) -> dict[str, Any]:
    """Make a collection (documented). Assumed (names of collections): no two have the same."""
    body = asked.json()
    name = str(body.get("name") or "").strip()
    if not name:
        raise app_error("name is required", 400)
    if any(name == found["name"] for found in asked.workspace.things("collection")):
        raise app_error("a collection with that name already exists", 400)
    if ("data" in body) == ("url" in body):
        raise app_error("one of data and url is required", 400)
    now = asked.workspace.now()
    number = asked.workspace.next_number("collection")
    return _stored(asked, {"id": number, "name": name, "created_at": now}, body)


@routes("PUT", "/v1/collections/{collection_id}")
def replace(asked: ApiRequest) -> dict[str, Any]:
    """Replace a collection's rows, rename it, or both. Documented."""
    collection, body = _collection(asked), asked.json()
    return _stored(asked, collection | {"name": body.get("name") or collection["name"]}, body)


def _stored(asked: ApiRequest, collection: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    rows = FETCHED if "url" in body else body.get("data", collection.get("data"))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise app_error("data must be a list of objects", 400)
    if any(len(json.dumps(row)) > ROW for row in rows) or len(json.dumps(rows)) > ALL_ROWS:
        raise app_error("data is too large", 400)
    collection = collection | {"data": rows, "updated_at": asked.workspace.now()}
    asked.workspace.configure("collection", collection)
    return {"collection": _public(collection)}


@routes("GET", "/v1/collections/{collection_id}/content")
def content(asked: ApiRequest) -> list[dict[str, Any]]:
    """Answer the rows as they were given.

    Assumed (rows of a collection): they are a list. The documents' example has one row only.
    """
    rows: list[dict[str, Any]] = _collection(asked)["data"]
    return rows


@routes("DELETE", "/v1/collections/{collection_id}")
def delete(asked: ApiRequest) -> None:
    """Remove a collection. Documented."""
    asked.workspace.remove("collection", _collection(asked)["id"])

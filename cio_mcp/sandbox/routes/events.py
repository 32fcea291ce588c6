"""Events, by customer or by anonymous id."""

import json
from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, track_error
from cio_mcp.sandbox.routes.customers import checked_identifier

routes = Routes()


@routes("POST", "/api/v1/customers/{customer_id}/events")
def of_customer(asked: ApiRequest) -> dict[str, Any]:
    """Accept an event of a person. Documented."""
    asked.workspace.accept("event", {"identifier": checked_identifier(asked), "body": _checked(asked.json())})
    return {}


@routes("POST", "/api/v1/events")
def of_visitor(asked: ApiRequest) -> dict[str, Any]:
    """Accept an event of a visitor; without anonymous_id it is an invite by `data.recipient`. Documented."""
    body = _checked(asked.json())
    visitor = body.get("anonymous_id")
    if visitor is not None and not (isinstance(visitor, str) and visitor):
        raise track_error("anonymous_id must be a string value")
    if visitor is None and not (body.get("data") or {}).get("recipient"):
        raise track_error("anonymous_id cannot be blank")
    asked.workspace.accept("event", {"body": body})
    return {}


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    name, data, timestamp = body.get("name"), body.get("data", {}), body.get("timestamp", 0)
    if not isinstance(name, str) or not name.strip():
        raise track_error("name cannot be blank")
    if len(name.strip().encode()) > 100:
        raise track_error("event name cannot be longer than 100 bytes")
    if not isinstance(data, dict):
        raise track_error("event data must be a hash")
    if len(json.dumps(data, ensure_ascii=False).encode()) > 102_000:
        # Documented: 100 000 bytes. Assumed (sizes of data): with 2 % for blanks between values.
        raise track_error("event data cannot be longer than 100000 bytes")
    if body.get("type", "event") not in {"event", "page", "screen"}:
        raise track_error("type must be event, page or screen")
    if not isinstance(timestamp, int):
        raise track_error("timestamp must be a number of seconds")
    return body

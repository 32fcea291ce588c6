"""Events: of people, and of visitors who are not people yet."""

import json
from collections.abc import Iterator
from typing import Any

from cio_mcp.sandbox.state import people
from cio_mcp.sandbox.state.rejections import drop
from cio_mcp.sandbox.state.workspace import Row, Workspace, applies


@applies("event")
def record(workspace: Workspace, write: dict[str, Any]) -> None:
    """Record an event once: one with a known id is dropped.

    Assumed (events of strangers): an unknown person is created, unless the identifier is suppressed.
    Assumed (ids of events): they are known for good.
    """
    body: dict[str, Any] = write["body"]
    cio_id = None
    if identifier := write.get("identifier"):
        person = people.find_or_create(workspace, identifier)
        if person is None:
            reason = "there is no such person, or they are suppressed"
            drop(workspace, "failed_event", write, reason, name=body["name"].strip())
            return
        cio_id = person["cio_id"]
    elif visitor := body.get("anonymous_id"):
        cio_id = _known_visitor(workspace, visitor)
    kind, name, data = body.get("type", "event"), body["name"].strip(), body.get("data") or {}
    at = body.get("timestamp") or workspace.now()
    recorded = workspace.change(
        "INSERT OR IGNORE INTO events (cio_id, anonymous_id, type, name, data, timestamp, event_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        cio_id,
        body.get("anonymous_id"),
        kind,
        name,
        json.dumps(data),
        at,
        body.get("id"),
    )
    if recorded:
        workspace.enter(kind, cio_id, name, data, at)


def _known_visitor(workspace: Workspace, visitor: str) -> str | None:
    """Return who a visitor turned out to be: events within five minutes still attach (documented)."""
    known = workspace.row(
        "SELECT cio_id FROM log WHERE kind = 'attribute_change' AND name = 'anonymous_id' "
        "AND json_extract(data, '$.to') = ? AND timestamp >= ? ORDER BY number DESC",
        visitor,
        workspace.now() - 300,
    )
    return str(known["cio_id"]) if known else None


def activities(
    workspace: Workspace, cio_id: str | None = None, type_: str | None = None, name: str | None = None
) -> Iterator[tuple[tuple[int, int], dict[str, Any]]]:
    """Yield activities of the last 30 days with their keys, newest first, of one person, type or name."""
    found = workspace.rows(
        "SELECT * FROM log WHERE (:cio_id IS NULL OR cio_id = :cio_id) "
        "AND (:type IS NULL OR kind = :type) AND (:name IS NULL OR name = :name) "
        "AND timestamp >= :since ORDER BY timestamp DESC, number DESC",
        cio_id=cio_id,
        type=type_,
        name=name,
        since=workspace.now() - 30 * 86400,
    )
    for row in found:
        yield (row["timestamp"], row["number"]), _activity(workspace, row)


def _activity(workspace: Workspace, row: Row) -> dict[str, Any]:
    person = people.find(workspace, row["cio_id"] or "", "cio_id")
    data = json.loads(row["data"])
    # Documented: a page has an address for a name, and a change names the attribute in its data.
    named = {"url" if row["kind"] == "page" else "name": row["name"] or ""}
    if row["kind"] == "attribute_change":
        named, data = {}, {row["name"]: data}
    known = people.identifiers(person) if person else {}
    return {
        "id": str(row["number"]),
        "type": row["kind"],
        "timestamp": row["timestamp"],
        # Live: null for who has no id, which is then not among the identifiers.
        "customer_id": person["id"] if person else None,
        "customer_identifiers": {name: value for name, value in known.items() if value},
        "data": data,
        **named,
    }

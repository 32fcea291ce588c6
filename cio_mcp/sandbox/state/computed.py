"""Computed attributes: aggregations of a person's events that the workspace defines."""

import json
from typing import Any

from cio_mcp.sandbox.state.workspace import Workspace

OF_PERSON = "FROM events WHERE cio_id = ? AND name = ?"

# Aggregations for which no data of an event is read; any other is a sum.
COUNTED = {"count": "nullif(count(*), 0)", "last_time": "max(timestamp)"}


def of(workspace: Workspace, cio_id: str) -> dict[str, Any]:
    """Return all computed attributes of a person; without an event there is none."""
    found = {
        definition["name"]: value(workspace, cio_id, definition)
        for definition in workspace.things("computed_attribute")
    }
    return {name: computed for name, computed in found.items() if computed is not None}


def value(workspace: Workspace, cio_id: str, definition: dict[str, Any]) -> float | None:
    """Return a computed attribute of a person, None without an event."""
    of_person = (cio_id, definition["event"])
    if found := COUNTED.get(definition["aggregate"]):
        number: int | None = workspace.rows(f"SELECT {found} {OF_PERSON}", *of_person)[0][0]
        return number
    events = workspace.rows(f"SELECT data {OF_PERSON} ORDER BY timestamp, number", *of_person)
    values = [json.loads(event["data"]).get(definition.get("field")) for event in events]
    return sum(number for number in values if isinstance(number, (int, float))) if events else None

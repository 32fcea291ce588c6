"""Computed attributes: aggregations of a person's events that the workspace defines."""

import json
from typing import Any

from cio_mcp.sandbox.state.workspace import Workspace

OF_PERSON = "SELECT data, timestamp FROM events WHERE cio_id = ? AND name = ? ORDER BY timestamp, number"


def of(workspace: Workspace, cio_id: str) -> dict[str, Any]:
    """Return all computed attributes of a person; without an event there is none."""
    found = {
        definition["name"]: value(workspace, cio_id, definition)
        for definition in workspace.things("computed_attribute")
    }
    return {name: computed for name, computed in found.items() if computed is not None}


def value(workspace: Workspace, cio_id: str, definition: dict[str, Any]) -> float | None:
    """Return a computed attribute of a person, None without an event."""
    events = workspace.rows(OF_PERSON, cio_id, definition["event"])
    if not events:
        return None
    match definition["aggregate"]:
        case "count":
            return len(events)
        case "last_time":
            return int(events[-1]["timestamp"])
    values = [json.loads(event["data"]).get(definition["field"]) for event in events]
    return sum(number for number in values if isinstance(number, (int, float)))

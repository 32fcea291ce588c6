"""Visitors who turn out to be people."""

import json

from cio_mcp.sandbox.state import relationships
from cio_mcp.sandbox.state.workspace import Workspace


def merge(workspace: Workspace, cio_id: str, anonymous_id: str) -> None:
    """Give a person a visitor's relationships, and their events of the last 30 days (documented)."""
    known = "SELECT object, attributes FROM anonymous_relationships WHERE anonymous_id = ?"
    for row in workspace.rows(known, anonymous_id):
        relationships.add(workspace, cio_id, row["object"], json.loads(row["attributes"]))
    workspace.change("DELETE FROM anonymous_relationships WHERE anonymous_id = ?", anonymous_id)
    moved = workspace.rows(
        "SELECT * FROM events WHERE anonymous_id = ? AND cio_id IS NULL AND timestamp >= ? ORDER BY number",
        anonymous_id,
        workspace.now() - 30 * 86400,
    )
    for event in moved:
        workspace.change("UPDATE events SET cio_id = ? WHERE number = ?", cio_id, event["number"])
    if moved:
        with workspace.because(workspace.log("anon_merge", cio_id, name=anonymous_id, events=len(moved))):
            for event in moved:
                workspace.note("merged_event", cio_id, event["name"], {"event": event["number"]})

"""Merges: two profiles of one person become one."""

import json
from typing import Any

from cio_mcp.sandbox.state import people
from cio_mcp.sandbox.state.workspace import Workspace, applies

MERGE = "merge"


@applies(MERGE)
def merge(workspace: Workspace, write: dict[str, dict[str, str]]) -> None:
    """Give a person what the secondary has and they have not, and delete the secondary.

    Where one of them is unknown, or both are the same, nothing happens (Track API, merge).
    """
    primary, secondary = (
        people.find(workspace, value, kind)
        for which in ("primary", "secondary")
        for kind, value in write[which].items()
    )
    if primary is None or secondary is None or primary["cio_id"] == secondary["cio_id"]:
        return
    mine, theirs = primary["cio_id"], secondary["cio_id"]
    since = workspace.now() - 30 * 86400
    workspace.change("UPDATE events SET cio_id = ? WHERE cio_id = ? AND timestamp >= ?", mine, theirs, since)
    workspace.change("UPDATE deliveries SET cio_id = ? WHERE cio_id = ?", mine, theirs)
    workspace.change("UPDATE journeys SET cio_id = ? WHERE cio_id = ?", mine, theirs)
    workspace.change("UPDATE OR IGNORE members SET cio_id = ? WHERE cio_id = ?", mine, theirs)
    people.delete(workspace, {"identifier": f"cio_{theirs}"})
    attributes: dict[str, Any] = json.loads(secondary["attributes"]) | json.loads(primary["attributes"])
    workspace.change(
        "UPDATE people SET id = coalesce(id, ?), email = coalesce(email, ?), attributes = ? WHERE cio_id = ?",
        secondary["id"],
        secondary["email"],
        json.dumps(attributes),
        mine,
    )
    workspace.log("profile_merge", mine, secondary=people.identifiers(secondary))

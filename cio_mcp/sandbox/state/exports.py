"""Exports: files of customers or deliveries as they were when the export was started."""

from typing import Any

from cio_mcp.sandbox.state.workspace import Workspace

# An export is written for so many seconds, and a link to its file holds for so many.
WRITTEN_AFTER, LINK_HOLDS = 5, 900

# What the API does not tell, or not yet.
INTERNAL = {"entries", "days_ago"}


def start(workspace: Workspace, type_: str, description: str, total: int) -> dict[str, Any]:
    """Start an export of `total` entries; returns it."""
    export = {
        "id": workspace.next_number("export"),
        "type": type_,
        "description": description,
        "entries": total,
        "downloads": 0,
        "failed": False,
        "created_at": workspace.now(),
    }
    workspace.configure("export", export)
    return export


def done(workspace: Workspace, export: dict[str, Any]) -> bool:
    """Say whether an export's file is there."""
    return not export["failed"] and workspace.now() >= export["created_at"] + WRITTEN_AFTER


def link(workspace: Workspace, export: dict[str, Any]) -> str:
    """Return a link to an export's file, and count the download. It leads nowhere, as its host says."""
    workspace.configure("export", export | {"downloads": export["downloads"] + 1})
    expires = workspace.now() + LINK_HOLDS
    return f"https://exports.sandbox.invalid/{export['id']}.csv?expires={expires}&signature=sandbox"

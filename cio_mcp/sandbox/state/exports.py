"""Exports: files of customers or deliveries as they were when the export was started."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from cio_mcp.sandbox.state.workspace import Workspace

# An export is written for so many seconds, and a link to its file holds for so many.
WRITTEN_AFTER, LINK_HOLDS = 5, 900

# What the API does not say, or not yet.
INTERNAL = {"entries", "days_ago", "content"}

# What a link is signed with.
SIGNATURE = "sandbox"


def start(
    workspace: Workspace, type_: str, description: str, entries: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Start an export of entries; returns it. Assumed (columns of exports): what the file has of each."""
    text = io.StringIO()
    columns = dict.fromkeys(name for entry in entries for name in entry)
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(entries)
    export = {
        "id": workspace.next_number("export"),
        "type": type_,
        "description": description,
        "entries": len(entries),
        "content": text.getvalue(),
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
    """Return a link to an export's file, at the sandbox itself (files.py), and count the download."""
    workspace.configure("export", export | {"downloads": export["downloads"] + 1})
    expires = workspace.now() + LINK_HOLDS
    return f"https://exports.sandbox.invalid/{export['id']}.csv?expires={expires}&signature={SIGNATURE}"

"""Snippets: text that messages share. The API knows them by name only."""

import re
from typing import Any

from cio_mcp.sandbox.state.workspace import Workspace


def named(workspace: Workspace, name: str) -> dict[str, Any] | None:
    """Return a snippet by its name."""
    return next((found for found in workspace.things("snippet") if found["name"] == name), None)


def put(workspace: Workspace, name: str, value: str) -> dict[str, Any]:
    """Give a snippet its text, and make it if there is none; returns it."""
    number = (named(workspace, name) or {"id": workspace.next_number("snippet")})["id"]
    snippet = {"id": number, "name": name, "value": value, "updated_at": workspace.now()}
    workspace.configure("snippet", snippet)
    return snippet


def in_use(workspace: Workspace, name: str) -> bool:
    """Say whether a message shows a snippet: `{{snippets.name}}` or `{{snippets["a name"]}}`."""
    shows = re.compile(rf"snippets(\.{re.escape(name)}\b|\[\"{re.escape(name)}\"\])")
    return any(shows.search(text.get("body", "")) for text in workspace.things("content"))

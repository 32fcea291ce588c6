"""What the log has got about people leads to what campaigns do."""

from typing import Any

from cio_mcp.sandbox.engine import dates, entering, journeys, leaving
from cio_mcp.sandbox.engine.profile import Profile
from cio_mcp.sandbox.state.workspace import LogEntry, Workspace, applies, reacts

CHECK = "check"

# Entries after which a person may fit other conditions than before.
CHANGES = {
    *("profile_create", "attribute_change", "profile_merge", "anon_merge", "segment_entered", "segment_left"),
    *("event", "page", "screen"),
}


@reacts
def react(workspace: Workspace, news: list[LogEntry]) -> None:
    """Let events and changes begin and end journeys; each person is looked at once."""
    changed: dict[str, list[LogEntry]] = {}
    for entry in news:
        if entry.kind == "profile_delete":
            changed.pop(entry.cio_id, None)
            _gone(workspace, entry)
        if entry.kind in CHANGES:
            changed.setdefault(entry.cio_id, []).append(entry)
        if entry.kind in entering.EVENTS:
            with workspace.because(entry.number):
                entering.by_event(workspace, entry)
    for cio_id, entries in changed.items():
        with workspace.because(entries[-1].number):
            _check(workspace, cio_id, entries)


@applies(CHECK)
def check(workspace: Workspace, write: dict[str, Any]) -> None:
    """Look what time alone has changed for a person."""
    _check(workspace, write["cio_id"], [])


def _check(workspace: Workspace, cio_id: str, news: list[LogEntry]) -> None:
    """Look which conditions a person fits now, and when time alone may change that."""
    person = entering.person(workspace, cio_id)
    if person is None:
        return
    leaving.check(workspace, person, news)
    entering.check(workspace, person, news)
    _wait(workspace, person)


def _wait(workspace: Workspace, person: Profile) -> None:
    """Let a person be looked at again when time alone may change what they fit."""
    dates.schedule(workspace, person)
    key, due = f"check:{person.cio_id}", entering.next_change(workspace, person)
    if due is None:
        workspace.change("DELETE FROM timers WHERE key = ?", key)
    else:
        workspace.wait(due, CHECK, {"cio_id": person.cio_id}, key)


def _gone(workspace: Workspace, entry: LogEntry) -> None:
    """End the journeys of somebody who was deleted."""
    with workspace.because(entry.number):
        for journey in journeys.active(workspace, entry.cio_id):
            journeys.end(workspace, journey, "deleted")
    workspace.change("DELETE FROM matches WHERE cio_id = ?", entry.cio_id)
    workspace.change(
        "DELETE FROM timers WHERE key = ? OR key GLOB ?", f"check:{entry.cio_id}", f"date:*:{entry.cio_id}"
    )

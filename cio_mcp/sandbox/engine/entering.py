"""Who begins a campaign: what triggers it, its filters, and how often one may.

Documented: a person must fit the trigger and the filters, and settings say how often they may enter.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from cio_mcp.sandbox.engine import conditions, journeys
from cio_mcp.sandbox.engine.profile import Profile, has
from cio_mcp.sandbox.state import people
from cio_mcp.sandbox.state.workspace import LogEntry, Row, Workspace

DAY = 86_400

# Documented: an older event triggers no campaign.
OLDEST_EVENT = 72 * 3600

EVENTS = {"event", "merged_event"}


def running(workspace: Workspace, type_: str) -> list[dict[str, Any]]:
    """Return the campaigns of a type that are running."""
    every = workspace.things("campaign")
    return [one for one in every if one.get("type") == type_ and one["state"] == "running"]


def trigger(campaign: dict[str, Any]) -> dict[str, Any]:
    """Return the condition that a person must fit to enter a campaign: its segments and its filters."""
    ids = [*campaign.get("trigger_segment_ids", []), *campaign.get("filter_segment_ids", [])]
    own = [campaign["filter"]] if "filter" in campaign else []
    return {"and": [*({"segment": {"id": number}} for number in ids), *own]}


def by_event(workspace: Workspace, entry: LogEntry) -> None:
    """Let an event begin the campaigns that it triggers."""
    triggered = [one for one in running(workspace, "event") if one.get("event_name") == entry.name]
    who = person(workspace, entry.cio_id) if triggered else None
    if who is None:
        return
    event = _event(workspace, entry)
    data = json.loads(event["data"])
    for campaign in triggered:
        if not has(data, campaign.get("event_filter", {})):
            continue
        age = workspace.now() - event["timestamp"]
        if age > OLDEST_EVENT:
            refuse(workspace, campaign, who.cio_id, "event too old", {"hours": age // 3600})
        else:
            about = {"event": data, "event_name": event["name"], "event_timestamp": event["timestamp"]}
            enter(workspace, campaign, who, about | {"trigger_event_id": event["event_id"]})


def _event(workspace: Workspace, entry: LogEntry) -> Row:
    if entry.kind == "merged_event":
        return workspace.rows("SELECT * FROM events WHERE number = ?", entry.data["event"])[0]
    newest = (
        "SELECT * FROM events WHERE cio_id = ? AND name = ? AND timestamp = ? ORDER BY number DESC LIMIT 1"
    )
    return workspace.rows(newest, entry.cio_id, entry.name, entry.timestamp)[0]


def enter(workspace: Workspace, campaign: dict[str, Any], person: Profile, data: dict[str, Any]) -> None:
    """Let a person begin a campaign that something has triggered, unless filters or settings forbid it."""
    unmet = [part for part in trigger(campaign)["and"] if not conditions.fits(workspace, person, part)]
    if unmet:
        refuse(workspace, campaign, person.cio_id, "filtered", {"unmet": unmet})
    elif why := _again(workspace, campaign, person.cio_id):
        refuse(workspace, campaign, person.cio_id, why)
    else:
        journeys.start(workspace, campaign, person.cio_id, data)


def refuse(
    workspace: Workspace,
    campaign: dict[str, Any],
    cio_id: str,
    reason: str,
    more: dict[str, Any] | None = None,
) -> None:
    """Keep in the log that a person does not begin a campaign, and why."""
    workspace.note("not_started", cio_id, str(campaign["id"]), {"reason": reason, **(more or {})})


def _again(workspace: Workspace, campaign: dict[str, Any], cio_id: str) -> str:
    """Return why a person may not begin a campaign again, empty if they may.

    Assumed (re-entry): they may, but into a campaign that segments trigger only after the last journey.
    """
    newest = "SELECT started, ended FROM journeys WHERE cio_id = ? AND campaign_id = ? ORDER BY number DESC"
    last = workspace.row(newest, cio_id, campaign["id"])
    if last is None:
        return ""
    setting = campaign.get("reentry", "always")
    if setting == "once":
        return "re-entry: once only"
    if isinstance(setting, dict) and workspace.now() < last["started"] + setting["after_days"] * DAY:
        return f"re-entry: only after {setting['after_days']} days"
    if campaign["type"] == "segment" and last["ended"] is None:
        return "re-entry: still on an earlier journey"
    return ""


def because_of(
    workspace: Workspace, condition: dict[str, Any], news: Sequence[LogEntry]
) -> AbstractContextManager[None]:
    """Name that one of a person's new entries as the cause inside which a condition asks for."""
    asked = set(conditions.asked_of(workspace, condition))
    found = next((entry.number for entry in reversed(news) if entry.name in asked), None)
    return nullcontext() if found is None else workspace.because(found)


def check(workspace: Workspace, person: Profile, news: Sequence[LogEntry]) -> None:
    """Let a person begin what their segments trigger from now on, and leave what has become wrong."""
    for campaign in running(workspace, "segment"):
        key = (campaign["id"], person.cio_id)
        before = workspace.row("SELECT 1 FROM matches WHERE campaign_id = ? AND cio_id = ?", *key) is not None
        now = conditions.fits(workspace, person, trigger(campaign))
        if now == before:
            continue
        kind = "matched" if now else "unmatched"
        with because_of(workspace, trigger(campaign), news):
            entry = workspace.note(kind, person.cio_id, str(campaign["id"]))
        with workspace.because(entry):
            if now:
                workspace.change("INSERT INTO matches VALUES (?, ?)", *key)
                enter(workspace, campaign, person, {})
            else:
                workspace.change("DELETE FROM matches WHERE campaign_id = ? AND cio_id = ?", *key)


def next_change(workspace: Workspace, person: Profile) -> int | None:
    """Return when time alone may let a person begin or leave a campaign."""
    found = (conditions.next_change(workspace, person, trigger(one)) for one in running(workspace, "segment"))
    return conditions.earliest(found)


def person(workspace: Workspace, cio_id: str) -> Profile | None:
    """Return a person, if they are still there."""
    row = people.find(workspace, cio_id, "cio_id")
    return Profile(workspace, row) if row else None

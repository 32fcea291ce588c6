"""Entries of the log and conditions in sentences."""

import json
from datetime import UTC, datetime
from typing import Any

from cio_mcp.sandbox.state import people
from cio_mcp.sandbox.state.workspace import Row, Workspace

# Who was forgotten.
FORGOTTEN = "a person who was forgotten"

# More causes than this are no chain.
LONGEST = 100

SENTENCES = {
    "accepted": "accepted: {name} {about}",
    "event": "{who} had the event {name} (of {of})",
    "merged_event": "{who} turned out to be who had had the event {name}",
    "attribute_change": "{who}: {name} became {data[to]!r}",
    "segment_entered": "{who} was put into segment {name}",
    "segment_left": "{who} was taken out of segment {name}",
    "matched": "{who} came to fit the trigger and filters of {campaign}",
    "unmatched": "{who} no longer fitted the trigger and filters of {campaign}",
    "date_reached": "it was the date of {who} for {campaign}",
    "journey_started": "{who} began {campaign}",
    "journey_ended": "{who} left {campaign}: {data[outcome]}",
    "not_started": "{who} did not begin {campaign}: {reason}",
    "waits": "{who} came to wait {data[action]}, until {until}",
    "branch": "{who} came to branch {data[action]}, whose condition was {data[fits]}",
    "message_off": "{who} came to action {data[action]}, whose sending_state is off: it makes no message",
    "message": "{data[message]} made delivery {data[delivery]} for {who} ({data[state]}{because})",
    "message_state": "delivery {data[delivery]} of {who} was {data[state]}",
    "triggered": "broadcast {name} was triggered",
    "sent": "newsletter {name} was sent",
    "asked": "a send of template {name} was asked for",
    "profile_delete": "{who} was deleted",
    "forgotten": "it was asked to forget the person",
    "profile_suppress": "{name} was suppressed: the profile is deleted, and its identifiers are blocked",
}


def shown(at: float) -> str:
    """Return a time as it is told: beyond all calendars in seconds."""
    try:
        return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(at)


def chain(workspace: Workspace, number: int | None) -> list[str]:
    """Tell an entry of the log and its causes, the first cause first."""
    found: list[Row] = []
    while number is not None and len(found) < LONGEST:
        entry = workspace.rows("SELECT * FROM log WHERE number = ?", number)[0]
        found.insert(0, entry)
        number = entry["cause"]
    return [f"{shown(entry['at'])} {sentence(workspace, entry)}" for entry in found]


def sentence(workspace: Workspace, entry: Row) -> str:
    """Tell one entry."""
    data = json.loads(entry["data"])
    said = SENTENCES.get(entry["kind"], f"{entry['kind'].replace('_', ' ')}: {{who}} {{name}}")
    return said.format(
        who=_who(workspace, entry["cio_id"]),
        name=entry["name"] or "",
        campaign=_campaign(workspace, entry["name"]) if "{campaign}" in said else "",
        about=_about(data) if "{about}" in said else "",
        of=shown(entry["timestamp"] or entry["at"]),
        reason=_reason(workspace, data) if "{reason}" in said else "",
        until=shown(data.get("until", 0)),
        data=data,
        because=f": {data['why']}" if data.get("why") else "",
    ).strip()


def _about(data: dict[str, Any]) -> str:
    """Return whom an accepted write names."""
    named = data.get("identifier") or data.get("identifiers") or data.get("ids") or ""
    if isinstance(named, dict):
        named = list(named.values())
    return named if isinstance(named, str) else ", ".join(map(str, named[:5]))


def _reason(workspace: Workspace, data: dict[str, Any]) -> str:
    if unmet := data.get("unmet"):
        return f"they did not fit its filter: {'; '.join(condition(workspace, part) for part in unmet)}"
    if "hours" in data:
        return f"the event was {data['hours']} hours old, and one of more than 72 triggers nothing"
    return str(data["reason"])


def _campaign(workspace: Workspace, number: str) -> str:
    found = workspace.thing("campaign", int(number))
    return f"campaign {number} ({found.get('name', '')})" if found else f"campaign {number}"


def _who(workspace: Workspace, cio_id: str | None) -> str:
    """Return how a person is called, also one who is deleted."""
    if person := people.find(workspace, cio_id or "", "cio_id"):
        return str(person["id"] or person["email"] or f"cio_{cio_id}")
    if workspace.row("SELECT 1 FROM log WHERE cio_id = ? AND kind = 'forgotten'", cio_id):
        return FORGOTTEN
    deleted = "SELECT data FROM log WHERE cio_id = ? AND kind = 'profile_delete' ORDER BY number DESC"
    row = workspace.row(deleted, cio_id)
    known = json.loads(row["data"])["identifiers"] if row else {}
    return str(known.get("id") or known.get("email") or (f"cio_{cio_id}" if cio_id else ""))


def condition(workspace: Workspace, asked: dict[str, Any]) -> str:
    """Tell a condition."""
    ((key, value),) = asked.items()
    match key:
        case "and" | "or":
            return f" {key} ".join(f"({condition(workspace, part)})" for part in value) or "everybody"
        case "not":
            return f"not {condition(workspace, value)}"
        case "segment":
            found = workspace.thing("segment", value["id"])
            return f"in segment {value['id']} ({found['name'] if found else 'which is gone'})"
        case "event":
            times = f" {value['times']} times" if value.get("times", 1) > 1 else ""
            days = f" in the last {value['within_days']} days" if "within_days" in value else ""
            return f"had the event {value['name']}{times}{days}"
    if value["operator"] == "exists":
        return f"{value['field']} is set"
    return f"{value['field']} {value['operator'].replace('_', ' ')} {value.get('value')!r}"

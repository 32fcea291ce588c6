"""API-triggered broadcasts: triggers, their audience, and what went wrong with it."""

import json
import math
from typing import Any

from cio_mcp.sandbox.state import deliveries, people, segments
from cio_mcp.sandbox.state.workspace import Row, Workspace

# Documented: one trigger of a broadcast in so many seconds, and so many that wait to be worked through.
# Assumed (waiting triggers): the latter counts for each broadcast by itself.
INTERVAL, MOST_WAITING = 10, 5


def pause(workspace: Workspace, broadcast_id: int) -> int:
    """Return in how many seconds of real time a broadcast can be triggered again, or 0: it can be now."""
    newest = "SELECT really_at FROM triggers WHERE broadcast_id = ? ORDER BY id DESC LIMIT ?"
    earlier = [row["really_at"] for row in workspace.rows(newest, broadcast_id, MOST_WAITING)]
    free = [now := workspace.clock.really()]
    if earlier:
        free.append(earlier[0] + INTERVAL)
    if len(earlier) == MOST_WAITING:
        free.append(earlier[-1] + workspace.broadcast_seconds)
    return math.ceil(max(free) - now)


def trigger(workspace: Workspace, broadcast: dict[str, Any], body: dict[str, Any]) -> int:
    """Trigger a broadcast; returns the trigger's number among the broadcast's. Raises WrongFilter.

    Documented: with somebody missing and not to be ignored nothing is delivered at all, and the trigger's
    errors say why.
    """
    found, errors = _audience(workspace, broadcast, body)
    newest = workspace.row("SELECT max(id) AS id FROM triggers WHERE broadcast_id = ?", broadcast["id"])
    number = ((newest["id"] if newest else None) or 0) + 1
    workspace.change(
        "INSERT INTO triggers VALUES (?, ?, ?, ?, ?)",
        broadcast["id"],
        number,
        workspace.now(),
        workspace.clock.really(),
        json.dumps(errors),
    )
    own = _own_data(workspace, body)
    with workspace.because(workspace.note("triggered", None, str(broadcast["id"]), {"trigger": number})):
        for person in [] if errors else found:
            message = {
                "type": "email",
                "recipient": person["email"] or "",
                "broadcast_id": broadcast["id"],
                "action_id": broadcast["actions"][0]["id"],
                "data": body.get("data", {}) | own.get(person["cio_id"], {}),
            }
            deliveries.add(workspace, person, message, to_unsubscribed=False)
    return number


def triggers(workspace: Workspace, broadcast_id: int) -> list[dict[str, Any]]:
    """Return a broadcast's triggers, oldest first."""
    rows = workspace.rows("SELECT * FROM triggers WHERE broadcast_id = ? ORDER BY id", broadcast_id)
    return [_trigger(workspace, row) for row in rows]


def errors(workspace: Workspace, broadcast_id: int, number: int) -> list[str] | None:
    """Return what a trigger failed on; None for an unknown trigger."""
    row = workspace.row("SELECT errors FROM triggers WHERE broadcast_id = ? AND id = ?", broadcast_id, number)
    return list(json.loads(row["errors"])) if row else None


def _trigger(workspace: Workspace, row: Row) -> dict[str, Any]:
    processed = row["created_at"] + workspace.broadcast_seconds
    return {
        "id": row["id"],
        "broadcast_id": row["broadcast_id"],
        "created_at": row["created_at"],
        "processed_at": processed if processed <= workspace.now() else None,
    }


def _own_data(workspace: Workspace, body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the data that a trigger has for single people, by their cio_id."""
    entries = [(entry, "email" if "email" in entry else "id") for entry in body.get("per_user_data", [])]
    found = [(entry, people.find(workspace, entry[kind], kind)) for entry, kind in entries]
    return {person["cio_id"]: entry.get("data") or {} for entry, person in found if person}


def _audience(
    workspace: Workspace, broadcast: dict[str, Any], body: dict[str, Any]
) -> tuple[list[Row], list[str]]:
    if url := body.get("data_file_url"):
        return [], [f"the sandbox cannot fetch {url}"]
    wanted = [("email", email) for email in body.get("emails", [])] + [
        ("id", id_) for id_ in body.get("ids", [])
    ]
    wanted += [
        ("email", entry["email"]) if "email" in entry else ("id", entry["id"])
        for entry in body.get("per_user_data", [])
    ]
    if not wanted:
        return segments.audience(workspace, body.get("recipients") or broadcast["recipients"]), []
    found, problems = [], []
    for line, (kind, value) in enumerate(wanted, 1):
        if person := people.find(workspace, value, kind):
            found.append(person)
        elif not body.get(f"{kind}_ignore_missing"):
            problems.append(f"line {line}: there is no person with {kind} {value}")
    return found, problems

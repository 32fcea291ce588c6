"""Messages that a campaign's action makes for the person who comes to it."""

import json
from typing import Any

from cio_mcp.sandbox.state import contents, deliveries
from cio_mcp.sandbox.state.workspace import Row, Workspace

# Where each type of message goes, by attribute, if its text does not say it.
ADDRESS = {"email": "email", "twilio": "phone", "whatsapp": "phone"}


def send(
    workspace: Workspace, journey: Row, campaign: dict[str, Any], action: dict[str, Any], person: Row
) -> None:
    """Make the message of an action, unless it is off; as a draft it stays here."""
    # Documented: the states automatic, draft and off.
    if action.get("sending_state") == "off":
        told = {"action": action["id"], "journey": journey["number"]}
        workspace.note("message_off", person["cio_id"], str(campaign["id"]), told)
        return
    language = str(contents.snapshot(workspace, person).get("language") or "")
    body = {
        "type": action["type"],
        "recipient": _recipient(workspace, action["type"], person),
        "subject": action.get("subject"),
        "campaign_id": campaign["id"],
        "action_id": action["id"],
        "journey": journey["number"],
        "language": language,
        "draft": action.get("sending_state") == "draft",
        "chances": action.get("chances"),
        "links": action.get("links"),
        "topic": campaign.get("subscription_topic_id"),
        **json.loads(journey["data"]),
    }
    anyway = bool(action.get("send_to_unsubscribed", False))
    deliveries.add(workspace, person, body, to_unsubscribed=anyway)
    workspace.change("UPDATE journeys SET messaged = 1 WHERE number = ?", journey["number"])


def _recipient(workspace: Workspace, type_: str, person: Row) -> str:
    if type_ == "push":
        devices = "SELECT id FROM devices WHERE cio_id = ? ORDER BY last_used DESC"
        return ", ".join(row["id"] for row in workspace.rows(devices, person["cio_id"]))
    known = contents.snapshot(workspace, person)
    if type_ in ADDRESS:
        return str(known.get(ADDRESS[type_]) or "")
    return str(person["email"] or person["id"] or person["cio_id"])

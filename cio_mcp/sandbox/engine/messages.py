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
    has = contents.snapshot(workspace, person)
    body = {
        "type": action["type"],
        "recipient": _recipient(workspace, action["type"], person, has),
        "subject": action.get("subject"),
        "campaign_id": campaign["id"],
        "action_id": action["id"],
        "journey": journey["number"],
        "language": str(has.get("language") or ""),
        "draft": action.get("sending_state") == "draft",
        "chances": action.get("chances"),
        "links": action.get("links"),
        "topic": campaign.get("subscription_topic_id"),
        "customer": has,
        **json.loads(journey["data"]),
    }
    anyway = bool(action.get("send_to_unsubscribed", False))
    deliveries.add(workspace, person, body, to_unsubscribed=anyway)
    if not journey["messaged"]:
        workspace.change("UPDATE journeys SET messaged = 1 WHERE number = ?", journey["number"])


def _recipient(workspace: Workspace, type_: str, person: Row, has: dict[str, Any]) -> str:
    if type_ == "push":
        devices = "SELECT id FROM devices WHERE cio_id = ? ORDER BY last_used DESC"
        return ", ".join(row["id"] for row in workspace.rows(devices, person["cio_id"]))
    if type_ in ADDRESS:
        return str(has.get(ADDRESS[type_]) or "")
    return str(person["email"] or person["id"] or person["cio_id"])

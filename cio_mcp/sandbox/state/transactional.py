"""Transactional messages: one template, one person, one channel."""

from typing import Any

from cio_mcp.sandbox.state import deliveries, people
from cio_mcp.sandbox.state.workspace import Row, Workspace

# What the App API does not tell about a template.
INTERNAL = {"channel", "subject", "links"}

# What the App API calls each channel in a delivery. That of inbox messages is not documented [?].
TYPES = {"email": "email", "push": "push", "sms": "twilio", "in_app": "in_app", "inbox_message": "inbox"}

# Channels whose messages say where they go; None and these of push mean the customer's own devices.
ADDRESSED = {"email", "push", "sms"}
OWN_DEVICES = {None, "all", "last_used"}

# Nothing tells that a message in the app has arrived.
IN_APP = {"sent": 2}


def queue(
    workspace: Workspace,
    channel: str,
    template: dict[str, Any],
    person: Row | None,
    body: dict[str, Any],
) -> str:
    """Make a delivery of what a send's `body` asks; returns its id."""
    message = {
        "type": TYPES[channel],
        "recipient": _recipient(workspace, channel, person, body.get("to")),
        "subject": body.get("subject") or body.get("title") or template.get("subject"),
        "transactional_message_id": template.get("id", 1),
        "draft": body.get("queue_draft") is True,
        "send_at": body.get("send_at"),
        "fate": body.get("fate") if channel in ADDRESSED else IN_APP,
    }
    to_unsubscribed = body.get("send_to_unsubscribed") is not False
    return deliveries.add(workspace, person, message, to_unsubscribed=to_unsubscribed)


def _recipient(workspace: Workspace, channel: str, person: Row | None, to: str | None) -> str:
    """Return where a message goes: what the call names, else what the customer has; blank for nowhere."""
    if channel == "push" and to in OWN_DEVICES:
        found = workspace.rows(
            "SELECT id FROM devices WHERE cio_id = ? ORDER BY last_used DESC LIMIT ?",
            person["cio_id"] if person else None,
            1 if to == "last_used" else -1,
        )
        return ", ".join(device["id"] for device in found)
    if to and channel in ADDRESSED:
        return to
    if person is None:
        return ""
    if channel == "sms":
        return str(people.attributes(workspace, person).get("phone") or "")
    return str(person["email"] or person["id"] or person["cio_id"])

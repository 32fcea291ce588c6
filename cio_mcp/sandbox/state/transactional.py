"""Transactional messages: one template, one person, one channel."""

import re
from typing import Any

from cio_mcp.sandbox.state import deliveries, people
from cio_mcp.sandbox.state.workspace import Row, Workspace

# What the App API does not tell about a template.
INTERNAL = {"channel", "subject", "links"}

# How a transactional message is set up unless something else is said.
SWITCHES = {
    "send_to_unsubscribed": True,
    "link_tracking": True,
    "open_tracking": True,
    "hide_message_body": False,
    "queue_drafts": False,
}

# Documented: what the App API calls each channel in a delivery. Assumed (inbox messages): their name.
TYPES = {
    "email": "email",
    "push": "push",
    "sms": "twilio",
    "whatsapp": "whatsapp",
    "in_app": "in_app",
    "inbox_message": "inbox",
}

# Channels whose messages say where they go; None and these of push mean the customer's own devices.
BY_NUMBER = {"sms", "whatsapp"}
ADDRESSED = {"email", "push", *BY_NUMBER}
OWN_DEVICES = {None, "all", "last_used"}

LIQUID = re.compile(r"\{\{\s*(?:customer\.)?(?P<attribute>\w+)[^}]*\}\}")


def queue(
    workspace: Workspace,
    channel: str,
    template: dict[str, Any],
    person: Row | None,
    body: dict[str, Any],
) -> str:
    """Make a delivery of what a send's `body` asks; returns its id."""
    asked = message(channel, template, _recipient(workspace, channel, person, body.get("to")), body)
    to_unsubscribed = body.get("send_to_unsubscribed") is not False
    with workspace.because(workspace.note("asked", None, str(asked["transactional_message_id"]))):
        return deliveries.add(workspace, person, asked, to_unsubscribed=to_unsubscribed)


def message(channel: str, template: dict[str, Any], recipient: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the message that a send's `body` asks for."""
    return {
        "type": TYPES[channel],
        "recipient": recipient,
        "subject": body.get("subject") or body.get("title"),
        "transactional_message_id": template.get("id", 1),
        "data": body.get("message_data"),
        "text": {name: body.get(name) for name in ("subject", "body", "from", "preheader_text")},
        "language": body.get("language"),
        "forgotten": body.get("disable_message_retention") is True,
        "draft": body.get("queue_draft") is True,
        "send_at": body.get("send_at"),
        "fate": body.get("fate"),
    }


def _recipient(workspace: Workspace, channel: str, person: Row | None, to: str | None) -> str:
    """Return where a message goes: what the call names, else what the customer has; blank for nowhere."""
    if channel == "push" and to in OWN_DEVICES:
        found = workspace.rows(
            "SELECT id FROM devices WHERE cio_id = ? ORDER BY last_used DESC LIMIT ?",
            person["cio_id"] if person else None,
            1 if to == "last_used" else -1,
        )
        return ", ".join(device["id"] for device in found)
    if channel in BY_NUMBER:
        # Documented: Liquid is filled in. Assumed (Liquid in numbers): what the customer lacks is blank.
        known = people.attributes(workspace, person) if person else {}
        return LIQUID.sub(lambda named: str(known.get(named["attribute"]) or ""), to or "")
    if to and channel in ADDRESSED:
        return to
    if person is None:
        return ""
    return str(person["email"] or person["id"] or person["cio_id"])

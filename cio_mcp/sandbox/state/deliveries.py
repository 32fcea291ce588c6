"""Deliveries: messages to one person each, and how far they have come."""

import base64
import json
import secrets
from typing import Any

from cio_mcp.sandbox.state import people
from cio_mcp.sandbox.state.workspace import Row, Workspace

# Seconds after its creation (or its send_at) at which a delivery reaches a state.
SENT_AFTER, DELIVERED_AFTER = 2, 5


def add(
    workspace: Workspace, person: Row | None, body: dict[str, Any], *, to_unsubscribed: bool = True
) -> str:
    """Make a delivery; returns its id. One that cannot go out is kept with the reason in `failure_message`.

    `body` has type, recipient and subject, and what else a message carries; `draft` keeps it back, and
    `send_at` (unix seconds) delays it.
    """
    number = base64.urlsafe_b64encode(secrets.token_bytes(20)).decode()
    failure = None
    if people.suppressed(workspace, body["recipient"]):
        failure = "recipient is suppressed"
    elif person and not to_unsubscribed and people.unsubscribed(people.attributes(workspace, person)):
        failure = "recipient is unsubscribed"
    workspace.change(
        "INSERT INTO deliveries (id, cio_id, created, body) VALUES (?, ?, ?, ?)",
        number,
        person["cio_id"] if person else None,
        workspace.now(),
        json.dumps(body | {"failure_message": failure}),
    )
    return number


def listed(workspace: Workspace, limit: int, cio_id: str | None = None) -> list[dict[str, Any]]:
    """Return the newest deliveries, of one person where asked, as `GET /v1/messages` does."""
    found = workspace.rows(
        "SELECT * FROM deliveries WHERE (?1 IS NULL OR cio_id = ?1) ORDER BY number DESC LIMIT ?2",
        cio_id,
        limit,
    )
    return [_message(workspace, row) for row in found]


def one(workspace: Workspace, number: str) -> dict[str, Any] | None:
    """Return a delivery by its id."""
    row = workspace.row("SELECT * FROM deliveries WHERE id = ?", number)
    return _message(workspace, row) if row else None


def _message(workspace: Workspace, row: Row) -> dict[str, Any]:
    body = json.loads(row["body"])
    person = people.find(workspace, row["cio_id"] or "", "cio_id")
    return {
        "id": row["id"],
        "deduplicate_id": f"{row['id']}:{row['created']}",
        "type": body["type"],
        "customer_id": person["id"] or "" if person else "",
        "customer_identifiers": people.identifiers(person) if person else {},
        "recipient": body["recipient"],
        "subject": body.get("subject") or "",
        "metrics": _metrics(workspace, row["created"], body),
        "created": row["created"],
        "failure_message": body["failure_message"],
        "campaign_id": None,
        "newsletter_id": None,
        "broadcast_id": body.get("broadcast_id"),
        "transactional_message_id": body.get("transactional_message_id"),
        "forgotten": False,
    }


def _metrics(workspace: Workspace, created: int, body: dict[str, Any]) -> dict[str, int]:
    """Return when a delivery reached each state, as far as time has passed."""
    if body["failure_message"]:
        return {"created": created, "undeliverable": created}
    if body.get("draft"):
        return {"created": created, "drafted": created}
    leaves = max(created, body.get("send_at") or 0)
    reached = {"created": created, "sent": leaves + SENT_AFTER, "delivered": leaves + DELIVERED_AFTER}
    return {name: at for name, at in reached.items() if at <= workspace.now()}

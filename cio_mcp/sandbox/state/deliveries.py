"""Deliveries: messages to one person each, and how far they have come."""

import base64
import json
import secrets
from collections.abc import Iterator
from typing import Any

from cio_mcp.sandbox.faults import book
from cio_mcp.sandbox.state import contents, magic, opt_outs, people, suppressions
from cio_mcp.sandbox.state.workspace import Row, Workspace, applies

REPORT = "delivery_event"

# Seconds after it leaves (at its creation or its send_at) at which a delivery reaches each state, where
# nothing else is its fate.
FATE = {"sent": 2, "delivered": 5}

# States for which a delivery's `reason` is told.
FAILED = {"bounced", "dropped", "failed"}

SECONDARY = "secondary:"

# What a delivery can come from; a transactional message has its template instead.
PARENTS = ("campaign_id", "newsletter_id", "broadcast_id", "action_id", "content_id", "trigger_event_id")


def add(
    workspace: Workspace, person: Row | None, body: dict[str, Any], *, to_unsubscribed: bool = True
) -> str:
    """Make a delivery; returns its id. One that cannot go out is kept with the reason in `failure_message`.

    `body` has type, recipient and subject, and what else a message carries; `draft` keeps it back,
    `send_at` (unix seconds) delays it, `fate` says what becomes of it, and `reason` why it fails.
    """
    number = base64.urlsafe_b64encode(secrets.token_bytes(20)).decode()
    failure = None
    if not body["recipient"]:
        failure = "recipient is blank"
    elif people.suppressed(workspace, body["recipient"]):
        failure = "recipient is suppressed"
    elif person and not to_unsubscribed and people.unsubscribed(people.attributes(workspace, person)):
        failure = "recipient is unsubscribed"
    elif opt_outs.excludes(workspace, person, body["type"]):
        failure = "recipient has opted out"
    stopped = magic.fate_of(workspace, body) | suppressions.in_the_way(workspace, body)
    stopped |= _delayed(workspace, body)
    workspace.change(
        "INSERT INTO deliveries (id, cio_id, created, body) VALUES (?, ?, ?, ?)",
        number,
        person["cio_id"] if person else None,
        workspace.now(),
        json.dumps(
            body
            | stopped
            | {
                "subject": body.get("subject") or contents.subject_now(workspace, body),
                "failure_message": failure,
                "customer": contents.snapshot(workspace, person),
            }
        ),
    )
    return number


def _delayed(workspace: Workspace, body: dict[str, Any]) -> dict[str, Any]:
    """Return what faults make of a delivery: how many seconds late it arrives, and how that is reported."""
    struck = book.met_by_delivery(workspace, body["recipient"])
    late = sum(fault.seconds or 0 for fault in struck)
    return {"late": late, "secondary": any(fault.does == "secondary" for fault in struck)}


def listed(
    workspace: Workspace,
    since: int,
    until: int,
    *,
    cio_id: str | None = None,
    metric: str | None = None,
    drafts: bool | None = None,
    **parents: Any,
) -> Iterator[tuple[tuple[int, int], dict[str, Any]]]:
    """Yield deliveries with their keys as `GET /v1/messages` has them, newest first.

    They were created from `since` to `until` (unix seconds). Filters: a person, a state that was reached,
    drafts only or none, and whatever fields of a message.
    """
    rows = workspace.rows(
        "SELECT * FROM deliveries WHERE (:cio_id IS NULL OR cio_id = :cio_id) "
        "AND created BETWEEN :since AND :until ORDER BY created DESC, number DESC",
        cio_id=cio_id,
        since=since,
        until=until,
    )
    for row in rows:
        message = _message(workspace, row)
        states = reached(message)
        if (
            (metric is None or metric in states)
            and (drafts is None or ("drafted" in states) is drafts)
            and all(message.get(name) == value for name, value in parents.items())
        ):
            yield (row["created"], row["number"]), message


def one(workspace: Workspace, number: str) -> dict[str, Any] | None:
    """Return a delivery by its id, as the API tells it."""
    found = row(workspace, number)
    return _message(workspace, found) if found else None


def row(workspace: Workspace, number: str) -> Row | None:
    """Return a delivery by its id, as it is kept."""
    return workspace.row("SELECT * FROM deliveries WHERE id = ?", number)


def reached(message: dict[str, Any]) -> dict[str, int]:
    """Return when a delivery reached each state, under the plain names."""
    return {name.removeprefix(SECONDARY): at for name, at in message["metrics"].items()}


def _message(workspace: Workspace, row: Row) -> dict[str, Any]:
    """Return a delivery as the App API tells it.

    Live: whose it is can be null, and what it does not come from is not named. Documented: or is null.
    """
    body = json.loads(row["body"])
    person = people.find(workspace, row["cio_id"] or "", "cio_id")
    metrics = _metrics(workspace, row["created"], body)
    template = body.get("transactional_message_id")
    parents = {name: body.get(name) for name in PARENTS}
    sources = {"transactional_message_id": template, "msg_template_id": template} if template else parents
    # Assumed (reasons of failures): what the mail service says is told where Customer.io tells its own.
    why = body["failure_message"] or (body.get("reason") if FAILED & metrics.keys() else None)
    failure = {"failure_message": why} if why else {}
    return {
        "id": row["id"],
        "deduplicate_id": f"{row['id']}:{row['created']}",
        "type": body["type"],
        "customer_id": person["id"] if person else None,
        "customer_identifiers": people.identifiers(person) if person else None,
        "recipient": body["recipient"],
        "subject": contents.subject(body),
        "metrics": metrics,
        "created": row["created"],
        "forgotten": False,
        **sources,
        **failure,
    }


def _metrics(workspace: Workspace, created: int, body: dict[str, Any]) -> dict[str, int]:
    """Return when a delivery reached each state, as far as time has passed.

    Live: an email is delivered by the state `secondary:delivered` and no plain one.
    Assumed (secondary metrics): no other state is, and no other message.
    """
    if body["failure_message"]:
        return {"created": created, "undeliverable": created}
    if body.get("draft"):
        return {"created": created, "drafted": created}
    leaves = max(created, body.get("send_at") or 0)
    fate = body.get("fate") or FATE
    late = {name: 0 if name == "sent" else body.get("late", 0) for name in fate}
    due = {
        SECONDARY * _is_secondary(name, body) + name: leaves + after + late[name]
        for name, after in fate.items()
    }
    reported: dict[str, int] = body.get("reported", {})
    return {"created": created} | {name: at for name, at in due.items() if at <= workspace.now()} | reported


def _is_secondary(name: str, body: dict[str, Any]) -> bool:
    if body.get("secondary"):
        return name != "sent"
    return name == "delivered" and body["type"] == "email"


@applies(REPORT)
def report(workspace: Workspace, write: dict[str, Any]) -> None:
    """Add what a device reports of a delivery (Track API, entity); of an unknown one nothing happens."""
    number = write["identifiers"]["id"]
    if row := workspace.row("SELECT body FROM deliveries WHERE id = ?", number):
        body = json.loads(row["body"])
        at = write.get("timestamp", workspace.now())
        body["reported"] = {write["name"]: at} | body.get("reported", {})
        workspace.change("UPDATE deliveries SET body = ? WHERE id = ?", json.dumps(body), number)

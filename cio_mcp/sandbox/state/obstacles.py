"""What keeps a message from a person, and what messages lead to: bounces, complaints, unsubscribes."""

import json
from typing import Any

from cio_mcp.sandbox.state import opt_outs, people, subscriptions, suppressions
from cio_mcp.sandbox.state.workspace import Row, Workspace

in_the_way = suppressions.in_the_way


def of(
    workspace: Workspace, person: Row | None, body: dict[str, Any], *, to_unsubscribed: bool
) -> str | None:
    """Return why a message cannot go out, None if it can."""
    has = body["customer"]
    if not body["recipient"]:
        return "recipient is blank"
    if people.suppressed(workspace, body["recipient"]):
        return "recipient is suppressed"
    if person and not to_unsubscribed and people.unsubscribed(has):
        return "recipient is unsubscribed"
    if person and not to_unsubscribed and body.get("topic") and not _wants(workspace, has, body["topic"]):
        # Assumed (topics of campaigns): who does not get a topic gets none of its messages.
        return "recipient is not subscribed to the topic"
    if opt_outs.excludes(workspace, person, body["type"]):
        return "recipient has opted out"
    return None


def _wants(workspace: Workspace, has: dict[str, Any], topic: int) -> bool:
    return any(one["id"] == topic and one["subscribed"] for one in subscriptions.wanted(workspace, has))


def arise(workspace: Workspace, delivery: Row, state: str) -> None:
    """Let a bounce or a complaint suppress the address, and an unsubscribe unsubscribe the person.

    Assumed (effects of messages): an address is suppressed at its first bounce, and a complaint
    unsubscribes, too.
    """
    recipient = json.loads(delivery["body"])["recipient"]
    if state == "bounced" and json.loads(delivery["body"])["type"] == "email":
        suppressions.add(workspace, "bounces", recipient, "550 5.1.1 unknown user", "550")
    if state == "spammed":
        suppressions.add(workspace, "spam_reports", recipient, "complaint")
    if state in {"spammed", "unsubscribed"} and delivery["cio_id"]:
        write = {"identifier": f"cio_{delivery['cio_id']}", "body": {"unsubscribed": True}}
        people.identify(workspace, write)

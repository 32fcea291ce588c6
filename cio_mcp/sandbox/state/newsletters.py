"""Newsletters, or one-time sends: sent once, at once or at a time that was set."""

from typing import Any

from cio_mcp.sandbox.state import deliveries, segments
from cio_mcp.sandbox.state.workspace import Workspace, applies

# What the API does not tell about a newsletter: its audience and words, when it is to go out, and its story.
INTERNAL = {"recipients", "subject", "from", "scheduled_at", "sent_days_ago", "fates", "links"}


def send(workspace: Workspace, newsletter: dict[str, Any]) -> dict[str, Any]:
    """Queue a newsletter; returns it."""
    workspace.accept("newsletter", {"id": newsletter["id"], "scheduled_at": newsletter["scheduled_at"]})
    return newsletter


def schedule(workspace: Workspace, newsletter: dict[str, Any], at: int) -> dict[str, Any]:
    """Set when a newsletter goes out, in unix seconds; 0 takes that back. Returns the newsletter."""
    newsletter = newsletter | {"scheduled_at": at or None, "updated": workspace.now()}
    workspace.configure("newsletter", newsletter)
    if at:
        workspace.accept("newsletter", {"id": newsletter["id"], "scheduled_at": at}, due=at)
    return newsletter


@applies("newsletter")
def deliver(workspace: Workspace, write: dict[str, Any]) -> None:
    """Send a newsletter that is still to be sent, and at this time."""
    newsletter = workspace.thing("newsletter", write["id"])
    if not newsletter or newsletter["sent_at"] or newsletter["scheduled_at"] != write["scheduled_at"]:
        return
    for person in segments.audience(workspace, newsletter["recipients"]):
        message = {
            "type": newsletter["type"],
            "recipient": person["email"] or "",
            "newsletter_id": newsletter["id"],
            "content_id": newsletter["content_ids"][0],
            "fate": newsletter.get("fates", {}).get(person["id"]),
        }
        deliveries.add(workspace, person, message, to_unsubscribed=False)
    workspace.configure("newsletter", newsletter | {"sent_at": workspace.now(), "scheduled_at": None})


def segment_ids(condition: Any) -> list[int]:
    """Return the segments that an audience filter names."""
    if isinstance(condition, list):
        return [number for part in condition for number in segment_ids(part)]
    if not isinstance(condition, dict):
        return []
    if "segment" in condition:
        return [condition["segment"]["id"]]
    return segment_ids(list(condition.values()))

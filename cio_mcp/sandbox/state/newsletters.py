"""Newsletters, or one-time sends: sent once, at once or at a time that was set."""

from typing import Any

from cio_mcp.sandbox.state import contents, deliveries, segments
from cio_mcp.sandbox.state.workspace import Workspace, applies

# What the API does not say about a newsletter: its audience and words, when it is to go out, and its story.
INTERNAL = {
    *("recipients", "subject", "from", "scheduled_at", "sent_days_ago", "fates", "links", "test_groups"),
}


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
    with workspace.because(workspace.note("sent", None, str(newsletter["id"]))):
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


def is_strict(recipients: Any) -> bool:
    """Say whether an audience has the form that newsletters take: an `and` of three kinds of conditions."""
    if not isinstance(recipients, dict) or recipients.keys() != {"and"} or not recipients["and"]:
        return False
    return all(_is_part(part) for part in recipients["and"])


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict) or len(part) != 1:
        return False
    ((key, value),) = part.items()
    match key:
        case "not":
            return isinstance(value, dict) and value.keys() == {"or"} and _is_part(value)
        case "or":
            return bool(value) and all(each.keys() == {"segment"} for each in value)
        case "attribute":
            return "field" in value and value.get("operator") in {"eq", "exists"}
    return False


def create(workspace: Workspace, body: dict[str, Any]) -> dict[str, Any]:
    """Make a newsletter with its first text; returns it."""
    number, now = workspace.next_number("newsletter"), workspace.now()
    newsletter = {
        "id": number,
        "deduplicate_id": f"{number}:{now}",
        "name": body["name"],
        "type": body["type"],
        "content_ids": [],
        "subscription_topic_id": body.get("subscription_topic_id"),
        "tags": [],
        "sent_at": None,
        "scheduled_at": None,
        "created": now,
        "updated": now,
        "recipients": {"and": [_plain(part) for part in body["recipients"]["and"]]},
    }
    return add_text(workspace, newsletter, None, body | {"language": ""})


def _plain(part: dict[str, Any]) -> dict[str, Any]:
    """Return a condition as segments know it, which has no inverse."""
    if not (part.get("attribute") or {}).get("inverse"):
        return part
    return {"not": {"attribute": {k: v for k, v in part["attribute"].items() if k != "inverse"}}}


def add_text(
    workspace: Workspace, newsletter: dict[str, Any], group: dict[str, Any] | None, text: dict[str, Any]
) -> dict[str, Any]:
    """Add a text to a newsletter, or to one of its test groups; returns the newsletter.

    Documented: without a sender it is the oldest one.
    """
    number = workspace.next_number("content")
    sender = next(
        sender
        for sender in workspace.things("sender_identity")
        if text.get("from_id") in {None, sender["id"]} and text.get("from") in {None, sender.get("address")}
    )
    sent_by = {"from": sender.get("address"), "from_id": sender["id"]}
    own = {name: text[name] for name in TEXT if text.get(name) is not None}
    kind = contents.EMAIL | sent_by if newsletter["type"] == "email" else {}
    content = {"id": number, "newsletter": newsletter["id"], "name": "", "type": newsletter["type"]}
    workspace.configure("content", kind | content | own | {"updated": workspace.now()})
    changed = newsletter | {"content_ids": [*newsletter["content_ids"], number], "updated": workspace.now()}
    if group:
        group["content_ids"].append(number)
        others = [each for each in newsletter["test_groups"] if each["id"] != group["id"]]
        changed["test_groups"] = sorted([*others, group], key=lambda each: int(each["id"]))
    workspace.configure("newsletter", changed)
    return changed


TEXT = (
    *("language", "subject", "body", "body_plain", "body_amp", "body_json", "preheader_text", "url"),
    "request_method",
)


def add_group(workspace: Workspace, newsletter: dict[str, Any]) -> dict[str, Any]:
    """Add an empty test group to a newsletter; returns it.

    Assumed (test groups): the first one makes what is there another group; and everybody gets the first text.
    """
    groups = newsletter.get("test_groups") or [_group(1, newsletter["content_ids"])]
    changed = newsletter | {"test_groups": [*groups, _group(len(groups) + 1, [])]}
    workspace.configure("newsletter", changed)
    return changed


def _group(number: int, content_ids: list[int]) -> dict[str, Any]:
    name = chr(ord("A") + number - 1)
    return {"id": number, "name": name, "label": "", "content_ids": content_ids, "winner": False}


def speaks(
    workspace: Workspace, newsletter: dict[str, Any], group: dict[str, Any] | None, language: str
) -> bool:
    """Say whether there is a text in a language, in a group or in the newsletter."""
    within = group["content_ids"] if group else newsletter["content_ids"]
    texts = contents.belonging(workspace, "newsletter", newsletter["id"])
    return any(text["language"] == language and text["id"] in within for text in texts)


def made_elsewhere(workspace: Workspace, newsletter: dict[str, Any]) -> bool:
    """Say whether another editor made a newsletter."""
    texts = contents.belonging(workspace, "newsletter", newsletter["id"])
    return any(text.get("made_in") for text in texts)

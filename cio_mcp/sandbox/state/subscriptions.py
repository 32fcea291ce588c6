"""Subscription preferences: which topics a person wants, where they differ from what all get."""

import json
from typing import Any

from cio_mcp.sandbox.state.workspace import Workspace

PREFERENCES = "cio_subscription_preferences"
ONE_TOPIC = f"{PREFERENCES}.topics."


def whole(attributes: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return changes of attributes with those in dot notation made one of all preferences.

    Each of them sets one topic and leaves the others; the attribute as a whole replaces all.
    """
    single = {name.removeprefix(ONE_TOPIC): changes[name] for name in changes if name.startswith(ONE_TOPIC)}
    if not single:
        return changes
    rest = {name: value for name, value in changes.items() if not name.startswith(ONE_TOPIC)}
    topics = _topics(attributes | rest) | single
    return rest | {PREFERENCES: {"topics": {name: on for name, on in topics.items() if on is not None}}}


def wanted(workspace: Workspace, attributes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each topic with whether a person gets it, by what they chose or else by default."""
    chosen = _topics(attributes)
    return [
        {
            "id": topic["id"],
            "name": topic["name"],
            "description": topic["description"],
            "subscribed": chosen.get(topic["identifier"], topic["subscribed_by_default"]) is True,
        }
        for topic in workspace.things("topic")
    ]


def computed(workspace: Workspace, attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attribute in which Customer.io keeps what a person gets."""
    topics = {f"topic_{topic['id']}": topic["subscribed"] for topic in wanted(workspace, attributes)}
    return {f"_{PREFERENCES}_computed": {"topics": topics}} if topics else {}


def _topics(attributes: dict[str, Any]) -> dict[str, Any]:
    preferences = attributes.get(PREFERENCES)
    try:
        preferences = json.loads(preferences) if isinstance(preferences, str) else preferences
    except ValueError:
        return {}
    topics = preferences.get("topics") if isinstance(preferences, dict) else None
    return topics if isinstance(topics, dict) else {}

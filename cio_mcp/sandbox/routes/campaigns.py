"""Campaigns and their actions."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error
from cio_mcp.sandbox.state import contents

routes = Routes()

# What the API does not say about a campaign in its lists; `journeys` are in files of older versions.
INTERNAL = {
    *("workflow", "filter", "event_filter", "reentry", "exit", "goal", "subscription_topic_id"),
    *("offset_days", "started_days_ago", "journeys"),
}


def campaign(asked: ApiRequest) -> dict[str, Any]:
    """Return the campaign that a path names."""
    return asked.thing("campaign", "campaign_id")


def action(asked: ApiRequest) -> dict[str, Any]:
    """Return the action that a path names."""
    number = asked.number("action_id")
    for found in campaign(asked)["workflow"]:
        if found["id"] == number:
            return dict(found)
    raise app_error("not found", 404)


@routes("GET", "/v1/campaigns")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer all campaigns; the endpoint takes no parameters. Documented."""
    return {"campaigns": [_public(found) for found in asked.workspace.things("campaign")]}


@routes("GET", "/v1/campaigns/{campaign_id}")
def one(asked: ApiRequest) -> dict[str, Any]:
    """Answer one campaign. Documented."""
    return {"campaign": _public(campaign(asked))}


def _public(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in INTERNAL}


@routes("GET", "/v1/campaigns/{campaign_id}/actions")
def actions(asked: ApiRequest) -> dict[str, Any]:
    """Answer a campaign's actions, ten at a time (documented). Live: their ids are texts here."""
    # Keys of pages descend, and the actions come in their order.
    steps = [contents.action(asked.workspace, step) for step in campaign(asked)["workflow"]]
    keyed = [((-number, 0), step) for number, step in enumerate(steps)]
    kept, after = asked.page(keyed, 10, 10)
    return {"actions": kept, "next": after}

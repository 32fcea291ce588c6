"""Campaigns and their metrics."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cio_mcp.sandbox.http import Asked, Routes, app_error
from cio_mcp.sandbox.state import campaigns

routes = Routes()

STEPS = {
    "hours": "hours",
    "hourly": "hours",
    "days": "days",
    "daily": "days",
    "weeks": "weeks",
    "weekly": "weeks",
    "months": "months",
    "monthly": "months",
}
CHANNELS = {"email", "webhook", "twilio", "whatsapp", "slack", "push", "in_app", "live_notification"}


def _campaign(asked: Asked) -> dict[str, Any]:
    found = asked.workspace.thing("campaign", asked.number("campaign_id"))
    if found is None:
        raise app_error("campaign not found", 404)
    return found


@routes("GET", "/v1/campaigns")
def every(asked: Asked) -> dict[str, Any]:
    """Answer all campaigns; the endpoint takes no parameters."""
    return {"campaigns": [_public(found) for found in asked.workspace.things("campaign")]}


@routes("GET", "/v1/campaigns/{campaign_id}")
def one(asked: Asked) -> dict[str, Any]:
    """Answer one campaign."""
    return {"campaign": _public(_campaign(asked))}


def _public(campaign: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in campaign.items() if name != "workflow"}


@routes("GET", "/v1/campaigns/{campaign_id}/actions")
def actions(asked: Asked) -> dict[str, Any]:
    """Answer a campaign's actions, ten at a time."""
    # Keys of pages descend, and the actions come in their order.
    keyed = [((-number, 0), _told(action)) for number, action in enumerate(_campaign(asked)["workflow"])]
    kept, after = asked.page(keyed, 10, 10)
    return {"actions": kept, "next": after}


def _told(action: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in action.items() if name != "links"}


@routes("GET", "/v1/campaigns/{campaign_id}/metrics")
def metrics(asked: Asked) -> dict[str, Any]:
    """Answer a version 2 series, of the last 30 days where nothing else is asked [?].

    The spec requires `version`; what happens without it is not documented, and so it is let pass [?].
    """
    campaign, query = _campaign(asked), asked.query
    if query.get("version", "2") != "2":
        raise app_error("version must be 2: the sandbox does not imitate version 1", 400)
    step = STEPS.get(query.get("res", "days"))
    if step is None:
        raise app_error("res must be hours, days, weeks or months", 400)
    try:
        zone = ZoneInfo(query.get("tz", "America/New_York"))
    except (ZoneInfoNotFoundError, ValueError):
        raise app_error("tz must be the name of a region", 400) from None
    channel = query.get("type")
    if channel not in {None, *CHANNELS}:
        raise app_error("type is not a kind of message", 400)
    end = asked.seconds("end", asked.workspace.now())
    start = asked.seconds("start", end - 30 * campaigns.DAY)
    if not 0 < end - start <= 10 * 366 * campaigns.DAY:
        raise app_error("end must be later than start, and at most 10 years", 400)
    counts = campaigns.series(
        asked.workspace, campaign["id"], step=step, zone=zone, start=start, end=end, channel=channel
    )
    return {"metric": {"series": counts}}

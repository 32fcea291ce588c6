"""Who leaves a campaign early or has reached its goal."""

from collections.abc import Sequence
from typing import Any

from cio_mcp.sandbox.engine import conditions, entering, journeys
from cio_mcp.sandbox.engine.profile import Profile
from cio_mcp.sandbox.state import deliveries
from cio_mcp.sandbox.state.workspace import LogEntry, Row, Workspace

DAY = 86_400

# Assumed (goals): within so many days after the beginning, if a campaign does not say it.
USUAL_DAYS = 7


def check(workspace: Workspace, person: Profile, news: Sequence[LogEntry]) -> None:
    """End the journeys that a person should leave, and count those that have reached their goal."""
    for journey in workspace.rows(
        "SELECT * FROM journeys WHERE cio_id = ? AND (ended IS NULL OR converted IS NULL)", person.cio_id
    ):
        campaign = workspace.thing("campaign", journey["campaign_id"])
        if campaign is None:
            continue
        exits = campaign.get("exit", [])
        if not journey["converted"] and _reached(workspace, campaign, journey, person):
            with entering.because_of(workspace, campaign["goal"]["condition"], news):
                _convert(workspace, journey)
                if "goal" in exits:
                    journeys.end(workspace, journey, "goal")
        goes_on = journey["ended"] is None
        if (
            goes_on
            and "unmatched" in exits
            and not conditions.fits(workspace, person, entering.trigger(campaign))
        ):
            with entering.because_of(workspace, entering.trigger(campaign), news):
                journeys.end(workspace, journey, "unmatched")


def _reached(workspace: Workspace, campaign: dict[str, Any], journey: Row, person: Profile) -> bool:
    """Say whether a person fits a campaign's goal, by events since they began it."""
    goal = campaign.get("goal")
    last = journey["started"] + (goal or {}).get("days", USUAL_DAYS) * DAY
    if not goal or workspace.now() > last:
        return False
    since = Profile(workspace, person.person, after=journey["started"])
    return conditions.fits(workspace, since, goal["condition"])


def _convert(workspace: Workspace, journey: Row) -> None:
    """Count a journey as converted, and the last message that was sent on it (documented)."""
    number, now = journey["number"], workspace.now()
    workspace.change("UPDATE journeys SET converted = ? WHERE number = ?", now, number)
    workspace.note("converted", journey["cio_id"], str(journey["campaign_id"]), {"journey": number})
    deliveries.convert(workspace, number)

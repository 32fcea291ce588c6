"""Automations (campaigns) that a call would start."""

from cio_mcp.client import AppApi
from cio_mcp.toolkit.consequences import Outlook, Told
from cio_mcp.toolkit.reading import Fields
from cio_mcp.toolkit.things import state_of

# In this state a campaign starts nobody.
ASLEEP = {"draft", "stopped"}


async def started_by(
    app: AppApi, what: str, *, segment_id: int | None = None, event: str | None = None
) -> Outlook:
    """Return the automations that a segment or an event starts; `what` says in our words what does."""
    # The endpoint takes no parameters and returns everything at once (App API, listCampaigns).
    there = Fields(await app.get("/v1/campaigns")).listed("campaigns")
    return Outlook(sets_off=[_told(each, what) for each in there if _starts(each, segment_id, event)])


def _starts(campaign: Fields, segment_id: int | None, event: str | None) -> bool:
    if state_of(campaign) in ASLEEP:
        return False
    by_event = event is not None and campaign.text("event_name") == event
    return by_event or (
        segment_id is not None and segment_id in (campaign.wholes("trigger_segment_ids") or [])
    )


def _told(campaign: Fields, what: str) -> Told:
    return f"{what} starts the automation", campaign.text("name") or f"campaign {campaign.text('id')}"

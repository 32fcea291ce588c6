"""Campaigns: list, read, results."""

from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers import Numbered, Page, Shape, newest, page, page_by_id, state_of
from cio_mcp.toolkit.params import Channel, CountCursor, Cursor, Limit, NameContains, ObjectId, Text
from cio_mcp.toolkit.rates import RATES, Metrics, Series, counts_of, summary
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.spans import End, Start, span_of
from cio_mcp.toolkit.times import Local, iso

tools = Toolbox(__name__)

# Pages, of ten actions each, in one answer (App API, listCampaignActions).
PAGES = 5

# The fields that describe when a date-triggered campaign starts (App API, listCampaigns).
SCHEDULE = (
    *("date_attribute", "frequency", "start_hour", "start_minutes", "timezone", "use_customer_timezone"),
)


class Campaign(Numbered):
    """A campaign in brief."""

    state: str | None = Field(None, description="running, draft or stopped.")
    trigger: str | None = Field(
        None, description="What starts it: the name of an event, segment ids, a date attribute, ..."
    )
    tags: list[str] = []
    updated: str | None = None


class Campaigns(Page):
    """Campaigns that match, newest first."""

    campaigns: list[Campaign]


@tools.reads
async def list_campaigns(
    app: AppApi,
    state: Literal["running", "draft", "stopped"] | None = None,
    name_contains: NameContains | None = None,
    tag: Text | None = None,
    limit: Limit = 50,
    cursor: CountCursor | None = None,
) -> Campaigns:
    """List campaigns (automations) with their ids, newest first.

    API-triggered broadcasts are separate: list_broadcasts.
    """
    # The endpoint takes no parameters and returns everything at once (App API, listCampaigns).
    answer = await app.get("/v1/campaigns")
    found = [
        _campaign(item)
        for item in newest(answer.get("campaigns"), cursor)
        if (state is None or state_of(item) == state)
        and (name_contains is None or name_contains.casefold() in str(item.get("name") or "").casefold())
        and (tag is None or tag in (item.get("tags") or []))
    ]
    kept, next_cursor, left_out = page_by_id(found, limit)
    return Campaigns(campaigns=kept, next_cursor=next_cursor, left_out=left_out)


def _campaign(item: dict[str, Any]) -> Campaign:
    segments = item.get("trigger_segment_ids")
    trigger = item.get("event_name") or (f"segments {', '.join(map(str, segments))}" if segments else None)
    return Campaign(
        id=int(item["id"]),
        name=str(item.get("name") or ""),
        state=state_of(item),
        trigger=trigger or item.get("date_attribute") or item.get("type"),
        tags=item.get("tags") or [],
        updated=iso(item.get("updated")),
    )


class Action(Shape):
    """A step of a campaign: a message, a delay, a branch, ..."""

    action_id: int
    type: str | None = None
    name: str | None = None
    subject: str | None = None
    sending_state: str | None = Field(None, description="automatic, draft or off.")
    language: str | None = Field(None, description="Language; set if this is a translation of a message.")


class CampaignActions(Page, Campaign):
    """A campaign and its actions."""

    description: str | None = None
    filter_segments: list[int] = Field(
        [], description="Ids of its filter segments; only people in them continue through the campaign."
    )
    schedule: dict[str, Any] = Field(
        {}, description="Date-triggered campaigns: when and how often it starts."
    )
    first_started: str | None = None
    actions: list[Action] = Field(description="In Customer.io's order.")


@tools.reads
async def get_campaign(app: AppApi, campaign_id: ObjectId, cursor: Cursor | None = None) -> CampaignActions:
    """Read one campaign (automation): what starts it, its filter, and its actions (messages, delays, ...)."""
    answer = await app.get("/v1/campaigns/{campaign_id}", campaign_id=campaign_id)
    item = answer.get("campaign") or {"id": campaign_id}
    actions: list[Action] = []
    for _ in range(PAGES):
        path = "/v1/campaigns/{campaign_id}/actions"
        part = await app.get(path, {"start": cursor}, campaign_id=campaign_id)
        longer = actions + [_action(step) for step in part.get("actions") or []]
        if actions and page(longer, len(longer))[1]:
            break  # leave out the whole page: there is no cursor for its middle
        actions, cursor = longer, part.get("next") or None
        if cursor is None:
            break
    return CampaignActions(
        **_campaign(item).model_dump(),
        description=item.get("description") or None,
        filter_segments=item.get("filter_segment_ids") or [],
        schedule={name: item[name] for name in SCHEDULE if item.get(name) not in (None, "")},
        first_started=iso(item.get("first_started")),
        actions=actions,
        next_cursor=cursor,
        left_out="more actions; pass next_cursor as cursor to get them" if cursor else None,
    )


def _action(item: dict[str, Any]) -> Action:
    return Action(
        action_id=int(item["id"]),
        **{name: item.get(name) or None for name in ("type", "name", "subject", "sending_state", "language")},
    )


class CampaignMetrics(Metrics):
    """Results of a campaign's messages over a span of time."""

    campaign_id: int


@tools.reads
async def get_campaign_metrics(
    app: AppApi,
    campaign_id: ObjectId,
    resolution: Literal["hours", "days", "weeks", "months"] = "days",
    start: Annotated[Start, Local] = None,
    end: Annotated[End, Local] = None,
    channel: Channel | None = None,
    series: Series = False,
) -> CampaignMetrics:
    """Read the results of a campaign (automation): sent, delivered, opened, clicked, converted, with rates.

    Totals cover start to end, by default the last 30 whole days. list_campaigns has the campaign_id.
    """
    span = span_of(app, start, end)
    answer = await app.get(
        "/v1/campaigns/{campaign_id}/metrics", span.query(resolution, channel), campaign_id=campaign_id
    )
    found = summary(counts_of(answer), RATES, resolution, span, series=series)
    return CampaignMetrics(campaign_id=campaign_id, **span.told, **found)

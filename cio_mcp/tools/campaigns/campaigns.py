"""Campaigns: list, read, results."""

from collections.abc import Awaitable
from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers.pages import joined, newest_first, page_by_id, page_of
from cio_mcp.toolkit.answers.reading import Fields, beside
from cio_mcp.toolkit.answers.shapes import Numbered, Page, Pictured, Shape
from cio_mcp.toolkit.answers.things import has_in_name, source_state
from cio_mcp.toolkit.arguments.times import Local
from cio_mcp.toolkit.arguments.types import Channel, CountCursor, Cursor, Limit, NameContains, ObjectId, Text
from cio_mcp.toolkit.metrics.rates import RATES, Metrics, Series, counts_of, summary
from cio_mcp.toolkit.metrics.spans import End, Start, span_of
from cio_mcp.toolkit.people.conditions import in_words
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

# Pages, of ten actions each, in one answer (App API, listCampaignActions).
PAGES = 5

# The fields that describe when a date-triggered campaign starts (App API, listCampaigns).
SCHEDULE = (
    *("date_attribute", "frequency", "start_hour", "start_minutes", "timezone", "use_customer_timezone"),
)


# What else than people can start a campaign: its type, in words, and the field with its conditions.
STARTED_BY = (
    ("relationship", "a relationship to an object", "relationship_attribute_triggers"),
    ("object", "an object", "object_attribute_triggers"),
)

# What else filters a campaign, and whom a relationship or an object starts it for (App API, listCampaigns).
FILTERS = ("filter_object_attributes", "filter_relationship_attributes")
AUDIENCES = {0: "the person who was added to the object", 1: "the people in the object"}


class Campaign(Numbered):
    """A campaign in brief."""

    state: str | None = Field(None, description="running, draft or stopped.")
    trigger: str | None = Field(
        None, description="What starts it: the name of an event, segment ids, a date attribute, ..."
    )
    tags: list[str] | None = None
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
    answer = Fields(await app.get("/v1/campaigns"))
    found = [
        _campaign(item)
        for item in newest_first(answer.listed("campaigns"), cursor)
        # Where the state is not told, it may be the one asked for.
        if (state is None or state in (source_state(item) or state))
        and has_in_name(item, name_contains)
        and (tag is None or tag in (item.texts("tags") or []))
    ]
    kept, next_cursor, left_out = page_by_id(found, limit)
    return Campaigns(campaigns=kept, next_cursor=next_cursor, left_out=left_out)


def _campaign(item: Fields) -> Campaign:
    return Campaign(
        id=item.whole("id"),
        name=item.text("name"),
        state=source_state(item),
        trigger=_trigger(item) or item.text("type"),
        tags=item.texts("tags"),
        updated=item.time("updated"),
    )


def _trigger(item: Fields) -> str | None:
    """Return what starts a campaign (App API, listCampaigns); `type` alone says less, and is deprecated."""
    if event := item.text("event_name"):
        return event
    if segments := item.wholes("trigger_segment_ids"):
        return f"{'segments' if len(segments) > 1 else 'segment'} {', '.join(map(str, segments))}"
    if date := item.text("date_attribute"):
        return date
    if (webhook := item.whole("webhook_id")) is not None:
        return f"webhook {webhook}"
    for type_, what, triggers in STARTED_BY:
        if item.text("type") == type_ or item.raw.get(triggers):
            of = f" of type {number}" if (number := item.whole("object_type_id")) is not None else ""
            where = f" where {words}" if (words := in_words(item.value(triggers))) else ""
            return f"{what}{of}{where}"
    return None


class Action(Shape):
    """A step of a campaign: a message, a delay, a branch, ..."""

    action_id: int | None = None
    type: str | None = None
    name: str | None = None
    subject: str | None = None
    sending_state: str | None = Field(None, description="automatic, draft or off.")
    language: str | None = Field(None, description="Language; set if this is a translation of a message.")


class CampaignActions(Page, Campaign):
    """A campaign and its actions."""

    description: str | None = None
    filter_segments: list[int] | None = Field(
        None, description="Ids of its filter segments; only people in them continue through the campaign."
    )
    filter: str | None = Field(
        None, description="Its other filters, in words; only people who match them continue."
    )
    audience: str | None = Field(
        None, description="For a relationship or object: the people for whom it starts."
    )
    schedule: dict[str, Any] | None = Field(
        None, description="Date-triggered campaigns: when and how often it starts."
    )
    first_started: str | None = None
    actions: list[Action] | None = Field(None, description="In Customer.io's order.")


@tools.reads
async def get_campaign(app: AppApi, campaign_id: ObjectId, cursor: Cursor | None = None) -> CampaignActions:
    """Read one campaign (automation): what starts it, its filter, and its actions (messages, delays, ...)."""
    answer = Fields(await app.get("/v1/campaigns/{campaign_id}", campaign_id=campaign_id))
    item = answer.inside("campaign", "id", "name")
    actions, refused, following = await _actions(app, campaign_id, cursor)
    more = "more actions; pass next_cursor as cursor to get them" if following else None
    return CampaignActions(
        **_campaign(item).model_dump() | {"id": campaign_id},
        description=item.text("description"),
        filter_segments=item.wholes("filter_segment_ids"),
        filter=joined(*(in_words(item.value(name)) for name in FILTERS)),
        audience=_audience(item.fields("audience")),
        schedule={name: item.value(name) for name in SCHEDULE if item.raw.get(name) not in (None, "")}
        or None,
        first_started=item.time("first_started"),
        actions=actions,
        next_cursor=following,
        left_out=joined(refused, more),
    )


async def _actions(
    app: AppApi, campaign_id: int, cursor: str | None
) -> tuple[list[Action] | None, str | None, str | None]:
    """Return a campaign's actions, why some are missing, and the cursor to go on with."""
    actions: list[Action] | None = None
    path = "/v1/campaigns/{campaign_id}/actions"
    for _ in range(PAGES):
        found, refused = await beside(
            "actions", _page(app.get(path, {"start": cursor}, campaign_id=campaign_id))
        )
        if found is None:
            return actions, refused, None
        longer = (actions or []) + [_action(step) for step in found[0]]
        if actions and page_of(longer, len(longer))[1]:
            break  # leave out the whole page: there is no cursor for its middle
        actions, cursor = longer, found[1]
        if cursor is None:
            break
    return actions, None, cursor


async def _page(read: Awaitable[object]) -> tuple[list[Fields], str | None]:
    answer = Fields(await read)
    return answer.listed("actions"), answer.following()


def _audience(audience: Fields) -> str | None:
    """Return whom a relationship or an object starts a campaign for (App API, listCampaigns)."""
    if (kind := audience.whole("type")) not in AUDIENCES:
        return None
    filters = (in_words(audience.value(name)) for name in ("person_filters", "relationship_filters"))
    only = " and ".join(words for words in filters if words)
    return AUDIENCES[kind] + (f", if {only}" if only else "")


def _action(item: Fields) -> Action:
    return Action(
        action_id=item.whole("id"),  # live a text, documented as a number
        **{name: item.text(name) for name in ("type", "name", "subject", "sending_state", "language")},
    )


class CampaignMetrics(Pictured, Metrics):
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
    """Read a campaign's (automation's) results: sent, opened, clicked, converted, rates."""
    span = span_of(app, start, end, resolution)
    answer = Fields(
        await app.get(
            "/v1/campaigns/{campaign_id}/metrics", span.query(resolution, channel), campaign_id=campaign_id
        )
    )
    found = summary(counts_of(answer), RATES, resolution, span, series=series)
    return CampaignMetrics(campaign_id=campaign_id, **span.told, **found)

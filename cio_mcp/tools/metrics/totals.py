"""Results of messages from one source, of links, and of journeys through a campaign."""

from typing import Annotated, Literal

from pydantic import Field

from cio_mcp.client import AppApi, Query
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.pages import page_of
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Cut, Pictured, Shape
from cio_mcp.toolkit.arguments.fitting import check_fit
from cio_mcp.toolkit.arguments.types import Channel, Number, ObjectId, vendor_channel
from cio_mcp.toolkit.metrics.rates import (
    RATES,
    Counts,
    Metrics,
    Series,
    Spanned,
    counts_of,
    summary,
    totals_of,
)
from cio_mcp.toolkit.metrics.spans import (
    EASTERN,
    End,
    JourneyEnd,
    JourneyStart,
    Start,
    newest_periods,
    span_of,
)
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

PATHS = {
    "broadcast": "/v1/broadcasts/{source_id}",
    "newsletter": "/v1/newsletters/{source_id}",
    "transactional": "/v1/transactional/{source_id}",
    "campaign": "/v1/campaigns/{source_id}",
}
ACTION = "/actions/{action_id}"

SourceKind = Literal["campaign", "broadcast", "newsletter", "transactional"]

Resolution = Literal["hours", "days", "weeks", "months"]

# The largest number of periods (App API, "broadcastMetrics"). The API reads 1 as 2.
MOST = {"hours": 24, "days": 45, "weeks": 12, "months": 121}

# The arguments of each kind; a message of a campaign has one channel.
TAKES = {
    "campaign": ("action_id", "start", "end", "channel"),
    "campaign with action_id": ("action_id", "start", "end"),
    "broadcast": ("periods", "channel"),
    "newsletter": ("periods", "channel"),
    "transactional": ("periods",),
}

SourceId = Annotated[ObjectId, Field(description="Id of the campaign, broadcast, newsletter or message.")]
ActionId = Annotated[ObjectId | None, Field(description="One message of a campaign, from get_campaign.")]


class MessageMetrics(Pictured, Metrics):
    """Results of messages from one source over a span of time."""

    kind: str
    source_id: int
    action_id: int | None = None


@tools.reads
async def get_message_metrics(
    app: AppApi,
    kind: SourceKind,
    source_id: SourceId,
    action_id: ActionId = None,
    resolution: Resolution = "days",
    periods: Annotated[
        Number | None,
        Field(
            description="Not for campaigns: number of periods, 2 to 24 hours, 45 days, 12 weeks or "
            "121 months."
        ),
    ] = None,
    start: Annotated[
        Start,
        Field(description="Campaigns only: ISO 8601."),
    ] = None,
    end: Annotated[
        End,
        Field(description="Campaigns only: ISO 8601."),
    ] = None,
    channel: Annotated[Channel | None, Field(description="Not for transactional messages.")] = None,
    series: Series = False,
) -> MessageMetrics:
    """Read the results of a broadcast, newsletter (one-time send), transactional message or campaign message.

    Campaigns: by default the last 30 whole days. All others: up to now. For a whole campaign use
    get_campaign_metrics.
    """
    form = kind if action_id is None or kind != "campaign" else "campaign with action_id"
    given = {"action_id": action_id, "start": start, "end": end, "periods": periods, "channel": channel}
    check_fit(f"kind={form}", given, TAKES[form])
    # Only campaign metrics have version 2 (App API, "campaignActionMetrics", "broadcastMetrics").
    span = span_of(app, start, end, resolution) if kind == "campaign" else None
    query = span.query(resolution, channel) if span else _newest(resolution, periods, channel=channel)
    path = f"{_path(kind, action_id)}/metrics"
    counts = counts_of(Fields(await app.get(path, query, source_id=source_id, action_id=action_id)), periods)
    span = span or newest_periods(app, resolution, counts.periods)
    found = {"timezone": EASTERN.key} | (span.told if span else {})
    found |= summary(counts, RATES, resolution, span, series=series)
    return MessageMetrics(kind=kind, source_id=source_id, action_id=action_id, **found)


def _path(kind: SourceKind, action_id: int | None) -> str:
    return PATHS[kind] + (ACTION if action_id is not None else "")


def _newest(
    resolution: str, periods: int | None, argument: str = "periods", channel: Channel | None = None
) -> Query:
    if periods is not None and not 2 <= periods <= MOST[resolution]:
        raise InvalidArgument(f"{argument}: must be 2 to {MOST[resolution]} {resolution}")
    return {"period": resolution, "steps": periods, "type": vendor_channel(channel)}


class LinkClicks(Shape):
    """A link and its clicks."""

    link_id: int | None = None
    href: str | None = None
    totals: dict[str, int] | None = Field(
        None, description="clicked, and its parts human_clicked and machine_clicked; a missing one was zero."
    )


class LinkMetrics(Cut, Spanned):
    """Links, most clicked first."""

    kind: str
    source_id: int
    links: list[LinkClicks]


@tools.reads
async def get_link_metrics(
    app: AppApi,
    kind: SourceKind,
    source_id: SourceId,
    action_id: ActionId = None,
    days: Annotated[Number | None, Field(description="Number of days up to now, 2 to 45.")] = None,
    unique: Annotated[bool, Field(description="Count each customer once per link.")] = False,
) -> LinkMetrics:
    """Read which links in messages were clicked, and how often, most clicked first.

    To see who clicked, use list_messages with metric=clicked.
    """
    check_fit(f"kind={kind}", {"action_id": action_id}, ("action_id",) if kind == "campaign" else ())
    query = {**_newest("days", days, "days"), "unique": "true" if unique else None}
    path = f"{_path(kind, action_id)}/metrics/links"
    answer = Fields(await app.get(path, query, source_id=source_id, action_id=action_id))
    counted = [_link(item, days) for item in answer.listed("links")]
    found = sorted((link for link, _ in counted), key=lambda link: -(link.totals or {}).get("clicked", 0))
    span = newest_periods(
        app, "days", max((told for _, told in counted if told), default=days or MOST["days"])
    )
    kept, left_out = page_of(found, len(found))
    return LinkMetrics(
        kind=kind,
        source_id=source_id,
        **(span.told if span else {}),
        links=kept,
        left_out=f"{len(found) - len(kept)} links with fewer clicks" if left_out else None,
    )


def _link(item: Fields, days: int | None) -> tuple[LinkClicks, int | None]:
    """Return a link, and for how many days its clicks are told."""
    link, series = item.wrapped("link"), item.wrapped("metric").mapping("series")
    counts = None if series is None else Counts(series, days)
    totals = None if counts is None else totals_of(counts)
    found = LinkClicks(link_id=link.whole("id") or None, href=link.text("href"), totals=totals)
    return found, counts.periods if counts else None


# What journeys are counted by (App API, campaignJourneyMetrics).
JOURNEYS = ("started", "activated", "exited_early", "finished", "converted", "never_activated", "messaged")


class JourneyMetrics(Metrics):
    """Results of the journeys through a campaign over a span of time."""

    campaign_id: int
    rates: dict[str, float] = Field(description="Shares from 0 to 1 of the journeys that started.")


@tools.reads
async def get_journey_metrics(
    app: AppApi,
    campaign_id: ObjectId,
    start: JourneyStart = None,
    end: JourneyEnd = None,
    resolution: Resolution = "days",
    series: Series = False,
) -> JourneyMetrics:
    """Read how many journeys of customers through a campaign (automation) started, finished and converted."""
    span = span_of(app, start, end, resolution)
    # All three are required (App API, campaignJourneyMetrics). The spec's text, but no enumeration, says that
    # `resolution` takes the same values as `res` (assumed).
    query = {"start": span.start, "end": span.end - 1, "resolution": resolution}
    path = "/v1/campaigns/{campaign_id}/journey_metrics"
    answer = Fields(await app.get(path, query, campaign_id=campaign_id))
    counts = Counts(answer.inside("journey_metric", *JOURNEYS).raw)
    shares = {name: ("started",) for name in (*JOURNEYS, *counts) if name != "started"}
    found = summary(counts, shares, resolution, span, series=series)
    return JourneyMetrics(campaign_id=campaign_id, **span.told, **found)

"""The toolset `metrics`: results of messages of every kind, of links, and of journeys through a campaign."""

from typing import Annotated, Literal

from pydantic import Field

from cio_mcp.client import AppApi, Query
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Cut, Shape, page
from cio_mcp.toolkit.fitting import check_fit
from cio_mcp.toolkit.params import ObjectId
from cio_mcp.toolkit.rates import RATES, Counts, Metrics, Series, counts_of, summary, totals_of
from cio_mcp.toolkit.reading import Fields
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.spans import End, Start, span_of
from cio_mcp.toolkit.times import Timestamp

tools = Toolbox(__name__)

PATHS = {
    "broadcast": "/v1/broadcasts/{source_id}",
    "newsletter": "/v1/newsletters/{source_id}",
    "transactional": "/v1/transactional/{source_id}",
    "campaign": "/v1/campaigns/{source_id}",
}
ACTION = "/actions/{action_id}"

Kind = Literal["campaign", "broadcast", "newsletter", "transactional"]

Resolution = Literal["hours", "days", "weeks", "months"]

# The largest number of periods (App API, "broadcastMetrics"). The API reads 1 as 2.
MOST = {"hours": 24, "days": 45, "weeks": 12, "months": 120}

SourceId = Annotated[ObjectId, Field(description="Id of the campaign, broadcast, newsletter or message.")]
ActionId = Annotated[ObjectId | None, Field(description="One message of a campaign, from get_campaign.")]


class MessageMetrics(Metrics):
    """Results of messages from one source over a span of time."""

    kind: str
    source_id: int
    action_id: int | None = None


@tools.reads
async def get_message_metrics(
    app: AppApi,
    kind: Kind,
    source_id: SourceId,
    action_id: ActionId = None,
    resolution: Resolution = "days",
    periods: Annotated[
        int | None,
        Field(
            description="Not for campaigns: number of periods, 2 to 24 hours, 45 days, 12 weeks or "
            "120 months."
        ),
    ] = None,
    start: Annotated[
        Timestamp | None,
        Field(description="Campaigns only: ISO 8601."),
    ] = None,
    end: Annotated[
        Timestamp | None,
        Field(description="Campaigns only: ISO 8601."),
    ] = None,
    series: Series = False,
) -> MessageMetrics:
    """Read the results of a broadcast, newsletter (one-time send), transactional message or campaign message.

    For a whole campaign use get_campaign_metrics.
    """
    timed = kind == "campaign"
    given = {"action_id": action_id, "start": start, "end": end, "periods": periods}
    check_fit(f"kind={kind}", given, ("action_id", "start", "end") if timed else ("periods",))
    # Only campaign metrics have version 2 (App API, "campaignActionMetrics", "broadcastMetrics").
    span = span_of(app, start, end) if timed else None
    query = span.query(resolution) if span else _newest(resolution, periods)
    path = f"{_path(kind, action_id)}/metrics"
    answer = Fields(await app.get(path, query, source_id=source_id, action_id=action_id))
    found = (span.told if span else {}) | summary(counts_of(answer), RATES, resolution, series=series)
    return MessageMetrics(kind=kind, source_id=source_id, action_id=action_id, **found)


def _path(kind: Kind, action_id: int | None) -> str:
    return PATHS[kind] + (ACTION if action_id is not None else "")


def _newest(resolution: str, periods: int | None, argument: str = "periods") -> Query:
    if periods is not None and not 2 <= periods <= MOST[resolution]:
        raise InvalidArgument(f"{argument}: must be 2 to {MOST[resolution]} {resolution}")
    return {"period": resolution, "steps": periods}


class Link(Shape):
    """A link and its clicks."""

    link_id: int | None = None
    href: str | None = None
    totals: dict[str, int] | None = Field(
        None, description="clicked, and its parts human_clicked and machine_clicked; a missing one was zero."
    )


class LinkMetrics(Cut):
    """Links, most clicked first."""

    kind: str
    source_id: int
    links: list[Link]


@tools.reads
async def get_link_metrics(
    app: AppApi,
    kind: Kind,
    source_id: SourceId,
    action_id: ActionId = None,
    days: Annotated[int | None, Field(description="Number of days up to now, 2 to 45.")] = None,
    unique: Annotated[bool, Field(description="Count each customer once per link.")] = False,
) -> LinkMetrics:
    """Read which links in messages were clicked, and how often, most clicked first.

    To see who clicked, use list_messages with metric=clicked.
    """
    check_fit(f"kind={kind}", {"action_id": action_id}, ("action_id",) if kind == "campaign" else ())
    query = {**_newest("days", days, "days"), "unique": "true" if unique else None}
    path = f"{_path(kind, action_id)}/metrics/links"
    answer = Fields(await app.get(path, query, source_id=source_id, action_id=action_id))
    found = sorted(
        map(_link, answer.listed("links")), key=lambda link: -(link.totals or {}).get("clicked", 0)
    )
    kept, left_out = page(found, len(found))
    return LinkMetrics(
        kind=kind,
        source_id=source_id,
        links=kept,
        left_out=f"{len(found) - len(kept)} links with fewer clicks" if left_out else None,
    )


def _link(item: Fields) -> Link:
    link, series = item.wrapped("link"), item.wrapped("metric").mapping("series")
    return Link(
        link_id=link.whole("id") or None,
        href=link.text("href"),
        totals=None if series is None else totals_of(Counts(series)),
    )


# What journeys are counted by (App API, campaignJourneyMetrics).
JOURNEYS = ("started", "activated", "exited_early", "finished", "converted", "never_activated", "messaged")


class JourneyMetrics(Metrics):
    """Results of the journeys through a campaign over a span of time."""

    campaign_id: int
    rates: dict[str, float] = Field(description="Shares of the journeys started, from 0 to 1.")


@tools.reads
async def get_journey_metrics(
    app: AppApi,
    campaign_id: ObjectId,
    start: Start = None,
    end: End = None,
    resolution: Resolution = "days",
    series: Series = False,
) -> JourneyMetrics:
    """Read how many journeys through a campaign (automation) started, finished and converted.

    A journey is one person's way through the campaign.
    """
    span = span_of(app, start, end)
    # All three are required (App API, campaignJourneyMetrics). The spec's text, but no enumeration, says that
    # `resolution` takes the same values as `res` [?].
    query = {"start": span.start, "end": span.end - 1, "resolution": resolution}
    path = "/v1/campaigns/{campaign_id}/journey_metrics"
    answer = Fields(await app.get(path, query, campaign_id=campaign_id))
    counts = Counts(answer.inside("journey_metric", *JOURNEYS).raw)
    shares = {name: "started" for name in (*JOURNEYS, *counts) if name != "started"}
    found = summary(counts, shares, resolution, series=series)
    return JourneyMetrics(campaign_id=campaign_id, **span.told, **found)

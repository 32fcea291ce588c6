"""How messages of every kind did, which links were clicked, and how journeys through a campaign went."""

from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import AppApi, Query
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Cut, Shape, page
from cio_mcp.toolkit.fitting import check_fit
from cio_mcp.toolkit.params import Channel, ObjectId, vendor_channel
from cio_mcp.toolkit.rates import RATES, Metrics, Spanned, counts_of, periods_of, summary, totals_of
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.spans import EASTERN, newest, span_of
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

# How many periods there are at most (App API, "broadcastMetrics"); 1 is taken for 2 there.
MOST = {"hours": 24, "days": 45, "weeks": 12, "months": 121}

# What each kind takes; a message of a campaign has one channel.
TAKES = {
    "campaign": ("action_id", "start", "end", "channel"),
    "campaign with action_id": ("action_id", "start", "end"),
    "broadcast": ("periods", "channel"),
    "newsletter": ("periods", "channel"),
    "transactional": ("periods",),
}

ActionId = Annotated[ObjectId, Field(description="Of a campaign: one message.")]


class MessageMetrics(Metrics):
    """How one kind of message did in a span of time."""

    kind: str
    source_id: int
    action_id: int | None = None


@tools.reads
async def get_message_metrics(
    app: AppApi,
    kind: Kind,
    source_id: ObjectId,
    action_id: ActionId | None = None,
    resolution: Resolution = "days",
    periods: Annotated[int | None, Field(description="How many, the newest. Campaigns: start, end.")] = None,
    start: Timestamp | None = None,
    end: Timestamp | None = None,
    channel: Annotated[Channel | None, Field(description="Only messages of this channel.")] = None,
    series: bool = False,
) -> MessageMetrics:
    """Read how a broadcast, newsletter, transactional message or one message of a campaign did.

    Campaigns: by default the last 30 whole days in UTC. All others: up to now, in Eastern time.
    """
    form = kind if action_id is None or kind != "campaign" else "campaign with action_id"
    given = {"action_id": action_id, "start": start, "end": end, "periods": periods, "channel": channel}
    check_fit(f"kind={form}", given, TAKES[form])
    # Only metrics of campaigns know version 2 (App API, "campaignActionMetrics", "broadcastMetrics").
    span = span_of(app, start, end) if kind == "campaign" else None
    query = span.query(resolution, channel) if span else _newest(resolution, periods, channel=channel)
    answer = await app.get(
        f"{_path(kind, action_id)}/metrics", query, source_id=source_id, action_id=action_id
    )
    counts = counts_of(answer, periods)
    span = span or newest(app, resolution, periods_of(counts))
    found = {"timezone": EASTERN.key} | (span.told if span else {})
    found |= summary(counts, RATES, resolution, span, series=series)
    return MessageMetrics(kind=kind, source_id=source_id, action_id=action_id, **found)


def _path(kind: Kind, action_id: int | None) -> str:
    return PATHS[kind] + (ACTION if action_id is not None else "")


def _newest(
    resolution: str, periods: int | None, argument: str = "periods", channel: Channel | None = None
) -> Query:
    if periods is not None and not 2 <= periods <= MOST[resolution]:
        raise InvalidArgument(f"{argument}: 2 to {MOST[resolution]} {resolution} can be asked for")
    return {"period": resolution, "steps": periods, "type": vendor_channel(channel)}


class Link(Shape):
    """One link and how often it was clicked."""

    link_id: int | None = None
    href: str
    totals: dict[str, int] = Field(
        description="clicked, of which human_clicked and machine_clicked; what is not named was zero."
    )


class LinkMetrics(Cut, Spanned):
    """Links, the most clicked first."""

    kind: str
    source_id: int
    links: list[Link]


@tools.reads
async def get_link_metrics(
    app: AppApi,
    kind: Kind,
    source_id: ObjectId,
    action_id: ActionId | None = None,
    days: Annotated[int | None, Field(description="The newest, 2 to 45.")] = None,
    unique: Annotated[bool, Field(description="Count each customer once.")] = False,
) -> LinkMetrics:
    """Read which links of messages were clicked, and how often.

    Who clicked: list_messages with metric=clicked.
    """
    check_fit(f"kind={kind}", {"action_id": action_id}, ("action_id",) if kind == "campaign" else ())
    query = {**_newest("days", days, "days"), "unique": "true" if unique else None}
    answer = await app.get(
        f"{_path(kind, action_id)}/metrics/links", query, source_id=source_id, action_id=action_id
    )
    counted = [(item.get("link") or {}, counts_of(item, days)) for item in answer.get("links") or []]
    found = sorted(
        (_link(link, counts) for link, counts in counted), key=lambda link: -link.totals.get("clicked", 0)
    )
    span = newest(
        app, "days", max((periods_of(counts) for _, counts in counted), default=days or MOST["days"])
    )
    kept, left_out = page(found, len(found))
    return LinkMetrics(
        kind=kind,
        source_id=source_id,
        **(span.told if span else {}),
        links=kept,
        left_out=f"{len(found) - len(kept)} links that were clicked less" if left_out else None,
    )


def _link(link: dict[str, Any], counts: dict[str, list[int]]) -> Link:
    return Link(link_id=link.get("id") or None, href=str(link.get("href") or ""), totals=totals_of(counts))


class JourneyMetrics(Metrics):
    """What became of the journeys that started in a span of time."""

    campaign_id: int
    rates: dict[str, float] = Field(description="Shares from 0 to 1 of the journeys that started.")


@tools.reads
async def get_journey_metrics(
    app: AppApi,
    campaign_id: ObjectId,
    start: Timestamp | None = None,
    end: Timestamp | None = None,
    resolution: Resolution = "days",
    series: bool = False,
) -> JourneyMetrics:
    """Read how many people's journeys through a campaign started, finished, converted.

    By default the last 30 whole days; rates are shares of those that started.
    """
    span = span_of(app, start, end)
    # All three are required (App API, campaignJourneyMetrics); that `resolution` takes the words that `res`
    # takes is said in the text there, not in a list of values [?].
    query = {"start": span.start, "end": span.end - 1, "resolution": resolution}
    answer = await app.get("/v1/campaigns/{campaign_id}/journey_metrics", query, campaign_id=campaign_id)
    counts = counts_of({"metric": {"series": answer.get("journey_metric")}})
    shares = {name: ("started",) for name in counts if name != "started"}
    found = summary(counts, shares, resolution, span, series=series)
    return JourneyMetrics(campaign_id=campaign_id, **span.told, **found)

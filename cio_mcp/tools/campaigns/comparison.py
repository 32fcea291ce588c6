"""Comparison of two campaigns, or of two periods of one."""

import asyncio
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Pictured, Shape
from cio_mcp.toolkit.arguments.times import Timestamp
from cio_mcp.toolkit.arguments.types import Channel, ObjectId
from cio_mcp.toolkit.metrics.figures import LOOKS, SHARES_OF, Figures, figures_of, share_differences, verdict
from cio_mcp.toolkit.metrics.rates import Counts, counts_of
from cio_mcp.toolkit.metrics.spans import End, Span, Start, span_of
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)


class CampaignPeriod(Shape):
    """A campaign in one period."""

    campaign_id: int
    start: str
    end: str = Field(description="Events at this moment are not counted.")
    counts: dict[str, int] = Field(
        description="human_opened and human_clicked leave out opens and clicks by programs."
    )
    rates: dict[str, str]
    left_out: str | None = Field(None, description="Counts that are missing or could not be read.")


class Comparison(Pictured):
    """Two campaigns, or two periods of one."""

    rates_of: str = Field(SHARES_OF, description="What rates are shares of.")
    verdict: str = Field(description="On delivery, then conversions; at most 1 of 20 is wrong by chance.")
    differences: list[str] = Field(description="Where the first differs by more than chance, worst first.")
    timezone: str = Field(description="Time zone in which days begin.")
    first: CampaignPeriod
    other: CampaignPeriod


@tools.reads
async def compare_campaigns(
    app: AppApi,
    campaign_id: ObjectId,
    other_campaign_id: Annotated[ObjectId | None, Field(description="Default: the same campaign.")] = None,
    start: Start = None,
    end: End = None,
    other_start: Annotated[
        Timestamp | None,
        Field(description="Start of the other, equally long period. Default: start, or the period before."),
    ] = None,
    channel: Channel | None = None,
) -> Comparison:
    """Compare two campaigns (automations), or two periods of one: which converts better, how certainly.

    By default compares the last 30 whole days of a campaign with the 30 days before.
    """
    span = span_of(app, start, end)
    start, end = span.start, span.end
    itself = other_campaign_id in {None, campaign_id}
    if other_start is None:
        other_start = start - (end - start) if itself else start
    if itself and other_start == start:
        raise InvalidArgument("other_start: is the same period; give another one, or other_campaign_id")
    other_span = replace(span, start=other_start, end=other_start + end - start)
    (first, one), (other, another) = await asyncio.gather(
        _side(app, campaign_id, span, channel),
        _side(app, other_campaign_id or campaign_id, other_span, channel),
    )
    found = share_differences(one, another, LOOKS)
    return Comparison(
        verdict=verdict(list(zip(_names(first, other), (one, another), strict=True))),
        differences=[each.told("the other") for each in sorted(found, key=lambda each: not each.worse)],
        timezone=span.zone.key,
        first=first,
        other=other,
    )


async def _side(
    app: AppApi, campaign_id: int, span: Span, channel: Channel | None
) -> tuple[CampaignPeriod, Figures]:
    path, query = "/v1/campaigns/{campaign_id}/metrics", span.query("days", channel)
    counts: Counts = counts_of(Fields(await app.get(path, query, campaign_id=campaign_id)))
    figures = figures_of(counts)
    side = CampaignPeriod(
        campaign_id=campaign_id,
        start=span.told["start"],
        end=span.told["end"],
        counts=figures.counts,
        rates=figures.shares,
        left_out=counts.note(),
    )
    return side, figures


def _names(first: CampaignPeriod, other: CampaignPeriod) -> list[str]:
    if first.campaign_id != other.campaign_id:
        return [f"campaign {side.campaign_id}" for side in (first, other)]
    return [f"{side.start[:10]} to {side.end[:10]}" for side in (first, other)]

"""Comparison of two campaigns, or of two periods of one."""

import math
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Answer, Shape
from cio_mcp.toolkit.params import Channel, ObjectId
from cio_mcp.toolkit.rates import RATES, Counted, counts_of, divisors, known, rates_of, totals_of, wholes_of
from cio_mcp.toolkit.reading import Fields
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.spans import End, Span, Start, span_of
from cio_mcp.toolkit.times import Timestamp, iso

tools = Toolbox(__name__)

# If a difference this large is more likely than this by chance alone, the verdict says so.
LIKELY_CHANCE = 0.05


class Side(Counted):
    """A campaign in one period."""

    campaign_id: int
    start: str
    end: str = Field(description="Events at this moment are not counted. Days begin in UTC.")
    left_out: str | None = Field(None, description="Counts that are missing or could not be read.")


class Difference(Shape):
    """The difference between first and other."""

    absolute: float = Field(description="first minus other; for rates, 0.01 is one percentage point.")
    relative: float | None = Field(
        None, description="The difference as a share of other's value; absent if that is zero."
    )
    p_value: float | None = Field(
        None, description="Rates only: probability of a difference this large by chance alone (z-test)."
    )


class Comparison(Answer):
    """Two campaigns, or two periods of one, and their differences."""

    verdict: str = Field(description="Which converts better, and by how much.")
    first: Side
    other: Side
    totals: dict[str, Difference]
    rates: dict[str, Difference]


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
    """Compare two campaigns (automations), or two periods of one: which converts better, and by how much.

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
    first = await _side(app, campaign_id, span, channel)
    other = await _side(app, other_campaign_id or campaign_id, other_span, channel)
    rates = {
        name: _of_rates(name, first, other)
        for name in RATES
        if name in first.rates and name in other.rates and (first.totals | other.totals).get(name)
    }
    return Comparison(
        verdict=_verdict(first, other, rates.get("converted")),
        first=_rounded(first),
        other=_rounded(other),
        totals={
            name: _difference(first.totals.get(name, 0), other.totals.get(name, 0))
            for name in first.totals | other.totals
        },
        rates=rates,
    )


async def _side(app: AppApi, campaign_id: int, span: Span, channel: Channel | None) -> Side:
    path, query = "/v1/campaigns/{campaign_id}/metrics", span.query("days", channel)
    counts = counts_of(Fields(await app.get(path, query, campaign_id=campaign_id)))
    totals, shares = totals_of(counts), known(counts)
    return Side(
        campaign_id=campaign_id,
        start=iso(span.start) or "",
        end=iso(span.end) or "",
        totals=totals,
        rates=rates_of(totals, shares),
        divided_by=divisors(totals, shares),
        left_out=counts.note(),
    )


def _rounded(side: Side) -> Side:
    return side.model_copy(update={"rates": {name: round(rate, 4) for name, rate in side.rates.items()}})


def _difference(first: float, other: float) -> Difference:
    absolute = first - other
    return Difference(absolute=round(absolute, 4), relative=round(absolute / other, 4) if other else None)


def _of_rates(name: str, first: Side, other: Side) -> Difference:
    found = _difference(first.rates[name], other.rates[name])
    wholes = [wholes_of(side.totals)[name] for side in (first, other)]
    pooled = sum(side.totals.get(name, 0) for side in (first, other)) / sum(wholes)
    # Each count has its own date, so a short period can count more of a part than of its whole.
    if (spread := pooled * (1 - pooled) * sum(1 / whole for whole in wholes)) > 0:
        score = abs(first.rates[name] - other.rates[name]) / math.sqrt(spread)
        found.p_value = round(math.erfc(score / math.sqrt(2)), 4)
    return found


def _verdict(first: Side, other: Side, converted: Difference | None) -> str:
    names = [f"campaign {side.campaign_id}" for side in (first, other)]
    if first.campaign_id == other.campaign_id:
        names = [f"{side.start[:10]} to {side.end[:10]}" for side in (first, other)]
    for side, name in zip((first, other), names, strict=True):
        if "converted" not in side.rates:
            why = "conversions were not counted" if side.totals.get("delivered") else "nothing was delivered"
            return f"No verdict: {why} ({name})."
    if converted is None or not converted.absolute:
        return f"Both convert equally: {first.rates['converted']:.2%} of delivered messages."
    better, worse = (0, 1) if converted.absolute > 0 else (1, 0)
    shares = [first.rates["converted"], other.rates["converted"]]
    points = f"{abs(converted.absolute) * 100:.2f} percentage points"
    more = f" or {shares[better] / shares[worse] - 1:.0%}" if shares[worse] else ""
    chance = converted.p_value is not None and converted.p_value > LIKELY_CHANCE
    return (
        f"{names[better].capitalize()} converts better: {shares[better]:.2%} of delivered messages, against "
        f"{shares[worse]:.2%} ({names[worse]}), {points}{more} more."
        + (" A difference this small may well be chance." if chance else "")
    )

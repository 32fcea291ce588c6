"""Totals of message counts, and rates as shares of totals."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from cio_mcp.toolkit.answers import Answer, Shape
from cio_mcp.toolkit.spans import Span

Series = Annotated[bool, Field(description="Also return counts per period, with dates.")]

# The total that each rate is a share of, minus messages that could not be tracked, as in Customer.io's UI.
RATES = {
    "delivered": ("sent",),
    "bounced": ("sent",),
    "opened": ("delivered", "open_untracked"),
    "human_opened": ("delivered", "open_untracked"),
    "clicked": ("delivered", "link_untracked"),
    "human_clicked": ("delivered", "link_untracked"),
    "converted": ("delivered",),
    "unsubscribed": ("delivered",),
    "spammed": ("delivered",),
}

Shares = Mapping[str, tuple[str, ...]]


class Counted(Shape):
    """Counts over a span of time."""

    totals: dict[str, int] = Field(description="Sums over all periods; a missing metric was zero.")
    rates: dict[str, float] = Field(description="Shares from 0 to 1, computed as in Customer.io's UI.")
    divided_by: dict[str, str] = Field(description="The number that each rate is a share of.")


class Spanned(Shape):
    """The span of time that an answer covers, if it is known."""

    start: str | None = Field(None, description="First moment counted.")
    end: str | None = Field(None, description="End of the span; events at this moment are not counted.")
    timezone: str | None = Field(None, description="Time zone in which days begin.")


class Metrics(Answer, Spanned, Counted):
    """Results of messages over a span of time."""

    resolution: str
    periods: int = Field(description="Number of periods counted.")
    series: dict[str, list[int]] | None = Field(
        None, description="For each metric, one count per period, oldest first."
    )
    dates: list[str] | None = Field(None, description="Start of each period of series; absent if unknown.")


def counts_of(answer: dict[str, Any], newest: int | None = None) -> dict[str, list[int]]:
    """Return the counts per period in the answer of a metrics endpoint, of the `newest` periods if given.

    The endpoint can return 13 months, however many were requested.
    """
    series = (answer.get("metric") or {}).get("series") or {}
    return {name: (counts or [])[-(newest or 0) :] for name, counts in series.items()}


def periods_of(counts: dict[str, list[int]]) -> int:
    """Return the number of periods counted."""
    return max(map(len, counts.values()), default=0)


def summary(
    counts: dict[str, list[int]], shares: Shares, resolution: str, span: Span | None, *, series: bool
) -> dict[str, Any]:
    """Return the fields of `Metrics` for counts per period; `shares` maps each rate to its base."""
    totals, periods, shares = totals_of(counts), periods_of(counts), known(counts, shares)
    dates = span.periods(resolution) if span and series else []
    return {
        "resolution": resolution,
        "periods": periods,
        "totals": totals,
        "rates": {name: round(rate, 4) for name, rate in rates_of(totals, shares).items()},
        "divided_by": divisors(totals, shares),
        "series": {name: counts[name] for name in totals} if series else None,
        # If the number of periods differs, they begin at other times than computed here.
        "dates": dates if dates and len(dates) == periods else None,
    }


def known(counts: dict[str, list[int]], shares: Shares = RATES) -> Shares:
    """Return the shares of metrics that were counted; one that an endpoint does not count is not zero."""
    return {name: of for name, of in shares.items() if name in counts}


def totals_of(counts: dict[str, list[int]]) -> dict[str, int]:
    """Return the sums, without those that are zero."""
    return {name: total for name, values in counts.items() if (total := sum(values))}


def wholes_of(totals: dict[str, int], shares: Shares = RATES) -> dict[str, int]:
    """Return the base of each rate, if it is not zero."""
    wholes = {
        name: totals.get(of, 0) - sum(totals.get(other, 0) for other in less)
        for name, (of, *less) in shares.items()
    }
    return {name: whole for name, whole in wholes.items() if whole > 0}


def rates_of(totals: dict[str, int], shares: Shares = RATES) -> dict[str, float]:
    """Return each total as a share of its base, if that is not zero."""
    return {name: totals.get(name, 0) / whole for name, whole in wholes_of(totals, shares).items()}


def divisors(totals: dict[str, int], shares: Shares = RATES) -> dict[str, str]:
    """Return the base of each rate, in words."""
    return {
        name: f"{' - '.join(of for of in shares[name] if totals.get(of))} = {whole}"
        for name, whole in wholes_of(totals, shares).items()
    }

"""Totals of message counts, and rates as shares of totals."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from cio_mcp.toolkit.answers import Answer

Series = Annotated[bool, Field(description="Also return counts per period.")]

# The total that each rate is a share of.
RATES = {
    "delivered": "sent",
    "bounced": "sent",
    "opened": "delivered",
    "human_opened": "delivered",
    "clicked": "delivered",
    "human_clicked": "delivered",
    "converted": "delivered",
    "unsubscribed": "delivered",
    "spammed": "delivered",
}


class Metrics(Answer):
    """Results of messages over a span of time."""

    start: str | None = Field(None, description="First moment counted, in the requested time zone.")
    end: str | None = Field(None, description="End of the span; events at this moment are not counted.")
    timezone: str | None = None
    resolution: str
    periods: int = Field(description="Number of periods counted.")
    totals: dict[str, int] = Field(description="Sums over all periods; a missing metric was zero.")
    rates: dict[str, float] = Field(
        description="Shares from 0 to 1: delivered and bounced are shares of sent, all others of delivered."
    )
    series: dict[str, list[int]] | None = Field(
        None, description="For each metric, one count per period, oldest first."
    )


def counts_of(answer: dict[str, Any]) -> dict[str, list[int]]:
    """Return the counts per period in the answer of a metrics endpoint."""
    series = (answer.get("metric") or {}).get("series") or {}
    return {name: counts or [] for name, counts in series.items()}


def summary(
    counts: dict[str, list[int]], shares: Mapping[str, str], resolution: str, *, series: bool
) -> dict[str, Any]:
    """Return the fields of `Metrics` for counts per period; `shares` maps each rate to its total."""
    totals = totals_of(counts)
    return {
        "resolution": resolution,
        "periods": max(map(len, counts.values()), default=0),
        "totals": totals,
        "rates": {name: round(rate, 4) for name, rate in rates_of(totals, shares).items()},
        "series": {name: counts[name] for name in totals} if series else None,
    }


def totals_of(counts: dict[str, list[int]]) -> dict[str, int]:
    """Return the sums, without those that are zero."""
    return {name: total for name, values in counts.items() if (total := sum(values))}


def rates_of(totals: dict[str, int], shares: Mapping[str, str] = RATES) -> dict[str, float]:
    """Return each rate whose base, the total it is a share of, is not zero."""
    return {name: totals.get(name, 0) / totals[whole] for name, whole in shares.items() if totals.get(whole)}

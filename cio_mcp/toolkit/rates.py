"""What counts of messages add up to: totals, and rates as shares of them."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from cio_mcp.toolkit.answers import Answer

# What each rate is a share of.
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
    """How messages did in a span of time."""

    start: str | None = Field(None, description="Where the span begins; in the time zone asked for.")
    end: str | None = Field(None, description="Where it ends; what happened then is not counted any more.")
    timezone: str | None = None
    resolution: str
    periods: int = Field(description="How many periods of the resolution were counted.")
    totals: dict[str, int] = Field(description="Sums over the periods; what is not named was zero.")
    rates: dict[str, float] = Field(
        description="Shares from 0 to 1: delivered and bounced of sent, all others of delivered."
    )
    series: dict[str, list[int]] | None = Field(None, description="One count per period, oldest first.")


def counts_of(answer: dict[str, Any]) -> dict[str, list[int]]:
    """Return the counts per period that an endpoint of metrics answered."""
    series = (answer.get("metric") or {}).get("series") or {}
    return {name: counts or [] for name, counts in series.items()}


def summary(
    counts: dict[str, list[int]], shares: Mapping[str, str], resolution: str, *, series: bool
) -> dict[str, Any]:
    """Return what `Metrics` says of counts per period; `shares` says what each rate is a share of."""
    totals = totals_of(counts)
    return {
        "resolution": resolution,
        "periods": max(map(len, counts.values()), default=0),
        "totals": totals,
        "rates": {name: round(rate, 4) for name, rate in rates_of(totals, shares).items()},
        "series": {name: counts[name] for name in totals} if series else None,
    }


def totals_of(counts: dict[str, list[int]]) -> dict[str, int]:
    """Return the sums that are not zero."""
    return {name: total for name, values in counts.items() if (total := sum(values))}


def rates_of(totals: dict[str, int], shares: Mapping[str, str] = RATES) -> dict[str, float]:
    """Return each total as a share of its whole, where there is one."""
    return {name: totals.get(name, 0) / totals[whole] for name, whole in shares.items() if totals.get(whole)}

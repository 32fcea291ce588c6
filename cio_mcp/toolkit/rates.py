"""Totals of message counts, and rates as shares of totals."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from cio_mcp.toolkit.answers import Cut, joined
from cio_mcp.toolkit.reading import Fields, needed, whole

Series = Annotated[bool, Field(description="Also return the counts of each period.")]

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


class Metrics(Cut):
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


class Counts(dict[str, list[int]]):
    """One count per period for each metric; `unread` says for how many periods none could be read."""

    def __init__(self, series: Mapping[str, object]) -> None:
        read = {name: _counts(values) for name, values in series.items()}
        self.periods = max(map(len, read.values()), default=0)
        lacking = {
            name: self.periods - sum(count is not None for count in counts) for name, counts in read.items()
        }
        self.unread = {name: periods for name, periods in lacking.items() if periods}
        super().__init__({name: [count or 0 for count in counts] for name, counts in read.items()})

    def note(self, shares: Mapping[str, str] = RATES) -> str | None:
        """Return what a reader of the totals, and of rates by `shares`, must know to be missing."""
        absent = sorted({*shares, *shares.values()} - self.keys())
        unread = [f"{name} in {periods} of {self.periods} periods" for name, periods in self.unread.items()]
        return joined(
            f"not told by Customer.io: {', '.join(absent)}" if absent else None,
            f"could not be read, and counted as 0: {', '.join(unread)}" if unread else None,
        )


def _counts(values: object) -> list[int | None]:
    found = map(whole, values if isinstance(values, list) else [])
    return [None if count is None or count < 0 else count for count in found]


def counts_of(answer: Fields) -> Counts:
    """Return the counts per period in the answer of a metrics endpoint; raises Refused if it has none."""
    metric = answer.wrapped("metric")
    return Counts(needed(metric.mapping("series"), "series"))


def summary(counts: Counts, shares: Mapping[str, str], resolution: str, *, series: bool) -> dict[str, Any]:
    """Return the fields of `Metrics` for counts per period; `shares` maps each rate to its total."""
    totals = totals_of(counts)
    return {
        "resolution": resolution,
        "periods": counts.periods,
        "totals": totals,
        "rates": {name: round(rate, 4) for name, rate in rates_of(counts, shares).items()},
        "series": {name: counts[name] for name in totals} if series else None,
        "left_out": counts.note(shares),
    }


def totals_of(counts: Counts) -> dict[str, int]:
    """Return the sums, without those that are zero."""
    return {name: total for name, values in counts.items() if (total := sum(values))}


def rates_of(counts: Counts, shares: Mapping[str, str] = RATES) -> dict[str, float]:
    """Return each rate whose base, the total it is a share of, is not zero, if all of both could be read."""
    totals = totals_of(counts)
    return {
        name: totals.get(name, 0) / totals[base]
        for name, base in shares.items()
        if name in counts and totals.get(base) and not {name, base} & counts.unread.keys()
    }

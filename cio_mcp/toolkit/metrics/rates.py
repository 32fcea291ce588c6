"""Totals of message counts, and rates as shares of totals."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from cio_mcp.toolkit.answers.pages import joined
from cio_mcp.toolkit.answers.reading import Fields, needed, whole
from cio_mcp.toolkit.answers.shapes import Cut, Shape
from cio_mcp.toolkit.metrics.spans import Span

Series = Annotated[bool, Field(description="Add counts by date.")]

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

# What is said of a span in which what rates are shares of was counted, and there was none.
NONE = {"sent": "Nothing was sent in this span.", "started": "No journey started in this span."}

# What is said of a span that is longer than the one asked for.
WHOLE = "Whole {} were counted: start and end are theirs. A finer resolution fits a span more closely."

Shares = Mapping[str, tuple[str, ...]]


class Counted(Shape):
    """Counts over a span of time."""

    totals: dict[str, int] = Field(description="Sums over all periods; a missing metric was zero.")
    rates: dict[str, float] = Field(
        description="Shares from 0 to 1 as in Customer.io's UI, rounded to what the counts support."
    )
    divided_by: dict[str, str] = Field(description="The number that each rate is a share of.")


class Spanned(Shape):
    """The span of time that an answer covers, if it is known."""

    start: str | None = Field(None, description="First moment counted.")
    end: str | None = Field(None, description="End of the span; events at this moment are not counted.")
    timezone: str | None = Field(None, description="Time zone in which days begin.")


class Metrics(Cut, Spanned, Counted):
    """Results of messages over a span of time."""

    resolution: str
    periods: int = Field(description="Number of periods counted.")
    series: dict[str, list[int]] | None = Field(
        None, description="For each metric, one count per period, oldest first."
    )
    dates: list[str] | None = Field(None, description="Start of each period of series; absent if unknown.")


class Counts(dict[str, list[int]]):
    """One count per period for each metric; `unread` says for how many periods none could be read.

    The endpoint can return 13 months, however many were requested: only the `newest` are kept, if given.
    """

    def __init__(self, series: Mapping[str, object], newest: int | None = None) -> None:
        read = {name: _counts(values)[-(newest or 0) :] for name, values in series.items()}
        self.periods = max(map(len, read.values()), default=0)
        lacking = {
            name: self.periods - sum(count is not None for count in counts) for name, counts in read.items()
        }
        self.unread = {name: periods for name, periods in lacking.items() if periods}
        super().__init__({name: [count or 0 for count in counts] for name, counts in read.items()})

    def note(self, shares: Shares = RATES) -> str | None:
        """Return what a reader of the totals, and of rates by `shares`, must know to be missing."""
        absent = sorted({*shares, *(of for of, *_ in shares.values())} - self.keys())
        unread = [f"{name} in {periods} of {self.periods} periods" for name, periods in self.unread.items()]
        return joined(
            f"not reported by Customer.io: {', '.join(absent)}" if absent else None,
            f"could not be read, and counted as 0: {', '.join(unread)}" if unread else None,
        )


def _counts(values: object) -> list[int | None]:
    found = map(whole, values if isinstance(values, list) else [])
    return [None if count is None or count < 0 else count for count in found]


def counts_of(answer: Fields, newest: int | None = None) -> Counts:
    """Return the counts per period in the answer of a metrics endpoint; raises Refused if it has none."""
    return Counts(needed(answer.wrapped("metric").mapping("series"), "series"), newest)


def summary(
    counts: Counts, shares: Shares, resolution: str, span: Span | None, *, series: bool
) -> dict[str, Any]:
    """Return the fields of `Metrics` for counts per period; `shares` maps each rate to its base."""
    totals, left_out, first = totals_of(counts), counts.note(shares), next(iter(shares.values()))[0]
    shares = counted_shares(counts, shares)
    none = counts.periods and first in counts and first not in {*totals, *counts.unread}
    rest = " What is counted comes from earlier ones." if totals else ""
    notes = [WHOLE.format(resolution)] if span and span.widened else []
    notes += [NONE[first] + rest] if none else []
    dates = span.periods(resolution) if span and series else []
    return {
        "resolution": resolution,
        "periods": counts.periods,
        "totals": totals,
        "rates": rounded(totals, shares),
        "divided_by": divisors(totals, shares),
        "series": {name: counts[name] for name in totals} if series else None,
        # If the number of periods differs, they begin at other times than computed here.
        "dates": dates if dates and len(dates) == counts.periods else None,
        "left_out": left_out,
        "notes": notes or None,
    }


def counted_shares(counts: Counts, shares: Shares = RATES) -> Shares:
    """Return the shares of metrics that were counted in every period; one that was not is not zero."""
    return {
        name: of for name, of in shares.items() if name in counts and not {name, *of} & counts.unread.keys()
    }


def totals_of(counts: Counts) -> dict[str, int]:
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


def decimals(of: int) -> int:
    """Return how many decimals a share of a number supports: no more than tell one more or less in it."""
    return min(4, max(2, len(str(of - 1))))


def rounded(totals: dict[str, int], shares: Shares = RATES) -> dict[str, float]:
    """Return each rate with as many decimals as its base supports."""
    wholes = wholes_of(totals, shares)
    return {name: round(rate, decimals(wholes[name])) for name, rate in rates_of(totals, shares).items()}


def divisors(totals: dict[str, int], shares: Shares = RATES) -> dict[str, str]:
    """Return the base of each rate, in words."""
    return {
        name: f"{' - '.join(of for of in shares[name] if totals.get(of))} = {whole}"
        for name, whole in wholes_of(totals, shares).items()
    }

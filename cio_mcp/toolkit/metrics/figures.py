"""What messages came to: how many of what, how that is told, and what of it differs by more than chance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cio_mcp.toolkit.metrics.rates import RATES, Counts, decimals, wholes_of
from cio_mcp.toolkit.metrics.significance import ENOUGH, against_chance, enough_at

# What is told of messages, delivery first, and whether more of it is better.
MEASURES = {
    "delivered": True,
    "bounced": False,
    "opened": True,
    "human_opened": True,
    "clicked": True,
    "human_clicked": True,
    "converted": True,
    "unsubscribed": False,
}

# What is looked at before a verdict on conversions: what did not arrive was not read.
ARRIVAL = ("delivered", "bounced")

# Programs open mail and follow links, too: where Customer.io tells people apart, only these are judged.
_BY_PEOPLE = {"opened": "human_opened", "clicked": "human_clicked"}

# How many comparisons that makes at most.
LOOKS = len(MEASURES) - len(_BY_PEOPLE)

# What each share is a share of, in words.
SHARES_OF = "; ".join(
    f"{', '.join(name for name in MEASURES if RATES[name] == of)}: of {' less '.join(of)}"
    for of in dict.fromkeys(RATES[name] for name in MEASURES)
)


@dataclass(frozen=True)
class Figures:
    """Counts of messages, with `of` what each is a share of. What Customer.io did not tell is not there.

    A share of nothing is none.
    """

    counts: dict[str, int] = field(default_factory=dict)
    of: dict[str, int] = field(default_factory=dict)

    def told(self, name: str) -> str:
        """Return a share in words, as fine as its count supports."""
        return f"{share(self.counts[name], self.of[name])} of {self.of[name]:,}"

    @property
    def shares(self) -> dict[str, str]:
        """All shares in words."""
        return {name: self.told(name) for name in MEASURES if self.of.get(name)}


def share(count: int, of: int) -> str:
    """Return a share in percent, no finer than one in `of`."""
    return f"{100 * count / of:.{decimals(of) - 2}f}%"


def figures_of(counts: Counts, first: int = 0, end: int | None = None) -> Figures:
    """Return the sums over some periods, by default all, of what was counted in each of them."""
    told = {name: sum(each[first:end]) for name, each in counts.items() if name not in counts.unread}
    found = {name: told[name] for name in ("sent", *MEASURES) if name in told}
    wholes = wholes_of(told, {name: RATES[name] for name in MEASURES})
    return Figures(
        found, {name: wholes.get(name, 0) for name in found if name in MEASURES and RATES[name][0] in told}
    )


def together(all_of: Iterable[Figures]) -> Figures:
    """Return several figures as one, of what is told in all of them."""
    parts = list(all_of)
    names = set.intersection(*({*part.counts} for part in parts)) if parts else set()
    shares = set.intersection(*({*part.of} for part in parts)) if parts else set()
    return Figures(
        {name: sum(part.counts[name] for part in parts) for name in ("sent", *MEASURES) if name in names},
        {name: sum(part.of[name] for part in parts) for name in MEASURES if name in shares},
    )


def shares_together(parts: Sequence[Figures]) -> dict[str, str]:
    """Return the shares of several figures as one in words, each of those in which it is told."""
    telling = {name: [part for part in parts if name in part.of] for name in MEASURES}
    return {name: found[name] for name in MEASURES if (found := together(telling[name]).shares).get(name)}


@dataclass(frozen=True)
class ShareDifference:
    """A share that differs by more than chance."""

    measure: str
    one: Figures
    other: Figures

    @property
    def up(self) -> bool:
        """Whether it is more in the first."""
        one, other = (side.counts[self.measure] / side.of[self.measure] for side in (self.one, self.other))
        return one > other

    @property
    def worse(self) -> bool:
        """Whether the first is the worse one."""
        return self.up != MEASURES[self.measure]

    @property
    def people(self) -> float:
        """How many messages of the first came out otherwise than with the other's share."""
        other = self.other.counts[self.measure] / self.other.of[self.measure]
        return abs(self.one.counts[self.measure] - other * self.one.of[self.measure])

    def told(self, against: str) -> str:
        """Return it in words."""
        return f"{self.measure} {self.one.told(self.measure)}, {against} {self.other.told(self.measure)}"


def share_differences(
    one: Figures, other: Figures, looks: int, measures: Sequence[str] = ()
) -> list[ShareDifference]:
    """Return what differs by more than chance explains, among `looks` comparisons in all."""
    found = []
    for measure in measures or MEASURES:
        if (people := _BY_PEOPLE.get(measure)) and one.of.get(people) and other.of.get(people):
            continue
        strength = _evidence(measure, one, other)
        if strength is not None and strength >= ENOUGH * looks:
            found.append(ShareDifference(measure, one, other))
    return found


def _evidence(measure: str, one: Figures, other: Figures) -> float | None:
    if not one.of.get(measure) or not other.of.get(measure):
        return None
    return against_chance(one.counts[measure], one.of[measure], other.counts[measure], other.of[measure])


def verdict(parts: Sequence[tuple[str, Figures]]) -> str:
    """Return which of several converts better, after what their delivery says against comparing them."""
    if not (sent := [(name, each) for name, each in parts if each.counts.get("sent") != 0]):
        return "No verdict: nothing was sent."
    looks = len(sent) if len(sent) > 2 else 1
    return " ".join([*_arrival(sent, looks), _conversion(sent, looks)])


def _others(parts: Sequence[tuple[str, Figures]], number: int) -> Figures:
    return together(each for other, (_, each) in enumerate(parts) if other != number)


def _arrival(parts: Sequence[tuple[str, Figures]], looks: int) -> list[str]:
    """Return whose messages arrived less often than the others'."""
    found = []
    for number, (name, each) in enumerate(parts) if len(parts) > 1 else ():
        against_all = share_differences(each, _others(parts, number), looks * len(ARRIVAL), ARRIVAL)
        worse = [one for one in against_all if one.worse]
        if worse:
            against = "the others" if len(parts) > 2 else "the other"
            found.append(f"Delivery first: of {name} {worse[-1].told(against)}.")
    return found


def _conversion(parts: Sequence[tuple[str, Figures]], looks: int) -> str:
    untold = [name for name, each in parts if not each.of.get("converted")]
    told = [(name, each) for name, each in parts if each.of.get("converted")]
    if untold:
        lack = next(each for name, each in parts if name == untold[0])
        why = "nothing was delivered" if lack.counts.get("delivered") == 0 else "conversions were not counted"
        return f"No verdict on conversions: {why} ({', '.join(untold)})."
    if len(told) == 1:
        return f"{told[0][0]}: converted {told[0][1].told('converted')}; there is nothing to compare it with."
    told.sort(key=lambda part: part[1].counts["converted"] / part[1].of["converted"], reverse=True)
    (best, most), rest = told[0], _others(told, 0)
    against = told[1][0] if len(told) == 2 else "the others"
    words = f"converted {most.told('converted')}, {against} {rest.told('converted')}"
    if share_differences(most, rest, looks, ("converted",)):
        return f"{best[0].upper()}{best[1:]} converts better: {words}."
    counts = most.counts["converted"], most.of["converted"], rest.counts["converted"], rest.of["converted"]
    if not any(counts[::2]):
        return "Not enough yet to tell which converts better: nobody converted."
    times = enough_at(*counts, ENOUGH * looks)
    more = f"; if it stays like this, {times} times as many messages tell" if times and times > 1 else ""
    return f"Not enough yet to tell which converts better: {best} {words}{more}."

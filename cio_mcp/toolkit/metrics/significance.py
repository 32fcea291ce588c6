"""Whether two shares differ by more than chance explains: a test for small counts that may be repeated daily.

Given how many there were in all, chance deals the counts out by the hypergeometric distribution, exactly,
however few they are. The evidence is how much likelier they are if the odds differ, over several sizes of the
difference (a mixture likelihood ratio, or e-value; Robbins 1970; mixture sequential tests). Chance brings it
to `ENOUGH` in at most one of 20 cases, over all looks together: to look early and often costs nothing. Where
several things are compared, each needs that many times as much (Bonferroni).
"""

import math
from collections.abc import Iterable

# The evidence at which a difference counts, if only one is looked for.
ENOUGH = 20

# The differences that are looked for, in log odds: 0.2 takes 10 % to 12 %, 3.2 takes it to 73 %. Each is as
# likely as any other, up or down.
_SIZES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
_SHIFTS = (*_SIZES, *(-size for size in _SIZES))

# Among more counts than these an approximation is near enough.
_MANY = 100

# So much more than there is now is the most that is said to be needed.
_FARTHEST = 1000


def against_chance(first: int, of_first: int, other: int, of_other: int) -> float | None:
    """Return how much speaks against chance in `first` of `of_first` and `other` of `of_other`.

    None if these are no shares: each count has its own date, so a span can count more of a part than of its
    whole.
    """
    if not (0 <= first <= of_first and 0 <= other <= of_other and of_first and of_other):
        return None
    both, low, high = first + other, max(0, first + other - of_other), min(of_first, first + other)
    if low == high:
        return 1.0
    if high - low > _MANY:
        return _of_many(first, of_first, other, of_other)
    ways = [_ways(of_first, count) + _ways(of_other, both - count) for count in range(low, high + 1)]
    by_chance = _sum(ways)
    return _mixed(
        shift * first + by_chance - _sum([way + shift * count for count, way in enumerate(ways, low)])
        for shift in _SHIFTS
    )


def enough_at(first: int, of_first: int, other: int, of_other: int, needed: float) -> int | None:
    """Return about how many times the counts are needed to tell such a difference; None if out of sight."""
    times = 1.0
    while times <= _FARTHEST:
        more = (round(count * times) for count in (first, of_first, other, of_other))
        if (against_chance(*more) or 0) >= needed:
            return math.ceil(times)
        times *= 1.25
    return None


def _ways(of: int, count: int) -> float:
    """Return the logarithm of in how many ways `count` of `of` can be chosen."""
    return math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)


def _sum(logs: list[float]) -> float:
    """Return the logarithm of a sum of what has these logarithms."""
    most = max(logs)
    return most + math.log(sum(math.exp(each - most) for each in logs))


def _mixed(logs: Iterable[float]) -> float:
    """Return the mean of what has these logarithms."""
    return math.exp(min(_sum(list(logs)), 700.0)) / len(_SHIFTS)


def _of_many(first: int, of_first: int, other: int, of_other: int) -> float:
    """Return nearly the same, by the saddlepoint approximation, without a sum over all counts."""

    def likelihood(shift: float) -> float:
        at = _even(first + other, of_first, of_other, shift)
        found = spread = 0.0
        for count, of, odds in ((first, of_first, at + shift), (other, of_other, at)):
            yes, no = -math.log1p(math.exp(-odds)), -math.log1p(math.exp(odds))
            found += count * yes + (of - count) * no
            spread += of * math.exp(yes + no)
        return found + math.log(spread) / 2

    by_chance = likelihood(0.0)
    return _mixed(likelihood(shift) - by_chance for shift in _SHIFTS)


def _even(both: int, of_first: int, of_other: int, shift: float) -> float:
    """Return the log odds of the other at which as many come out in all as did."""
    low, high = -50.0, 50.0
    for _ in range(60):
        at = (low + high) / 2
        expected = of_first / (1 + math.exp(-at - shift)) + of_other / (1 + math.exp(-at))
        low, high = (at, high) if expected < both else (low, at)
    return (low + high) / 2

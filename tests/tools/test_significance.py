"""Whether two shares differ: as exact as counting all cases, and right however often one looks."""

import math
from decimal import Decimal
from random import Random

import pytest

from cio_mcp.toolkit.metrics.significance import ENOUGH, against_chance, enough_at

# The odds ratios that are tried, each as likely as any other.
ODDS = [Decimal(math.exp(sign * size)) for size in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2) for sign in (1, -1)]


def by_cases(first: int, of_first: int, other: int, of_other: int) -> float:
    """Count the ways in which chance, and each odds ratio, deals out the counts."""
    both = first + other
    possible = range(max(0, both - of_other), min(of_first, both) + 1)
    ways = {count: math.comb(of_first, count) * math.comb(of_other, both - count) for count in possible}

    def likelihood(odds: Decimal) -> Decimal:
        weights = [way * odds**count for count, way in ways.items()]
        return ways[first] * odds**first / sum(weights, Decimal(0))

    return float(sum(map(likelihood, ODDS), Decimal(0)) / len(ODDS) / likelihood(Decimal(1)))


@pytest.mark.parametrize(
    "counts", [(0, 10, 9, 10), (3, 12, 1, 40), (7, 7, 2, 9), (20, 90, 41, 95), (0, 3, 0, 3), (5, 5, 5, 5)]
)
def test_the_evidence_is_that_of_all_cases_counted(counts: tuple[int, int, int, int]) -> None:
    assert against_chance(*counts) == pytest.approx(by_cases(*counts), rel=1e-9)
    assert against_chance(*counts[2:], *counts[:2]) == pytest.approx(against_chance(*counts), rel=1e-9)


@pytest.mark.parametrize(
    "counts", [(120, 900, 160, 880), (300, 2000, 410, 2100), (130, 5000, 80, 5200), (210, 350, 350, 350)]
)
def test_of_many_counts_it_is_nearly_so(counts: tuple[int, int, int, int]) -> None:
    exact, found = by_cases(*counts), against_chance(*counts)

    assert found == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("counts", [(3, 1, 1, 1), (-1, 5, 1, 5), (0, 0, 1, 5), (1, 5, 0, 0)])
def test_what_is_no_share_is_no_evidence(counts: tuple[int, int, int, int]) -> None:
    assert against_chance(*counts) is None


@pytest.mark.repeating
@pytest.mark.parametrize(("share", "batch"), [(0.02, 40), (0.3, 8), (0.9, 15)])
def test_chance_alone_is_found_out_in_at_most_one_of_twenty_runs_however_often_one_looks(
    share: float, batch: int
) -> None:
    dice = Random(21)
    fooled = 0
    for _ in range(200):
        first = other = sent = 0
        for _ in range(15):
            sent += batch
            first += sum(dice.random() < share for _ in range(batch))
            other += sum(dice.random() < share for _ in range(batch))
            if (against_chance(first, sent, other, sent) or 0) >= ENOUGH:
                fooled += 1
                break

    assert fooled <= 10


def test_a_true_difference_is_found_with_about_as_many_as_are_said_to_be_needed() -> None:
    times = enough_at(4, 100, 9, 100, ENOUGH)

    assert times
    assert (against_chance(4 * times, 100 * times, 9 * times, 100 * times) or 0) >= ENOUGH
    assert enough_at(50, 1000, 50, 1000, ENOUGH) is None

"""What became of the requests to Customer.io, counted since the process began."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

# Upper bounds in seconds, for waits and calls: from what nobody feels to what clients give up at.
SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Histogram:
    """How many values lie up to each of `bounds`, which ascend, and beyond the last."""

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


@dataclass
class RequestCounts:
    """The requests of one limit: how long each waited for its turn, and how often each end came.

    An end is a status, `no_connection` for what never left, or `no_answer`.
    """

    waits: Histogram = field(default_factory=Histogram)
    ends: Counter[str] = field(default_factory=lambda: Counter({"429": 0}))
    retries: int = 0

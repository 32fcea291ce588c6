"""The bounds of one message: what reading and rendering all its texts may still take."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from typing import Any

# How many steps pass between two looks at the clock.
STRIDE = 16

# Steps that reading one tag takes, and characters that one item of a list or an object stands for: both
# are about as expensive.
TAG, ITEM = 5, 64


@dataclass(frozen=True)
class Allowance:
    """What one message may take: beyond them its texts are cut, and the result says so.

    Of all its texts together: `steps`, characters that are made on the way (`work`), and `seconds` by
    `clock`, which is the processor's. Of each: characters of the `text` and of its `output`, `depth` of
    blocks in blocks, and `rounds` of a loop, those around it multiplied.
    """

    steps: int = 100_000
    work: int = 5_000_000
    seconds: float = 1.0
    text: int = 500_000
    output: int = 1_000_000
    depth: int = 30
    rounds: int = 20_000
    clock: Callable[[], float] = time.thread_time


class AllowanceSpent(Exception):
    """A bound was reached; what was rendered until then stands."""


class Meter:
    """Counts what one message takes; raises AllowanceSpent beyond that. Its time begins when it is made."""

    def __init__(self, bounds: Allowance | None = None) -> None:
        self.bounds = bounds or Allowance()
        self.steps, self.work = 0, 0
        self._ends = self.bounds.clock() + self.bounds.seconds

    def tick(self, steps: int = 1) -> None:
        """Count steps."""
        before, self.steps = self.steps, self.steps + steps
        if self.steps > self.bounds.steps:
            raise AllowanceSpent(f"it takes more than {self.bounds.steps:,} steps")
        if self.steps // STRIDE != before // STRIDE and self.bounds.clock() > self._ends:
            raise AllowanceSpent(f"it takes longer than {self.bounds.seconds:g} seconds")

    def spend(self, characters: int) -> None:
        """Count characters that are made, before they are if there may be many."""
        self.tick()
        self.work += characters
        if self.work > self.bounds.work:
            raise AllowanceSpent(f"it makes more than {self.bounds.work:,} characters on its way")

    def weigh(self, value: Any) -> int:
        """Return how many characters a value stands for with all that is in it."""
        total, rest = 0, [value]
        while rest:
            item = rest.pop()
            if isinstance(item, range):
                total += ITEM * min(abs(item.stop - item.start), 10**12)
            elif isinstance(item, dict):
                rest += [*item, *item.values()]
            elif isinstance(item, (list, tuple)):
                rest += item
            total += len(item) if isinstance(item, str) else ITEM
            if total + ITEM * len(rest) > self.bounds.work:
                raise AllowanceSpent("a value in it is too large")
        return total


class Output(StringIO):
    """What is printed, counted by the meter; `size` is the length so far."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter, self.size = meter, 0

    def write(self, text: str) -> int:
        """Print a text; one beyond the bounds is cut."""
        self._meter.spend(len(text))
        room = self._meter.bounds.output - self.size
        self.size += len(text)
        if len(text) > room:
            super().write(text[:room])
            raise AllowanceSpent(f"it makes more than {self._meter.bounds.output:,} characters")
        return super().write(text)

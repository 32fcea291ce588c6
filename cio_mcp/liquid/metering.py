"""The bounds of one rendering: what it may still take."""

from io import StringIO
from typing import Any

from liquid.exceptions import LiquidError

from cio_mcp.liquid.results import Bounds

# How many steps pass between two looks at the clock.
STRIDE = 16


class Exceeded(LiquidError):
    """A bound was reached; what was rendered until then stands."""

    def __init__(self, what: str) -> None:
        super().__init__(what, token=None)


class Meter:
    """Counts what a rendering takes; raises Exceeded beyond its bounds."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._ends = bounds.clock() + bounds.seconds
        self._steps, self._left = 0, bounds.work

    def tick(self) -> None:
        """Count a step."""
        self._steps += 1
        if self._steps % STRIDE == 0:
            self.look()

    def look(self) -> None:
        """Look at the clock."""
        if self.bounds.clock() > self._ends:
            raise Exceeded(f"it takes longer than {self.bounds.seconds:g} seconds")

    def spend(self, characters: int) -> None:
        """Count characters that are made, before they are if there may be many."""
        self.tick()
        self._left -= characters
        if self._left < 0:
            raise Exceeded(f"it makes more than {self.bounds.work:,} characters on its way")

    def weigh(self, value: Any) -> int:
        """Return how many characters and items a value has with all that is in it."""
        total, rest = 0, [value]
        while rest:
            item = rest.pop()
            if isinstance(item, range):
                total += min(abs(item.stop - item.start), 10**12)
            elif isinstance(item, dict):
                rest += [*item, *item.values()]
            elif isinstance(item, (list, tuple)):
                rest += item
            total += len(item) + 1 if isinstance(item, (str, list, tuple, dict)) else 1
            if total > self.bounds.output:
                raise Exceeded("a value in it is too large")
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
            raise Exceeded(f"it makes more than {self._meter.bounds.output:,} characters")
        return super().write(text)

"""What checking rows finds: the arguments that are right, what is odd, and what to send."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cio_mcp.client.batches import size_in_batch, too_large
from cio_mcp.toolkit.rows.columns import Column
from cio_mcp.toolkit.rows.given import RowInput
from cio_mcp.toolkit.rows.table import Row

# So many bytes a time adds to an operation.
STAMP = 24


class Oddity(NamedTuple):
    """Something that may not be meant, and the rows that it is about, the oddest first."""

    told: str
    rows: Sequence[int] = ()


@dataclass(slots=True)
class RowReading:
    """A row's arguments, as far as they are right, and its times: as written, as read, and the column."""

    row: Row
    arguments: dict[str, Any]
    times: list[tuple[Any, int, Column | None]]


@dataclass(slots=True)
class RowOperation:
    """An operation to send, and the rows that it stands for; the rows of later waves follow those before.

    `size` is how many bytes it has at most, once the plan is settled.
    """

    operation: dict[str, Any]
    rows: list[Row]
    wave: int = 0
    size: int = 0


@dataclass
class Plan:
    """What a call will send, and what it will not: refused rows with the reasons, rows that repeat others.

    `seen` has all rows that could be read, also refused ones. `odd` tells what may not be meant, and `look`
    finds more of that, which takes a while. `notes` are for the answer too, `hints` say how to correct rows,
    and `then` how to see what became of them. `would` is what the call does, in words, and `numbered` how its
    rows are. `by_unique` says that the ids of events follow from what rows have in some columns alone.
    """

    rows: int
    operations: list[RowOperation] = field(default_factory=list)
    refused: list[tuple[Row, tuple[str, ...]]] = field(default_factory=list)
    repeated: list[Row] = field(default_factory=list)
    seen: list[RowReading] = field(default_factory=list)
    odd: list[Oddity] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    then: str = ""
    would: str = ""
    numbered: str = ""
    by_unique: bool = False
    look: Callable[["Plan"], Iterable[Oddity]] = lambda _: ()

    def settled(self, given: RowInput) -> "Plan":
        """Return the plan, which is then that of these rows, and all that is too large is refused in it."""
        self._refuse_too_large()
        given.plan = self
        given.about = [name for one in self.operations for name in one.operation["identifiers"].values()]
        self.numbered = (
            f"Rows are numbered as the lines of the CSV; its header is line {given.table.header}."
            if given.table
            else "Rows are numbered from 1."
        )
        return self

    def people(self) -> int:
        """Return how many people, or objects, operations are about."""
        return len({tuple(one.operation["identifiers"].items()) for one in self.operations})

    def _refuse_too_large(self) -> None:
        room = STAMP if any(planned.wave for planned in self.operations) else 0
        kept = []
        for planned in self.operations:
            planned.size = size_in_batch(planned.operation) + room
            if why := too_large(planned.size):
                self.refused += [(row, (why,)) for row in planned.rows]
            else:
                kept.append(planned)
        self.operations = kept

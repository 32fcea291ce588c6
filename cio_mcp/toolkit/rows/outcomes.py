"""What became of rows, in few words: counts, refusals by reason, the first ones whole, and the rest kept."""

import re
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from pydantic import Field

from cio_mcp.client.batches import End
from cio_mcp.toolkit.answers import Acted, Anything, Refusals, Shape
from cio_mcp.toolkit.rows.table import Row

# So many reasons, rows of one reason, and whole rows are told; a value is cut to so many characters.
REASONS, NUMBERS, WHOLE, LETTERS = 8, 12, 3, 80

# The most cells of a row that are told.
CELLS = 30

# The results of so many calls are kept for reading.
KEPT = 20


class RowTold(Shape):
    """One row that was not accepted."""

    row: int
    outcome: str
    reasons: list[str]
    values: dict[str, Anything] | None = None


class ManyAccepted(Acted):
    """What became of the rows. Customer.io applies what it accepted moments later."""

    outcome: Literal["accepted", "partly_accepted"] = Field(
        "accepted",
        description="accepted: all rows; partly_accepted: some. Accepted data is applied moments later.",
    )
    rows: int
    accepted: int
    repeated: int | None = Field(None, description="Rows that repeat another row of the call; sent once.")
    refused: int | None = None
    unknown: int | None = Field(None, description="Rows that were sent, and no answer came.")
    not_sent: int | None = None
    refusals: list[Refusals] | None = None
    first: list[RowTold] | None = Field(None, description="The first rows that were refused, whole.")
    results: str | None = Field(None, description="list_row_results tells the rest of them by this.")
    next: str | None = Field(None, description="What to do next.")


@dataclass(frozen=True)
class RowEnd:
    """The end of one row."""

    row: Row
    end: End
    reasons: tuple[str, ...] = ()

    def told(self) -> RowTold:
        """Return it for an answer, with long values cut."""
        values = {name: _short(value) for name, value in islice(self.row.values.items(), CELLS)}
        return RowTold(
            row=self.row.number, outcome=self.end, reasons=list(self.reasons), values=values or None
        )


def _short(value: Any) -> Any:
    """Return a value, and of a long text its first words: half an address could not be hidden any more."""
    if not isinstance(value, str) or len(value) <= LETTERS:
        return value
    return f"{value[:LETTERS].rpartition(' ')[0]}…"


def by_reason(ends: Iterable[RowEnd]) -> list[Refusals]:
    """Return refused rows by reason, the most frequent first; reasons that differ in a number are one."""
    groups: dict[str, tuple[str, list[int]]] = {}
    for end in ends:
        for reason in end.reasons:
            groups.setdefault(re.sub(r"\d+", "0", reason), (reason, []))[1].append(end.row.number)
    most = sorted(groups.values(), key=lambda group: -len(group[1]))
    told = [Refusals(reason=reason, count=len(rows), rows=ranges(rows)) for reason, rows in most[:REASONS]]
    if others := most[REASONS:]:
        rows = sorted({row for _, numbers in others for row in numbers})
        told.append(Refusals(reason=f"{len(others)} other reasons", count=len(rows), rows=ranges(rows)))
    return told


def ranges(numbers: Sequence[int]) -> str:
    """Return numbers in few words: 3, 7-9, 12 and 40 more."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    told = [str(first) if first == last else f"{first}-{last}" for first, last in found[:NUMBERS]]
    left = sum(last - first + 1 for first, last in found[NUMBERS:])
    return ", ".join(told) + (f" and {left} more" if left else "")


@dataclass
class Results:
    """The rows of late calls that were not accepted, for whoever made them."""

    caller: str = ""
    _kept: OrderedDict[tuple[str, str], list[RowEnd]] = field(default_factory=OrderedDict)

    def of(self, caller: str) -> "Results":
        """Return the results as one caller may see and add to them."""
        return Results(caller, self._kept)

    def keep(self, ends: list[RowEnd]) -> str:
        """Keep rows for reading; returns the name under which they are."""
        name = secrets.token_hex(6)
        self._kept[self.caller, name] = ends
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return name

    def read(self, name: str) -> list[RowEnd] | None:
        """Return rows that were kept, None if they are not there any more."""
        return self._kept.get((self.caller, name))

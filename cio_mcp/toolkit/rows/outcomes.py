"""What became of rows, in few words: counts, refusals by reason, and the first ones whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from pydantic import Field
from pydantic_core import to_json

from cio_mcp.client.batches import OperationEnd
from cio_mcp.toolkit.answers.shapes import Acted, Anything, Refusals, Shape
from cio_mcp.toolkit.rows.ranges import alike_but_for_numbers, ranges
from cio_mcp.toolkit.rows.table import Row

# So many reasons, and whole rows, are told; a name or a text is cut to so many characters, and a reason.
REASONS, WHOLE, LETTERS, REASON = 8, 3, 80, 300

# The most cells of a row that are told, and bytes of a list or an object in one.
CELLS, LARGEST = 30, 300


class RowReport(Shape):
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
    unknown: int | None = Field(None, description="Rows that were sent but got no answer.")
    not_sent: int | None = None
    refusals: list[Refusals] | None = None
    first: list[RowReport] | None = Field(None, description="The first refused rows, in full.")
    results: str | None = Field(None, description="Pass it to list_row_results to list the rest.")
    numbered: str | None = Field(None, description="How rows are numbered here.")
    next: str | None = Field(None, description="What to do next.")


@dataclass(frozen=True)
class RowEnd:
    """The end of one row."""

    row: Row
    end: OperationEnd
    reasons: tuple[str, ...] = ()

    def told(self) -> RowReport:
        """Return it for an answer, with what is long cut."""
        cells = ((name, value) for name, value in self.row.values.items() if value is not None)
        values = {_short(name): _short(value) for name, value in islice(cells, CELLS)}
        reasons = [_short(reason, REASON) for reason in self.reasons]
        return RowReport(row=self.row.number, outcome=self.end, reasons=reasons, values=values or None)


def _short(value: Any, most: int = LETTERS) -> Any:
    """Return a value, and of a long text its first words: half an address could not be hidden any more."""
    if isinstance(value, (dict, list)):
        return value if (size := len(to_json(value))) <= LARGEST else f"… ({size} bytes)"
    if not isinstance(value, str) or len(value) <= most:
        return value
    return f"{value[:most].rpartition(' ')[0]}…"


def by_reason(ends: Iterable[RowEnd]) -> list[Refusals]:
    """Return refused rows by reason, the most frequent first; reasons that differ in a number are one."""
    groups: dict[str, tuple[str, list[int]]] = {}
    for end in ends:
        for reason in end.reasons:
            groups.setdefault(alike_but_for_numbers(reason), (reason, []))[1].append(end.row.number)
    most = sorted(groups.values(), key=lambda group: -len(group[1]))
    told = [
        Refusals(reason=_short(reason, REASON), count=len(rows), rows=ranges(rows))
        for reason, rows in most[:REASONS]
    ]
    if others := most[REASONS:]:
        rows = sorted({row for _, numbers in others for row in numbers})
        told.append(Refusals(reason=f"{len(others)} other reasons", count=len(rows), rows=ranges(rows)))
    return told

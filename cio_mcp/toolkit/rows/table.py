"""CSV, as spreadsheets and databases write it: records with the line on which each begins."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

# What stands between cells: the one that the header has most of.
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

# A line by which a spreadsheet says what stands between cells.
_HINT = re.compile("sep=(.)", re.IGNORECASE)

_QUOTED = re.compile(r'"[^"]*"')


@dataclass(slots=True)
class Row:
    """One row: `number` tells people which, `values` are by column; `fault` says why it cannot be read."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    fault: str = ""


@dataclass
class Records:
    """The rows of a table; numbers are of lines. Its header is the first line that is not blank.

    `skip` lines are left out before it. While the rows are read it is found out which line the `header` is,
    and the `names` that it holds, which `delimiter` stands between cells if none was given, how many rows
    among others are `blank` and thus skipped, and which is the `first_blank`.
    """

    lines: Iterator[str]
    delimiter: str = ""
    skip: int = 0
    header: int = 1
    names: Sequence[str] = ()
    blank: int = 0
    first_blank: int = 0

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows.

        What cannot be read is a row with a fault, and reading goes on behind it. Raises ValueError for a
        header that leaves open what a column is.
        """
        reading = self._read()
        header = next(reading, Row(0, fault="there is no header"))
        if isinstance(header, Row):
            raise ValueError(header.fault)  # noqa: TRY004 - it is the text that is wrong
        self.header, self.names = header[0], _names(header[1])
        names = self.names
        for found in reading:
            if isinstance(found, Row):
                yield found
                continue
            number, cells = found
            if len(cells) == len(names):
                yield Row(number, dict(zip(names, cells, strict=True)))
                continue
            fault = f"has {len(cells)} cells; the header has {len(names)}"
            if len(names) == 1:
                fault += f": if line {self.header} is a title, leave out what stands above the header"
            more = (f"column {position}" for position in range(len(names) + 1, len(cells) + 1))
            yield Row(number, dict(zip([*names, *more], cells, strict=False)), fault)

    def told_blank(self) -> str:
        """Return how many rows are skipped, "" for none."""
        if not self.blank:
            return ""
        return (
            f"line {self.first_blank} is blank and was skipped"
            if self.blank == 1
            else f"{self.blank:,} lines are blank and were skipped; the first is line {self.first_blank}"
        )

    def _read(self) -> Iterator[tuple[int, list[str]] | Row]:
        """Yield the records with their lines, and rows with a fault for what is no record."""
        before = 0
        for header in self.lines:
            if before >= self.skip:
                if hint := _HINT.fullmatch(header.strip()):
                    self.delimiter = self.delimiter or hint[1]
                elif header.strip():
                    break
            before += 1
        else:
            return
        self.delimiter = self.delimiter or max(DELIMITERS, key=_QUOTED.sub("", header).count)
        lines = chain([header], self.lines)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True, skipinitialspace=True)
        passed = first_passed = 0  # since the last record: at the end of a table they are nothing to tell
        while True:
            begins = before + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                ends = before + reader.line_num
                yield Row(begins, {}, f"lines {begins} to {ends} are not CSV: {error}")
                continue
            if not any(map(str.strip, cells)):
                passed, first_passed = passed + 1, first_passed or begins
                continue
            if passed:
                self.blank, self.first_blank = self.blank + passed, self.first_blank or first_passed
                passed = first_passed = 0
            yield begins, cells


def _names(header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    counted = Counter(names)
    if repeated := next((name for name in names if name and counted[name] > 1), None):
        message = f"two columns are named {repeated}"
        raise ValueError(message)
    return [name or f"column {number}" for number, name in enumerate(names, 1)]

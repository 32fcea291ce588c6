"""CSV, as spreadsheets and databases write it: records with the line on which each begins."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

# What stands between cells: the one that the header has most of.
DELIMITERS = ",;\t|"

# A line by which a spreadsheet says what stands between cells.
_HINT = re.compile("sep=(.)", re.IGNORECASE)

_QUOTED = re.compile(r'"[^"]*"')


@dataclass(slots=True)
class Row:
    """One row: `number` tells people which, `values` are by column; `fault` says why it cannot be read."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    fault: str = ""


def records(lines: Iterable[str], delimiter: str = "") -> Iterator[Row]:
    """Yield the rows of a table whose first line that is not blank is its header; numbers are of lines.

    What cannot be read is a row with a fault, and reading goes on behind it. Raises ValueError for a header
    that leaves open what a column is.
    """
    reading = _read(iter(lines), delimiter)
    header = next(reading, Row(0, fault="there is no header"))
    if isinstance(header, Row):
        raise ValueError(header.fault)  # noqa: TRY004 - it is the text that is wrong
    names = _names(header[1])
    for found in reading:
        if isinstance(found, Row):
            yield found
            continue
        number, cells = found
        if len(cells) == len(names):
            yield Row(number, dict(zip(names, cells, strict=True)))
            continue
        fault = f"has {len(cells)} cells; the header has {len(names)}"
        more = (f"column {position}" for position in range(len(names) + 1, len(cells) + 1))
        yield Row(number, dict(zip([*names, *more], cells, strict=False)), fault)


def _read(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]] | Row]:
    """Yield the records that are not blank with their lines, and rows with a fault for what is no record."""
    blank = 0
    for header in lines:
        if hint := _HINT.fullmatch(header.strip()):
            delimiter = delimiter or hint[1]
        elif header.strip():
            break
        blank += 1
    else:
        return
    delimiter = delimiter or max(DELIMITERS, key=_QUOTED.sub("", header).count)
    reader = csv.reader(chain([header], lines), delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        begins = blank + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            ends = blank + reader.line_num
            yield Row(begins, {}, f"lines {begins} to {ends} are not CSV: {error}")
            continue
        if any(map(str.strip, cells)):
            yield begins, cells


def _names(header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    counted = Counter(names)
    if repeated := next((name for name in names if name and counted[name] > 1), None):
        message = f"two columns are named {repeated}"
        raise ValueError(message)
    return [name or f"column {number}" for number, name in enumerate(names, 1)]

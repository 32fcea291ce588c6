"""What a load tells people: how the file is read, how far it is, how it ended."""

import sys
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from cio_mcp.cli.load.journal import Progress
from cio_mcp.cli.load.loading import Load
from cio_mcp.cli.load.mapping import Columns
from cio_mcp.cli.load.source import LoadFile
from cio_mcp.toolkit.arguments.parse_context import ParseContext
from cio_mcp.toolkit.arguments.times import iso
from cio_mcp.toolkit.rows.cells import spelling
from cio_mcp.toolkit.rows.columns import Column, is_ambiguous
from cio_mcp.toolkit.rows.table import DELIMITERS, Row

# Seconds between two lines of progress, on a terminal and elsewhere.
OFTEN, SELDOM = 0.5, 10.0

# So many reasons, and notes of a dry run, are told; and so many forms of the dates of a column.
MOST, FORMS = 10, 3


def described(
    source: LoadFile, kind: str, columns: Columns, given: Collection[str], first: Iterable[Row]
) -> str:
    """Return how a file is read, with what some of its first cells and letters are taken for."""
    rows = [row.values for row in first if not row.fault]
    lines = [f"{source.name}: {source.kind}, {source.encoding}, as {kind}"]
    if source.table and source.table.delimiter:
        lines[0] += f", {separated(source)}"
    if source.guessed:
        letters = next((str(cell) for row in rows for cell in row.values() if not str(cell).isascii()), "")
        lines[0] += f" (the encoding is guessed: {letters!r})"
    width = max(map(len, columns), default=0)
    for name, column in columns.items():
        guess = "" if name in given else "  (guessed)"
        examples = islice(_examples(rows, column, name), FORMS)
        lines.append("  ".join([f"  {name:<{width}}  ->  {column}{guess}", *examples]))
    return "\n".join(lines) + "\n"


def separated(source: LoadFile) -> str:
    """Return what separates the cells of a table, in words."""
    delimiter = source.table.delimiter if source.table else ""
    return f"separated by {DELIMITERS.get(delimiter, repr(delimiter))}"


def _examples(rows: list[dict[str, object]], column: Column, name: str) -> Iterator[str]:
    """Yield how the first of each kind is read: dates by spelling, yes and no, unclear numbers."""
    told: set[object] = set()
    for row in rows:
        with suppress(ValueError, OverflowError, KeyError):
            cell, value = row[name], column.value(row[name], ParseContext())
            match column.kind:
                case _ if cell is None:  # it is null, whatever its column
                    continue
                case "date":
                    form, read = spelling(cell), iso(value)
                case "boolean":
                    form, read = value, str(value).lower()
                case _ if isinstance(cell, str) and is_ambiguous(cell):
                    form, read = "ambiguous", repr(value)
                case _:
                    continue
            if form not in told:
                told.add(form)
                yield f"{cell} is {read}"


@dataclass
class Teller:
    """Tells on stderr how far a load is that began behind so many rows, with its rate and the time left."""

    source: LoadFile
    before: int
    began: float = field(default_factory=time.monotonic)
    told: float = 0.0

    def tell(self, progress: Progress) -> None:
        """Tell how far the load is, now and then."""
        moment, terminal = time.monotonic(), sys.stderr.isatty()
        if moment < self.told + (OFTEN if terminal else SELDOM):
            return
        self.told = moment
        line = self._line(progress)
        sys.stderr.write(f"\r{line:<78}" if terminal else f"{line}\n")
        sys.stderr.flush()

    def _line(self, progress: Progress) -> str:
        seconds = max(time.monotonic() - self.began, 0.001)
        rate = (progress.rows - self.before) / seconds
        line = f"{progress.rows:,} rows, {rate:,.0f} a second"
        done = self.source.done()
        return line + (f", {done:.0%}, {seconds * (1 - done) / done:,.0f} s left" if done else "")

    def end(self, load: Load, words: str) -> None:
        """Tell how the load ended, and why rows were rejected."""
        progress = load.progress
        parts = [f"{progress.accepted:,} {'right' if load.dry_run else 'accepted'}"]
        parts += [f"{progress.repeated:,} repeat others"] if progress.repeated else []
        parts += [f"{progress.refused:,} rejected"] if progress.refused else []
        sys.stderr.write(f"\n{self._line(progress)}: {', '.join(parts)}.\n")
        for reason, count in load.reasons.most_common(MOST):
            sys.stderr.write(f"  {count:,} x {reason}\n")
        if self.source.table and (told := self.source.table.told_blank()):
            sys.stderr.write(f"  note: {told}\n")
        for note, _ in load.odd.most_common(MOST) if load.dry_run else ():
            sys.stderr.write(f"  note: {note}\n")
        sys.stderr.write(f"{words}\n" if words else "")

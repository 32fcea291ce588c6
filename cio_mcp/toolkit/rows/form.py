"""Checking rows: each one's arguments as a call of the single tool has them."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments.parsing import Single
from cio_mcp.toolkit.rows.checks import Oddity, Plan, RowReading
from cio_mcp.toolkit.rows.columns import AS_IS, NUMBER, Meanings
from cio_mcp.toolkit.rows.given import RowInput, ambiguous, typed
from cio_mcp.toolkit.rows.ranges import alike_but_for_numbers, of_rows
from cio_mcp.toolkit.rows.reading import RowReader

# Arguments that a call has for all its rows.
NOT_OF_ROWS = {"dry_run", "confirmation", "timezone"}

# So many rows are checked before others have their turn.
TURN = 200

# So many columns are named in a refusal.
COLUMNS = 30


class Form:
    """What a row holds: its tool's `parameters`, and in the argument `rest` whatever else there is."""

    def __init__(self, parameters: dict[str, Any], rest: str, **others: Any) -> None:
        self._rest = rest
        self._parameters = {name: of for name, of in parameters.items() if name not in NOT_OF_ROWS} | others
        self._single = cache(lambda name: Single(name, *self._parameters[name]))

    async def check(
        self, given: RowInput, columns: Meanings, defaults: dict[str, Any], plan: Plan
    ) -> AsyncIterator[RowReading]:
        """Yield the rows that are right; puts the others, and what is noted of all, into the plan.

        Raises InvalidArgument for a column that there is not.
        """
        known = {name for row in given.rows for name in row.values} if columns else set()
        if unknown := [name for name in columns if name not in known]:
            raise InvalidArgument(
                f"columns: there is no column {unknown[0]}; there are {', '.join(sorted(known)[:COLUMNS])}"
            )
        told = {name for name, column in columns.items() if column is None or column.kind != AS_IS}
        rows = typed(given.rows, told) if given.table else given.rows
        if given.table and given.table.blank:
            plan.odd.append(Oddity(given.table.told_blank()))
        for name, text, numbers in ambiguous(given.rows, told) if given.table else ():
            kind = "with decimals" if NUMBER.fullmatch(text) else "as text"
            meaning = f'"{name}": "{name}:number(comma)" or "{name}:number(point)" in columns'
            read = f"{name}: {text} and similar cells are sent {kind} ({of_rows(numbers)})"
            plan.odd.append(Oddity(f"{read}; {meaning} says what it is", numbers))
        notes: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        fields = {name: default for name, (_, default) in self._parameters.items()}
        reader = RowReader(self._single, fields, self._rest, columns, defaults, given.context)
        for number, row in enumerate(rows):
            if number % TURN == 0:
                await asyncio.sleep(0)
            if row.fault:
                plan.refused.append((row, (row.fault,)))
                continue
            one, noted, faults = reader.read(row)
            plan.seen.append(one)
            for note in noted:
                notes[alike_but_for_numbers(note)].append((note, row.number))
            if faults:
                plan.refused.append((row, tuple(faults)))
            else:
                yield one
        if reader.hint:
            plan.hints.append(reader.hint)
        for found in sorted(notes.values(), key=len, reverse=True):
            numbers = [number for _, number in found]
            plan.odd.append(Oddity(f"{found[0][0]} ({of_rows(numbers)})", numbers))

"""Checking rows: each one's arguments as a call of the single tool has them."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments import Single, parsed_arguments
from cio_mcp.toolkit.parse_context import ParseContext
from cio_mcp.toolkit.registry import Tool
from cio_mcp.toolkit.rows.checks import Oddity, Plan, RowReading
from cio_mcp.toolkit.rows.columns import AS_IS, ISO, NUMBER, Meanings
from cio_mcp.toolkit.rows.given import RowInput, ambiguous, typed
from cio_mcp.toolkit.rows.plain import Plain
from cio_mcp.toolkit.rows.ranges import alike_but_for_numbers, of_rows
from cio_mcp.toolkit.rows.table import Row
from cio_mcp.toolkit.values import is_date

# Arguments that a call has for all its rows.
NOT_OF_ROWS = {"dry_run", "confirmation", "timezone"}

# So many rows are checked before others have their turn.
TURN = 200

# So many columns are named in a refusal, and characters of a cell.
COLUMNS, LETTERS = 30, 80


class Form:
    """What a row of a tool holds: the tool's arguments, and in its argument `rest` whatever else there is."""

    def __init__(self, tool: Tool, rest: str, **others: Any) -> None:
        parameters = {name: of for name, of in tool.parameters.items() if name not in NOT_OF_ROWS} | others
        config = ConfigDict(extra="forbid", defer_build=True)
        self._rest, self._parameters, self._config = rest, parameters, config
        self._model: type[BaseModel] = create_model(tool.name, __config__=config, **parameters)
        optional: dict[str, Any] = {
            name: (of | None, None) if default is ... else (of, default)
            for name, (of, default) in parameters.items()
        }
        self._partial: type[BaseModel] = create_model(tool.name, __config__=config, **optional)
        self._single = cache(self._single_of)

    def _single_of(self, argument: str) -> Single:
        fields: dict[str, Any] = {argument: self._parameters[argument]}
        return Single(create_model(self._model.__name__, __config__=self._config, **fields))

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
        for name, text, numbers in ambiguous(given.rows, told) if given.table else ():
            kind = "with decimals" if NUMBER.fullmatch(text) else "as text"
            meaning = f'"{name}": "{name}:number(comma)" or "{name}:number(point)" in columns'
            read = f"{name}: {text} and similar cells are sent {kind} ({of_rows(numbers)})"
            plan.odd.append(Oddity(f"{read}; {meaning} says what it is", numbers))
        notes: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        fields = {name: default for name, (_, default) in self._parameters.items()}
        plain = Plain(self._single, fields, self._rest, columns, defaults, given.context)
        for number, row in enumerate(rows):
            if number % TURN == 0:
                await asyncio.sleep(0)
            one, noted, faults = plain.read(row) or self._checked(row, columns, defaults, given.context, plan)
            for note in noted:
                notes[alike_but_for_numbers(note)].append((note, row.number))
            if one:
                plan.seen.append(one)
            if faults:
                plan.refused.append((row, faults))
            elif one:
                yield one
        for found in sorted(notes.values(), key=len, reverse=True):
            numbers = [number for _, number in found]
            plan.odd.append(Oddity(f"{found[0][0]} ({of_rows(numbers)})", numbers))

    def _checked(
        self,
        row: Row,
        columns: Meanings,
        defaults: dict[str, Any],
        around: ParseContext,
        plan: Plan,
    ) -> tuple[RowReading | None, list[str], tuple[str, ...]]:
        """Return what is right of a row, None if it cannot be read; notes on it; and what is wrong."""
        if row.fault:
            return None, [], (row.fault,)
        context = around.anew()
        arguments, named, faults = self._arguments(row, columns, defaults, context)
        known = list(context.notes)
        try:
            found = parsed_arguments(self._model, arguments, context)
            around.check(found)
        except InvalidArgument as wrong:
            more = {fault: fault.partition(":")[0].partition(".")[0] for fault in wrong.faults}
            context.notes[:] = known
            found = self._right(arguments, set(more.values()), context)
            faults |= {fault: name for fault, name in more.items() if name not in faults.values()}
            for name in more.values():
                if is_date(cell := arguments.get(name)) and not ISO.fullmatch(str(cell)) and not plan.hints:
                    meaning = f'"{named.get(name, name)}": "{name}:date(dayfirst)"'
                    plan.hints.append(f"{cell} is read with {meaning} in columns, or date(monthfirst).")
        times = [(row.values[named[target]], at) for target, at in context.times.items() if target in named]
        return RowReading(row, found, times), context.notes, tuple(faults)

    def _right(self, arguments: dict[str, Any], wrong: set[str], context: ParseContext) -> dict[str, Any]:
        """Return those of a row's arguments that are right."""
        try:
            right = {name: value for name, value in arguments.items() if name not in wrong}
            return parsed_arguments(self._partial, right, context)
        except InvalidArgument:
            return parsed_arguments(self._partial, {}, context)

    def _arguments(
        self, row: Row, columns: Meanings, defaults: dict[str, Any], context: ParseContext
    ) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
        """Return a row's arguments: columns renamed and read, defaults filled in, the rest where it belongs.

        And the column of each, and what is wrong, with the names of arguments.
        """
        known = self._model.model_fields
        arguments, faults = dict(defaults), dict[str, str]()
        rest: dict[str, Any] = {}
        filled: dict[str, str] = {}
        for name, cell in row.values.items():
            column = columns.get(name)
            if column is None and name in columns:
                continue
            meant = column.target if column else name
            if (other := filled.setdefault(meant, name)) != name:
                faults[f"{meant}: columns {other} and {name} both hold it; leave one out"] = meant
                continue
            if column and column.kind != AS_IS:
                if isinstance(cell, str) and not cell.strip():
                    continue
                try:
                    cell = column.value(cell, context)  # noqa: PLW2901 - from here on it is what was meant
                except (ValueError, OverflowError, RecursionError) as error:
                    faults[f"{name}: {str(cell)[:LETTERS]!r} {error}"] = meant
                    continue
            (arguments if meant in known else rest)[meant] = cell
        if "customer_id" not in arguments and "id_type" in defaults:
            kind = str(arguments["id_type"])
            if (named := rest.pop(kind) if kind in rest else arguments.pop(kind, None)) is not None:
                arguments["customer_id"] = named
        if rest:
            whole = arguments.get(self._rest) or {}
            arguments[self._rest] = whole | rest if isinstance(whole, dict) else whole
        return arguments, filled, faults

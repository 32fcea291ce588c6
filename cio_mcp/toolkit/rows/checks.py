"""Checking rows: each one's arguments as a call of the single tool has them, and what to send for it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, create_model

from cio_mcp.client.batches import too_large
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments import parsed_arguments
from cio_mcp.toolkit.parse_context import ParseContext
from cio_mcp.toolkit.registry import Tool
from cio_mcp.toolkit.rows.columns import AS_IS, ISO, NUMBER, Meanings
from cio_mcp.toolkit.rows.given import RowInput, ambiguous, typed
from cio_mcp.toolkit.rows.ranges import alike_but_for_numbers, of_rows
from cio_mcp.toolkit.rows.table import Row
from cio_mcp.toolkit.values import is_date

# Arguments that a call has for all its rows.
NOT_OF_ROWS = {"dry_run", "confirmation", "timezone"}

# So many rows are checked before others have their turn.
TURN = 200

# So many columns are named in a refusal, characters of a cell, and bytes that a time adds to an operation.
COLUMNS, LETTERS, STAMP = 30, 80, 24


class Oddity(NamedTuple):
    """Something that may not be meant, and the rows that it is about, the oddest first."""

    told: str
    rows: Sequence[int] = ()


@dataclass
class RowReading:
    """A row's arguments, as far as they are right, and its times: as written, and how they were read."""

    row: Row
    arguments: dict[str, Any]
    times: list[tuple[Any, str]]


@dataclass
class RowOperation:
    """An operation to send, and the rows that it stands for; the rows of later waves follow those before."""

    operation: dict[str, Any]
    rows: list[Row]
    wave: int = 0


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
    look: Callable[[], Iterable[Oddity]] = lambda: ()

    def settled(self, given: RowInput) -> "Plan":
        """Return the plan, which is then that of these rows, and all that is too large is refused in it."""
        self._refuse_too_large()
        given.plan = self
        given.about = [name for one in self.operations for name in one.operation["identifiers"].values()]
        self.numbered = (
            "Rows are numbered as the lines of the CSV; its header is line 1."
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
            if why := too_large(planned.operation, room):
                self.refused += [(row, (why,)) for row in planned.rows]
            else:
                kept.append(planned)
        self.operations = kept


class Form:
    """What a row of a tool holds: the tool's arguments, and in its argument `rest` whatever else there is."""

    def __init__(self, tool: Tool, rest: str, **others: Any) -> None:
        parameters = {name: of for name, of in tool.parameters.items() if name not in NOT_OF_ROWS} | others
        config = ConfigDict(extra="forbid", defer_build=True)
        self._rest = rest
        self._model: type[BaseModel] = create_model(tool.name, __config__=config, **parameters)
        optional: dict[str, Any] = {
            name: (of | None, None) if default is ... else (of, default)
            for name, (of, default) in parameters.items()
        }
        self._partial: type[BaseModel] = create_model(tool.name, __config__=config, **optional)

    async def check(
        self, given: RowInput, columns: Meanings, defaults: dict[str, Any], plan: Plan
    ) -> AsyncIterator[RowReading]:
        """Yield the rows that are right; puts the others, and what is noted of all, into the plan.

        Raises InvalidArgument for a column that there is not.
        """
        known = {name for row in given.rows for name in row.values}
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
        for number, row in enumerate(rows):
            if number % TURN == 0:
                await asyncio.sleep(0)
            one, faults = self._checked(row, columns, defaults, given.context, notes, plan)
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
        notes: defaultdict[str, list[tuple[str, int]]],
        plan: Plan,
    ) -> tuple[RowReading | None, tuple[str, ...]]:
        """Return what is right of a row, None if it cannot be read, and what is wrong with it."""
        if row.fault:
            return None, (row.fault,)
        context = ParseContext(around.timezone, around.now, around.reveal)
        arguments, named, faults = self._arguments(row, columns, defaults, context)
        known = list(context.notes)
        try:
            found = parsed_arguments(self._model, arguments, context, known_as_json=True)
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
        for note in context.notes:
            notes[alike_but_for_numbers(note)].append((note, row.number))
        times = [(row.values[named[target]], at) for target, at in context.times.items() if target in named]
        return RowReading(row, found, times), tuple(faults)

    def _right(self, arguments: dict[str, Any], wrong: set[str], context: ParseContext) -> dict[str, Any]:
        """Return those of a row's arguments that are right."""
        try:
            right = {name: value for name, value in arguments.items() if name not in wrong}
            return parsed_arguments(self._partial, right, context, known_as_json=True)
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

"""Checking rows: each one's arguments as a call of the single tool has them, and what to send for it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, create_model

from cio_mcp.client.batches import too_large
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments import parsed
from cio_mcp.toolkit.context import ParseContext
from cio_mcp.toolkit.params import JsonObject
from cio_mcp.toolkit.registry import Tool
from cio_mcp.toolkit.rows.given import Given
from cio_mcp.toolkit.rows.ranges import alike_but_for_numbers, ranges
from cio_mcp.toolkit.rows.table import Row


def _columns(columns: dict[str, Any]) -> dict[str, str | None]:
    for name, meant in columns.items():
        if not (meant is None or isinstance(meant, str)):
            message = f"{name}: must be a name, or null to leave the column out"
            raise ValueError(message)
    return columns


Columns = Annotated[JsonObject, AfterValidator(_columns)]


# Arguments that a call has for all its rows.
NOT_OF_ROWS = {"dry_run", "confirmation", "timezone"}

# So many rows are checked before others have their turn.
TURN = 200

# So many columns are named in a refusal, and bytes that a time adds to an operation.
COLUMNS, STAMP = 30, 24


@dataclass
class Checked:
    """A row whose arguments are right; `written` are these as they were given, `times` how they were read."""

    row: Row
    written: dict[str, Any]
    arguments: dict[str, Any]
    times: dict[str, str]


@dataclass
class Planned:
    """An operation to send, and the rows that it stands for; the rows of later waves follow those before."""

    operation: dict[str, Any]
    rows: list[Row]
    wave: int = 0


@dataclass
class Plan:
    """What a call will send, and what it will not: refused rows with the reasons, rows that repeat others.

    `odd` tells what may not be meant, and `look` finds more of that, which takes a while. `by_unique` says
    that the ids of events follow from what their rows have in some columns alone.
    """

    rows: int
    operations: list[Planned] = field(default_factory=list)
    refused: list[tuple[Row, tuple[str, ...]]] = field(default_factory=list)
    repeated: list[Row] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    by_unique: bool = False
    look: Callable[[], Iterable[str]] = lambda: ()

    def settled(self, given: Given) -> "Plan":
        """Return the plan, which is then that of these rows, and all that is too large is refused in it."""
        self._refuse_too_large()
        given.plan = self
        given.about = [name for one in self.operations for name in one.operation["identifiers"].values()]
        return self

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
        parameters = {name: of for name, of in tool.parameters.items() if name not in NOT_OF_ROWS}
        self._rest = rest
        self._model: type[BaseModel] = create_model(
            tool.name, __config__=ConfigDict(extra="forbid", defer_build=True), **parameters | others
        )

    async def check(
        self, given: Given, columns: dict[str, str | None], defaults: dict[str, Any], plan: Plan
    ) -> AsyncIterator[Checked]:
        """Yield the rows that are right; puts the others, and what is noted of all, into the plan.

        Raises InvalidArgument for a column that there is not.
        """
        known = {name for row in given.rows for name in row.values}
        if unknown := [name for name in columns if name not in known]:
            raise InvalidArgument(
                f"columns: there is no column {unknown[0]}; there are {', '.join(sorted(known)[:COLUMNS])}"
            )
        notes: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for number, row in enumerate(given.rows):
            if number % TURN == 0:
                await asyncio.sleep(0)
            context = ParseContext(given.context.timezone, given.context.now, given.context.reveal)
            try:
                written = self._arguments(row, columns, defaults)
                arguments = parsed(self._model, written, context, known_as_json=True)
                given.context.check(arguments)
            except InvalidArgument as wrong:
                plan.refused.append((row, wrong.faults))
            else:
                for note in context.notes:
                    notes[alike_but_for_numbers(note)].append((note, row.number))
                yield Checked(row, written, arguments, context.times)
        for found in sorted(notes.values(), key=len, reverse=True):
            plan.odd.append(f"{found[0][0]} (rows {ranges([number for _, number in found])})")

    def _arguments(
        self, row: Row, columns: dict[str, str | None], defaults: dict[str, Any]
    ) -> dict[str, Any]:
        """Return a row's arguments: columns renamed, defaults filled in, and the rest where it belongs.

        Raises InvalidArgument.
        """
        if row.fault:
            raise InvalidArgument(row.fault)
        known = self._model.model_fields
        arguments = dict(defaults)
        rest: dict[str, Any] = {}
        filled: dict[str, str] = {}
        for name, value in row.values.items():
            if (meant := columns.get(name, name)) is None or meant == "":
                continue
            if (other := filled.setdefault(meant, name)) != name:
                raise InvalidArgument(f"{meant}: columns {other} and {name} both hold it; leave one out")
            if meant in known:
                arguments[meant] = value
            else:
                rest[meant] = value
        if "customer_id" not in arguments and "id_type" in defaults:
            kind = str(arguments["id_type"])
            if (named := rest.pop(kind) if kind in rest else arguments.pop(kind, None)) is not None:
                arguments["customer_id"] = named
        if rest:
            whole = arguments.get(self._rest) or {}
            arguments[self._rest] = whole | rest if isinstance(whole, dict) else whole
        return arguments

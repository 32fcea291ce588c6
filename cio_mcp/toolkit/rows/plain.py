"""Rows with nothing wrong, checked fast: what a value is as an argument is found out once for a whole call.

Any other row is left to the form, which checks it as a whole and says what is wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments import Single
from cio_mcp.toolkit.parse_context import ParseContext
from cio_mcp.toolkit.rows.checks import RowReading
from cio_mcp.toolkit.rows.columns import AS_IS, Column, Meanings
from cio_mcp.toolkit.rows.table import Row
from cio_mcp.toolkit.sizes import PLAIN


class _Read(NamedTuple):
    """What a cell is as an argument, with what there is to tell of it, and the time that it stands for."""

    value: Any
    notes: Sequence[str] = ()
    times: Sequence[int] = ()


# Of a blank cell of which a kind was told: it changes nothing.
_BLANK = _Read(None)


class _Slot(NamedTuple):
    """A column: the argument that its cells are, or their name in the rest; `known` are cells read before."""

    name: str
    target: str
    column: Column | None
    known: dict[tuple[type, Any], _Read | None]


class _Shape(NamedTuple):
    """What the columns of a row are for."""

    arguments: list[_Slot]
    rest: list[_Slot]


class Plain:
    """Checks the rows of one call.

    `single` checks one argument. `fields` are all arguments with their defaults, ... where one
    is required, `rest` is the one that takes what is no argument, and `defaults` has what the call says for
    all rows.
    """

    def __init__(
        self,
        single: Callable[[str], Single],
        fields: Mapping[str, Any],
        rest: str,
        columns: Meanings,
        defaults: Mapping[str, Any],
        around: ParseContext,
    ) -> None:
        self._single, self._fields, self._rest = single, fields, rest
        self._columns, self._defaults, self._around = columns, defaults, around
        self._context = around.anew()
        self._shapes: dict[tuple[str, ...], _Shape | None] = {}
        self._slots: dict[tuple[str, str], _Slot] = {}
        self._base: dict[str, Any] | None = dict(fields)
        for name, value in defaults.items():
            read = self._read(_Slot(name, name, None, {}), value)
            self._base = self._base | {name: read.value} if self._base and read and not read.notes else None

    def read(self, row: Row) -> tuple[RowReading, list[str], tuple[str, ...]] | None:
        """Return what a row says, notes on it, and no fault; None if there may be something wrong with it."""
        values = row.values
        names = tuple(values)
        if names not in self._shapes:
            self._shapes[names] = self._shape(names)
        shape = self._shapes[names]
        if shape is None or row.fault or self._base is None:
            return None
        found = self._base.copy()
        notes: list[str] = []
        times: list[tuple[Any, int]] = []
        for slot in shape.arguments:
            cell = values[slot.name]
            if cell.__class__ not in PLAIN:
                return None
            key = (cell.__class__, cell)  # 1 is not true
            if key not in slot.known:
                slot.known[key] = self._read(slot, cell)
            if (read := slot.known[key]) is None:
                return None
            if read is not _BLANK:
                found[slot.target] = read.value
                notes += read.notes
                times += [(cell, at) for at in read.times]
        if shape.rest and not self._read_rest(shape.rest, values, found, notes, times):
            return None
        return RowReading(row, found, times), notes, ()

    def _shape(self, names: tuple[str, ...]) -> _Shape | None:
        """Return what columns of these names are for, None where only the whole row tells."""
        targets: dict[str, str] = {}
        for name in names:
            column = self._columns.get(name)
            if column is None and name in self._columns:
                continue
            if targets.setdefault(column.target if column else name, name) != name:
                return None
        if self._rest in targets or self._rest in self._defaults:
            return None
        if "customer_id" not in targets and "id_type" in self._defaults:
            kind = str(self._defaults["id_type"])
            if "id_type" in targets or kind not in targets:
                return None
            targets["customer_id"] = targets.pop(kind)
        required = {name for name, default in self._fields.items() if default is ...}
        if not required <= targets.keys() | self._defaults.keys():
            return None
        slots = [self._slot(name, target) for target, name in targets.items()]
        return _Shape(
            [slot for slot in slots if slot.target in self._fields],
            [slot for slot in slots if slot.target not in self._fields],
        )

    def _slot(self, name: str, target: str) -> _Slot:
        column = self._columns.get(name)
        told = column if column and column.kind != AS_IS else None
        return self._slots.setdefault((name, target), _Slot(name, target, told, {}))

    def _read(self, slot: _Slot, cell: Any) -> _Read | None:
        context = self._context
        try:
            if slot.column:
                if isinstance(cell, str) and not cell.strip():
                    return None if self._fields[slot.target] is ... else _BLANK
                cell = slot.column.value(cell, context)
            value = self._single(slot.target).value(cell, context)
            self._around.check({slot.target: value})
        except (InvalidArgument, ValueError, OverflowError, RecursionError):
            self._context = self._around.anew()
            return None
        if not context.notes and not context.times:
            return _Read(value)
        self._context = self._around.anew()
        return _Read(value, context.notes, tuple(context.times.values()))

    def _read_rest(
        self,
        rest: list[_Slot],
        values: Mapping[str, Any],
        found: dict[str, Any],
        notes: list[str],
        times: list[tuple[Any, int]],
    ) -> bool:
        """Add what is no argument; say whether it is right."""
        context = self._context
        given: dict[str, Any] = {}
        try:
            for slot in rest:
                cell = values[slot.name]
                if slot.column:
                    if isinstance(cell, str) and not cell.strip():
                        continue
                    given[slot.target] = slot.column.value(cell, context)
                    times += [(cell, context.times.pop(name)) for name in list(context.times)]
                else:
                    given[slot.target] = cell
            if given:
                found[self._rest] = self._single(self._rest).value(given, context)
                self._around.check({self._rest: found[self._rest]})
        except (InvalidArgument, ValueError, OverflowError, RecursionError):
            self._context = self._around.anew()
            return False
        if context.notes:
            notes += context.notes
            self._context = self._around.anew()
        return True

"""Reading rows: each cell as the argument that its column stands for, or what is wrong with it.

Cells that are alike are read once in a call: most columns of a table hold the same few values.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments.parse_context import ParseContext
from cio_mcp.toolkit.arguments.parsing import Single
from cio_mcp.toolkit.arguments.sizes import PLAIN
from cio_mcp.toolkit.arguments.values import is_date
from cio_mcp.toolkit.rows.checks import RowReading
from cio_mcp.toolkit.rows.columns import AS_IS, ISO, Column, Meanings
from cio_mcp.toolkit.rows.table import Row

# So many characters of a cell are named in a refusal.
LETTERS = 80

# Types of cells that are the same where they are equal: 0.0 equals -0.0.
ALIKE = PLAIN - {float}

# In place of a cell's value: it says nothing, or nothing that is right.
_ABSENT: Any = object()


class _Told(NamedTuple):
    """What there is to tell of a cell: notes, the times that it stands for, what is wrong with it."""

    notes: Sequence[str] = ()
    times: Sequence[int] = ()
    faults: Sequence[str] = ()


class _Slot(NamedTuple):
    """A column, and the argument that its cells are, or their name in the rest.

    `column` says how they are read, if that was told. `known` are cells that were read before.
    """

    name: str
    target: str
    column: Column | None
    in_rest: bool
    known: dict[tuple[type, Any], tuple[Any, _Told | None]]


class _Shape(NamedTuple):
    """What the columns of a row are for.

    `read` are those that are arguments, or are read in a way that was told; `rest` are names, and columns, of
    all that is no argument. `faults` are those of each row of this shape. The cells of the column `by_kind`,
    if there is one, say which other column names the customer: then there is nothing else here.
    """

    read: Sequence[_Slot] = ()
    rest: Sequence[tuple[str, str]] = ()
    faults: Sequence[str] = ()
    by_kind: _Slot | None = None


class RowReader:
    """Reads the rows of one call.

    `single` checks one argument. `fields` are all arguments with their defaults, ... where one is required,
    `rest` is the one that takes what is no argument, and `defaults` has what the call says for all rows.
    `hint` says how to correct rows, once one needs it.
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
        self._single, self._columns, self._defaults, self._around = single, columns, defaults, around
        self._required = {name for name, default in fields.items() if default is ...} - defaults.keys()
        self._base: dict[str, Any] = {
            name: None if default is ... else default for name, default in fields.items()
        }
        self._base |= {name: single(name).value(value, around.anew()) for name, value in defaults.items()}
        self._whole_rest = _Slot(rest, rest, None, False, {})
        self._shapes: dict[tuple[tuple[str, ...], str], _Shape] = {}
        self._slots: dict[tuple[str, str], _Slot] = {}
        self._context = around.anew()
        self.hint = ""

    def read(self, row: Row) -> tuple[RowReading, list[str], list[str]]:
        """Return what is right of a row, notes on it, and what is wrong with it."""
        values = row.values
        shape = self._shape(tuple(values))
        if shape.by_kind:
            kind, _ = self._cell(shape.by_kind, values)
            shape = self._shape(tuple(values), self._base["id_type"] if kind is _ABSENT else kind)
        arguments = self._base.copy()
        rest = {target: values[name] for target, name in shape.rest}
        one, faults = RowReading(row, arguments, []), [*shape.faults]
        notes: list[str] = []
        for slot in shape.read:
            value, told = self._cell(slot, values)
            if value is not _ABSENT:
                (rest if slot.in_rest else arguments)[slot.target] = value
            elif slot.in_rest:
                del rest[slot.target]
            if told:
                notes += told.notes
                faults += told.faults
                one.times += [(values[slot.name], at, slot.column) for at in told.times]
        if rest:
            slot = self._whole_rest  # which can be a column too, with JSON in its cells
            value, told = self._read(slot, (arguments[slot.target] or {}) | rest)
            if value is not _ABSENT:
                arguments[slot.target] = value
            if told:
                notes += [note for note in told.notes if note not in notes]
                faults += told.faults
        return one, notes, faults

    def _cell(self, slot: _Slot, values: Mapping[str, Any]) -> tuple[Any, _Told | None]:
        """Return what a row's cell of a column is, as `_read` does."""
        cell = values[slot.name]
        if cell.__class__ not in ALIKE:
            return self._read(slot, cell)
        key = (cell.__class__, cell)  # 1 is not true
        return slot.known.get(key) or slot.known.setdefault(key, self._read(slot, cell))

    def _read(self, slot: _Slot, cell: Any) -> tuple[Any, _Told | None]:
        """Return what a cell is, and what there is to tell of it, if anything."""
        context = self._context
        try:
            value = self._value(slot, cell, context)
            if not context.notes and not context.times:
                return value, None
            told = _Told(context.notes, tuple(context.times.values()))
        except InvalidArgument as wrong:
            value, told = _ABSENT, _Told(faults=wrong.faults)
        self._context = self._around.anew()
        return value, told

    def _value(self, slot: _Slot, cell: Any, context: ParseContext) -> Any:
        """Return the value of a cell; raises InvalidArgument."""
        if slot.column:
            if isinstance(cell, str) and not cell.strip():
                cell = _ABSENT  # blank, it changes nothing
            else:
                try:
                    cell = slot.column.value(cell, context)
                except (ValueError, OverflowError, RecursionError) as error:
                    raise InvalidArgument(f"{slot.name}: {str(cell)[:LETTERS]!r} {error}") from None
        if slot.in_rest:
            return cell
        single = self._single(slot.target)
        if cell is _ABSENT or single.is_absent(cell):
            if slot.target in self._required:
                raise InvalidArgument(f"{slot.target}: is required")
            return _ABSENT
        try:
            value = single.value(cell, context)
        except InvalidArgument:
            if is_date(cell) and not ISO.fullmatch(cell):
                meaning = f'"{slot.name}": "{slot.target}:date(dayfirst)"'
                self.hint = self.hint or f"{cell} is read with {meaning} in columns, or date(monthfirst)."
            raise
        self._around.check({slot.target: value})
        return value

    def _shape(self, names: tuple[str, ...], kind: str = "") -> _Shape:
        """Return what columns of these names are for; `kind` is the one that names the customer, if told."""
        if (known := self._shapes.get((names, kind))) is None:
            known = self._shapes[names, kind] = self._shape_of(names, kind)
        return known

    def _shape_of(self, names: tuple[str, ...], kind: str) -> _Shape:
        slots: dict[str, _Slot] = {}
        faults = []
        for name in names:
            column = self._columns.get(name)
            if column is None and name in self._columns:
                continue
            target = column.target if column else name
            if target in slots:
                faults.append(
                    f"{target}: columns {slots[target].name} and {name} both hold it; leave one out"
                )
            else:
                slots[target] = self._slot(name, target, column)
        if "customer_id" not in slots and "id_type" in self._defaults:
            if "id_type" in slots and not kind:
                return _Shape(by_kind=slots["id_type"])
            if named := slots.pop(kind or str(self._defaults["id_type"]), None):
                slots["customer_id"] = self._slot(named.name, "customer_id", named.column)
        faults += [f"{name}: is required" for name in self._base if name in self._required - slots.keys()]
        return _Shape(
            [slot for slot in slots.values() if slot.column or not slot.in_rest],
            [(slot.target, slot.name) for slot in slots.values() if slot.in_rest],
            faults,
        )

    def _slot(self, name: str, target: str, column: Column | None) -> _Slot:
        """Return the slot of a column, the same one for all shapes."""
        told = column if column and column.kind != AS_IS else None
        return self._slots.setdefault((name, target), _Slot(name, target, told, target not in self._base, {}))

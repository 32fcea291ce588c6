"""What each column of a file means: as it is told, or guessed from its name and its first values."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from cio_mcp.errors import SettingsError
from cio_mcp.toolkit.rows.table import Row
from cio_mcp.toolkit.times import is_zone, unix_seconds

KINDS = ("as_is", "text", "number", "boolean", "date", "json")
ORDERS = ("dayfirst", "monthfirst", "yearfirst")

NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,10})?", re.ASCII)
ISO = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?|\d{9,10}", re.ASCII)
DATE = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-]\d{2,4}( .*)?", re.ASCII)
CODE = re.compile(r"\+?0\d+", re.ASCII)
BOOLEAN = re.compile("true|false", re.IGNORECASE)

# One value in so many may be of another form than its column is taken for.
FEW = 20

BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

# Names of columns, in any case and without signs, for arguments.
NAMES = {
    "customer_id": "id customerid userid kundennummer kundenid clientid idcliente identifiant kundid",
    "object_id": "id objectid companyid company accountid account firma",
    "email": "email mail emailaddress emailadresse correo correoelectronico courriel adresseemail eposta",
    "phone": "phone phonenumber mobile telefon handy telephone telefono",
    "created_at": "createdat signup signupat signedup signupdate registered registriertam angemeldetam",
    "timestamp": "timestamp",
    "name": "name event eventname",
}

# Arguments that are texts, whatever they look like.
IDENTIFIERS = {
    *("customer_id", "object_id", "object_type_id", "email", "phone", "name", "id_type", "event_id"),
}

# A column that is left out; a file of rejected rows has one with the reasons.
LEFT_OUT, REASON = "-", "cio_mcp_reason"


@dataclass(frozen=True)
class Column:
    """What a column means: the argument or attribute `target`, the kind of its values, how dates are read."""

    target: str
    kind: str = "as_is"
    order: str = ""
    zone: str = ""

    def __str__(self) -> str:
        inside = ", ".join(part for part in (self.order, self.zone) if part)
        kind = "" if self.kind == "as_is" else f":{self.kind}" + (f"({inside})" if inside else "")
        return f"{self.target}{kind}"

    def value(self, cell: Any) -> Any:
        """Return what a cell means; raises ValueError."""
        if not isinstance(cell, str) or self.kind == "text":
            return str(cell) if self.kind == "text" else cell
        text = cell.strip()
        if self.kind == "as_is":
            return text
        if self.kind == "number":
            if not NUMBER.fullmatch(text):
                message = "is no number"
                raise ValueError(message)
            return json.loads(text)
        if self.kind == "boolean":
            if (found := BOOLEANS.get(text.lower())) is None:
                message = "is neither true nor false"
                raise ValueError(message)
            return found
        return self._date(text) if self.kind == "date" else json.loads(text)

    def _date(self, text: str) -> int:
        if not self.order or ISO.fullmatch(text):  # which no order of days and months can change
            return unix_seconds(text, self.zone or "UTC")
        from dateutil import parser  # noqa: PLC0415 - an extra

        # What a date lacks is taken from a default: where two defaults make a difference, it lacks a day.
        first = {"dayfirst": self.order == "dayfirst", "yearfirst": self.order == "yearfirst"}
        defaults = datetime(2000, 1, 1), datetime(2004, 2, 2)
        try:
            found, other = (parser.parse(text, default=default, **first) for default in defaults)  # type: ignore[call-overload]
        except (ValueError, OverflowError):
            found, other = None, None
        if found is None or found != other:
            message = "is no complete date"
            raise ValueError(message)
        return unix_seconds(found.isoformat(), self.zone or "UTC")


Columns = Mapping[str, Column]


def told(texts: Iterable[str]) -> dict[str, Column]:
    """Read `COLUMN=TARGET:KIND(…)`; raises SettingsError."""
    found: dict[str, Column] = {}
    for text in texts:
        name, equals, meaning = text.rpartition("=")
        parts = re.fullmatch(r"(?P<target>[^:]+)(:(?P<kind>\w+)(\((?P<inside>[^)]*)\))?)?", meaning)
        if not equals or not parts:
            raise SettingsError(
                f"--map {text}: write it as 'Sign up=created_at:date(dayfirst,Europe/Berlin)'"
            )
        inside = [part.strip() for part in (parts["inside"] or "").split(",") if part.strip()]
        order = next((part for part in inside if part in ORDERS), "")
        zone = next((part for part in inside if is_zone(part)), "")
        if len(inside) != bool(order) + bool(zone) or (parts["kind"] or KINDS[0]) not in KINDS:
            kinds = f"{', '.join(KINDS[1:])}, and date may have {', '.join(ORDERS)} and a time zone"
            raise SettingsError(f"--map {text}: the kinds are {kinds}")
        found[name] = Column(parts["target"].strip(), parts["kind"] or KINDS[0], order, zone)
    return found


def guessed(
    rows: Sequence[Row], given: Mapping[str, Column], arguments: Iterable[str], zone: str, id_type: str
) -> dict[str, Column]:
    """Return what each column of the first rows means, as told or as guessed.

    Raises SettingsError for a column that is not there, and for dates whose order cannot be told.
    """
    cells: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in () if row.fault else row.values.items():
            cells.setdefault(name, []).append(value)
    if missing := [name for name in given if name not in cells]:
        raise SettingsError(f"--map: there is no column {missing[0]}; there are {', '.join(cells)}")
    known, taken = set(arguments), {column.target for column in given.values()}
    found = {
        name: replace(column, zone=column.zone or zone) if column.kind == "date" else column
        for name, column in given.items()
    }
    for name, values in cells.items():
        if name not in found:
            target = _target(name, known, taken, id_type)
            taken.add(target)
            found[name] = _guess(name, target, [value for value in values if value not in (None, "")], zone)
    if any(column.order for column in found.values()) and find_spec("dateutil") is None:
        raise SettingsError("dates in other forms than ISO 8601 need pip install 'cio-mcp[load]'")
    return {name: found[name] for name in cells}


def _target(name: str, known: set[str], taken: set[str], id_type: str) -> str:
    if name == REASON:
        return LEFT_OUT
    folded = re.sub(r"[\W_]+", "", name).casefold()
    for argument, names in NAMES.items():
        target = "customer_id" if argument == id_type else argument
        if folded in names.split() and (target in known or argument == "phone") and target not in taken:
            return target
    return name


def _guess(name: str, target: str, values: list[Any], zone: str) -> Column:
    texts = [value.strip() for value in values if isinstance(value, str) and value.strip()]
    if not texts or len(texts) < len(values):
        return Column(target)
    if target in {"created_at", "timestamp"}:
        iso, local = (sum(map(bool, map(form.fullmatch, texts))) for form in (ISO, DATE))
        return Column(target, "date", "" if iso > local else _order(name, texts), zone)
    if target in IDENTIFIERS:
        return Column(target)
    if _are(NUMBER, texts) and not any(map(CODE.fullmatch, texts)):
        return Column(target, "number")
    return Column(target, "boolean" if _are(BOOLEAN, texts) else "as_is")


def _are(form: re.Pattern[str], texts: list[str]) -> bool:
    """Say whether values are of a form, all but a few that are then rejected."""
    return sum(not form.fullmatch(text) for text in texts) * FEW <= len(texts)


def _order(name: str, texts: list[str]) -> str:
    """Return in which order day and month stand; raises SettingsError where both orders fit."""
    pairs = [(int(parts[1]), int(parts[2])) for text in texts if (parts := DATE.fullmatch(text))]
    days, months = any(first > 12 for first, _ in pairs), any(second > 12 for _, second in pairs)
    if days == months:
        example = f"--map '{name}=created_at:date(dayfirst)'"
        raise SettingsError(f"{name}: it is unclear how {texts[0]} is read; say it with {example}")
    return "dayfirst" if days else "monthfirst"


def mapped(row: Row, columns: Columns) -> dict[str, Any]:
    """Return the arguments that a row stands for; raises ValueError that names column and value."""
    if row.fault:
        raise ValueError(row.fault)
    arguments: dict[str, Any] = {}
    for name, cell in row.values.items():
        column = columns.get(name) or Column(name)
        if column.target == LEFT_OUT or (isinstance(cell, str) and not cell.strip()):
            continue
        try:
            arguments[column.target] = column.value(cell)
        except (ValueError, OverflowError, RecursionError) as error:
            message = f"{name}: {str(cell)[:80]!r} {error}"
            raise ValueError(message) from None
    return arguments


def as_facts(columns: Columns) -> dict[str, dict[str, str]]:
    """Return columns for a journal."""
    return {name: asdict(column) for name, column in columns.items()}

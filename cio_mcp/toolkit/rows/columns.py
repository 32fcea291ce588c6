"""What a column means: the argument, attribute or field of data that it fills, and how its cells are read."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator

from cio_mcp.toolkit.arguments.parse_context import ParseContext
from cio_mcp.toolkit.arguments.sizes import size_of
from cio_mcp.toolkit.arguments.times import instant, is_zone
from cio_mcp.toolkit.arguments.types import JsonObject

AS_IS = "as_is"
KINDS = (AS_IS, "text", "number", "boolean", "date", "json", "lower")
ORDERS = ("dayfirst", "monthfirst", "yearfirst")

# What stands before the decimals of a number, and between its groups of three digits.
DECIMALS = {"comma": (",", "[. \u00a0\u202f'\u2019]"), "point": (".", "[, \u00a0\u202f'\u2019]")}

YES = "true yes y ja j oui sí si sim tak wahr vrai on 1"
NO = "false no n nein non não nao nej nee nie falsch faux off 0"
OPPOSITE = "not"
BOOLEANS = dict.fromkeys(YES.split(), True) | dict.fromkeys(NO.split(), False)

HOW = (
    "a name, or null to leave the column out; with how its cells are read, if needed, as "
    '"created_at:date(dayfirst)", ":number(comma)", ":boolean", ":boolean(not)", ":lower", ":text" or ":json"'
)

NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,10})?", re.ASCII)
LIKE_NUMBER = re.compile(r"-?\d[\d.,'\u2019\s]*")
ISO = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?|\d{9,10}", re.ASCII)

_WRITTEN = re.compile(r"(?P<target>.*?)(:\s*(?P<kind>\w+)\s*(?P<inside>\([^()]*\))?\s*)?", re.DOTALL)
_DATE = re.compile(
    r"(?P<first>\d{1,4})[./-](?P<second>\d{1,2})[./-](?P<third>\d{4}|\d{1,2})"
    r"([\sT,]+(?P<hour>\d{1,2}):(?P<rest>\d\d(:\d\d)?(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?))?",
    re.ASCII | re.IGNORECASE,
)

# Numbers of a day, a month and a year anywhere in a date.
_NUMBERS = re.compile(r"(?<![\d:.,])\d{1,4}[^\w:]+\d{1,2}[^\w:]+(\d{4}|\d\d)(?![\d:])", re.ASCII)

NO_DATE = "is not a complete date"

# A year of two digits is one from this year on, as POSIX has it.
CENTURY = 1969


@dataclass(frozen=True)
class Column:
    """What a column means: its target, the kind of its values, and how dates and decimals are written.

    Without a target a column keeps its name. With an `opposite` word, yes is read as false and no as true.
    """

    target: str
    kind: str = AS_IS
    order: str = ""
    zone: str = ""
    decimal: str = ""
    opposite: str = ""

    def __str__(self) -> str:
        inside = ", ".join(filter(None, (self.order, self.zone, self.decimal, self.opposite)))
        kind = "" if self.kind == AS_IS else f":{self.kind}" + (f"({inside})" if inside else "")
        return f"{self.target}{kind}"

    @classmethod
    def read(cls, written: str) -> "Column":
        """Read what a column means, as `created_at:date(dayfirst,Europe/Berlin)`; raises ValueError."""
        parts = _WRITTEN.fullmatch(written)
        kind, inside = (parts["kind"], parts["inside"]) if parts else (None, None)
        if not kind and ":" not in written:
            return cls(written.strip())
        words = [word.strip() for word in (inside or "()")[1:-1].split(",") if word.strip()]
        order = next((word for word in words if word in ORDERS and kind == "date"), "")
        zone = next((word for word in words if is_zone(word) and kind == "date"), "")
        decimal = next((word for word in words if word in DECIMALS and kind == "number"), "")
        opposite = next((word for word in words if word == OPPOSITE and kind == "boolean"), "")
        known = sum(map(bool, (order, zone, decimal, opposite)))
        if not parts or kind not in KINDS or len(words) != known:
            message = (
                f"the kinds are {', '.join(KINDS[1:])}; date may have {', '.join(ORDERS)} and a time zone, "
                f"number {' or '.join(DECIMALS)}, and boolean {OPPOSITE} where a column says the opposite; "
                f"a name with a colon ends in :{AS_IS}"
            )
            raise ValueError(message)
        return cls(parts["target"].strip(), kind, order, zone, decimal, opposite)

    def value(self, cell: Any, context: ParseContext) -> Any:
        """Return what a cell means, and put how a time was read into the context; raises ValueError."""
        if self.kind == AS_IS or cell is None or (self.kind == "json" and not isinstance(cell, str)):
            return cell.strip() if isinstance(cell, str) else cell
        text = cell.strip() if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
        match self.kind:
            case "number":
                return cell if type(cell) in {int, float} else _number(text, self.decimal)
            case "boolean":
                if (found := BOOLEANS.get(text.casefold())) is None:
                    message = "is neither true nor false"
                    raise ValueError(message)
                return found is not bool(self.opposite)
            case "date":
                return self._date(text if isinstance(cell, str) else cell, context)
            case "json":
                size_of(found := json.loads(text))
                return found
            case "lower":
                text = text.lower()
            case "text" if isinstance(cell, str):
                text = cell
        return text

    def _date(self, cell: Any, context: ParseContext) -> int:
        seconds, unclear = instant(self._in_iso(cell), self.zone or context.timezone)
        if unclear:
            context.notes.append(f"{self.target}: {unclear}")
        context.times[self.target] = seconds
        return seconds

    def _in_iso(self, text: Any) -> Any:
        """Return a date as ISO 8601, and what no order concerns as it is; raises ValueError."""
        if not isinstance(text, str) or ISO.fullmatch(text):
            return text
        if not self.order and _DATE.fullmatch(text):
            message = "must have its order of day and month stated: date(dayfirst) or date(monthfirst)"
            raise ValueError(message)
        return _in_order(text, self.order) if self.order else text


def decimal_of(texts: Sequence[str]) -> str:
    """Return what stands before the decimals of numbers that are certain to be no others; else ""."""
    read = {decimal: all(_plain(text, decimal) for text in texts) for decimal in DECIMALS}
    # 1,234 can be a number of either kind.
    fitting = [decimal for decimal, fits in read.items() if fits]
    return fitting[0] if len(fitting) == 1 else ""


def is_ambiguous(text: str) -> bool:
    """Say whether a number has another value with a decimal comma than with a decimal point."""
    first, second = (_plain(text, decimal) for decimal in DECIMALS)
    return bool(first and second) and first != second


def _plain(text: str, decimal: str) -> str:
    """Return a number without separators and with a point; "" for what is no such number."""
    point, group = DECIMALS[decimal]
    form = rf"-?(\d{{1,3}}({group}\d{{3}})+|\d+)({re.escape(point)}\d+)?"
    text = re.sub(group, "", text).replace(point, ".") if re.fullmatch(form, text, re.ASCII) else ""
    return text if NUMBER.fullmatch(text) else ""


def _number(text: str, decimal: str) -> Any:
    if decimal:
        text = _plain(text, decimal)
    if not NUMBER.fullmatch(text):
        hint = "" if decimal else "; number(comma) and number(point) read separators"
        message = f"is not a number{f' with a decimal {decimal}' if decimal else hint}"
        raise ValueError(message)
    return float(text) if "." in text else int(text)


def _in_order(text: str, order: str) -> str:
    """Return a date in this order of day, month and year as ISO 8601; raises ValueError."""
    if not (parts := _DATE.fullmatch(text)):
        return _in_words(text, order)
    first, second, third = parts["first"], parts["second"], parts["third"]
    if len(first) == 4 or order == "yearfirst":  # nobody writes year, day and month
        year, month, day = first, second, third
    else:
        year, (day, month) = third, (first, second) if order == "dayfirst" else (second, first)
    if len(year) not in {2, 4}:
        raise ValueError(NO_DATE)
    whole = int(year) if len(year) == 4 else _whole(int(year))
    time = f"T{parts['hour']:0>2}:{parts['rest'].replace(' ', '')}" if parts["hour"] else ""
    try:
        return datetime.fromisoformat(f"{whole:04}-{month:0>2}-{day:0>2}{time}").isoformat()
    except ValueError:
        raise ValueError(NO_DATE) from None


def _whole(year: int) -> int:
    """Return the year that two digits mean."""
    return year + (2000 if year + 2000 < CENTURY + 100 else 1900)


def _in_words(text: str, order: str) -> str:
    """Return a date in words, such as 3 Mar 2026, as ISO 8601; raises ValueError."""
    try:
        from dateutil import parser  # noqa: PLC0415 - an extra
    except ImportError:
        message = "is not a date in numbers; other forms need pip install 'cio-mcp[load]'"
        raise ValueError(message) from None

    # What a date lacks is taken from a default: where two defaults make a difference, it lacks a day.
    defaults = datetime(2000, 1, 1), datetime(2004, 2, 2)
    known = parser.parserinfo(dayfirst=order == "dayfirst", yearfirst=order == "yearfirst")
    known.convertyear = lambda year, century_specified=False: (  # type: ignore[method-assign]
        year if century_specified or year > 99 else _whole(year)
    )
    try:
        found, other = (parser.parser(known).parse(text, default=default) for default in defaults)
    except (ValueError, OverflowError):
        found, other = None, None
    if found is None or found != other:
        raise ValueError(NO_DATE)
    # Where the order that was told fits no date, another is tried by this parser.
    numbers = _NUMBERS.search(text)
    if numbers and found.isoformat()[:10] != _in_order(re.sub(r"\D+", "/", numbers[0]), order)[:10]:
        raise ValueError(NO_DATE)
    return str(found.isoformat())


def _columns(written: dict[str, Any]) -> dict[str, Column | None]:
    found: dict[str, Column | None] = {}
    for name, meant in written.items():
        if meant is None or meant == "":
            found[name] = None
            continue
        if not isinstance(meant, str):
            message = f"{name}: must be {HOW}"
            raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors
        try:
            column = Column.read(meant)
        except ValueError as error:
            message = f"{name}: {error}"
            raise ValueError(message) from None
        found[name] = replace(column, target=column.target or name)
    return found


# Columns by name; None for one that is left out.
Meanings = Mapping[str, Column | None]
Columns = Annotated[JsonObject, AfterValidator(_columns)]

"""Filters of dates. Customer.io keeps times as unix seconds; without a zone they are in UTC."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cio_mcp.liquid.filters.table import Table, number, whole, written, wrong

filters = Table()

# Unix seconds from year 1 to year 9999.
_FIRST, _LAST = -62_135_596_800, 253_402_300_799

_DIRECTIVE = re.compile(r"%([-_0^#]?)(\d{0,2})([a-zA-Z%+])")
_PLAIN = {"P": "%p", "v": "%e-%b-%Y", "D": "%m/%d/%y", "F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M"} | {
    "r": "%I:%M:%S %p",
    "c": "%a %b %e %H:%M:%S %Y",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
    "h": "%b",
}
_SUFFIXES = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


@filters("date", in_context=True)
def date(context: Any, value: Any, pattern: Any = "%A, %B %-e, %Y at %-l:%M %P %z", zone: Any = None) -> Any:
    """Write a time; what is no time stays as it is."""
    found = _moment(context, value)
    return value if found is None else _formatted(found.astimezone(_zone(zone)), _metered(context, pattern))


def _metered(context: Any, pattern: Any) -> str:
    """Return a pattern; each of its directives is a step or two."""
    text = written(pattern)
    context.meter.tick(2 * text.count("%"))
    return text


@filters("date_to_string", in_context=True)
def date_to_string(context: Any, value: Any, ordinal: Any = "", style: Any = "") -> Any:
    return _long(context, value, "%b", ordinal, style)


@filters("date_to_long_string", in_context=True)
def date_to_long_string(context: Any, value: Any, ordinal: Any = "", style: Any = "") -> Any:
    return _long(context, value, "%B", ordinal, style)


def _long(context: Any, value: Any, month: str, ordinal: Any, style: Any) -> Any:
    if (found := _moment(context, value)) is None:
        return value
    if ordinal != "ordinal":
        return _formatted(found, f"%d {month} %Y")
    day = f"{found.day}{_SUFFIXES.get(found.day, 'th')}"
    return _formatted(found, f"{month} {day}, %Y" if style == "US" else f"{day} {month} %Y")


@filters("date_to_rfc822", in_context=True)
def date_to_rfc822(context: Any, value: Any) -> Any:
    found = _moment(context, value)
    return value if found is None else _formatted(found, "%a, %d %b %Y %H:%M:%S %z")


@filters("date_to_xmlschema", in_context=True)
def date_to_xmlschema(context: Any, value: Any) -> Any:
    found = _moment(context, value)
    return value if found is None else found.replace(microsecond=0).isoformat()


@filters("add_day")
def add_day(value: Any, count: Any) -> int:
    return _shifted(value, days=whole(count))


@filters("subtract_day")
def subtract_day(value: Any, count: Any) -> int:
    return _shifted(value, days=-whole(count))


@filters("add_month")
def add_month(value: Any, count: Any) -> int:
    return _shifted(value, months=whole(count))


@filters("subtract_month")
def subtract_month(value: Any, count: Any) -> int:
    return _shifted(value, months=-whole(count))


@filters("add_year")
def add_year(value: Any, count: Any) -> int:
    return _shifted(value, months=12 * whole(count))


@filters("subtract_year")
def subtract_year(value: Any, count: Any) -> int:
    return _shifted(value, months=-12 * whole(count))


def _shifted(value: Any, *, days: int = 0, months: int = 0) -> int:
    """Return unix seconds some days or months later; at the end of a short month its last day."""
    found = _at(number(value))
    try:
        year, month = divmod(found.year * 12 + found.month - 1 + months, 12)
        day = min(found.day, monthrange(year, month + 1)[1])
        moved = found.replace(year=year, month=month + 1, day=day) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise wrong("a time is too far away") from None
    return int(moved.timestamp())


def _moment(context: Any, value: Any) -> datetime | None:
    if value in ("now", "today"):
        return _at(context.now)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _at(value)
    if not isinstance(value, str):
        return None
    if re.fullmatch(r"\s*\d{1,15}(\.\d{1,9})?\s*", value):
        return _at(float(value))
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _at(seconds: float) -> datetime:
    if not _FIRST <= seconds <= _LAST:
        raise wrong("a time is too far away; times are unix seconds")
    return datetime.fromtimestamp(seconds, UTC)


def _zone(zone: Any) -> tzinfo:
    """Return a zone: by its name, or in minutes to be added to get UTC, as JavaScript has them."""
    if zone in (None, ""):
        return UTC
    if re.fullmatch(r"-?\d{1,4}", written(zone)):
        return timezone(-timedelta(minutes=max(-1439, min(1439, whole(zone)))))
    try:
        return ZoneInfo(written(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise wrong(f"the time zone {written(zone)[:40]!r} is not known here") from None


def _formatted(moment: datetime, pattern: str) -> str:
    return _DIRECTIVE.sub(lambda directive: _directive(moment, directive), pattern)


def _directive(moment: datetime, directive: re.Match[str]) -> str:
    flag, _, letter = directive.groups()
    hour = moment.hour % 12 or 12
    day = f"{moment.day}{_SUFFIXES.get(moment.day, 'th')}"
    own = {
        "s": str(int(moment.timestamp())),
        "L": f"{moment.microsecond // 1000:03}",
        "%": "%",
        "n": "\n",
    } | {
        "e": f"{moment.day:2}",
        "l": f"{hour:2}",
        "k": f"{moment.hour:2}",
        "q": day[-2:],
        "N": f"{moment.microsecond:06}000",
    }
    if letter in own:
        found = own[letter]
    elif letter in _PLAIN:
        found = _formatted(moment, _PLAIN[letter])
    else:
        found = moment.strftime(f"%{letter}") if letter in "aAbBCdgGHIjmMpSuUVwWyYzZ" else directive[0]
    if letter == "P":
        return found.lower()
    if flag == "-":
        return found.lstrip("0 ") or "0"
    if flag == "_":
        return re.sub(r"^0+(?=\d)", lambda zeros: " " * len(zeros[0]), found)
    return found.upper() if flag == "^" else found

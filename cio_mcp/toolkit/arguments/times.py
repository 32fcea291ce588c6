"""Times: parsing what agents write, and formatting answers."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, TypeGuard
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, WrapValidator

from cio_mcp.toolkit.arguments.parse_context import context_of

_NUMBER = re.compile(r"\s*-?\d+(\.\d+)?\s*")

# A number counts as unix seconds only if it lies between 2000 and 2100. Any other is probably a date written
# as a number (20261201) or a time in another unit.
FIRST, LAST = 946_684_800, 4_102_444_800

# Number of digits and format of dates that are written as numbers, longest first.
DIGITS = ((14, "%Y%m%d%H%M%S"), (12, "%Y%m%d%H%M"), (8, "%Y%m%d"), (6, "%Y%m"), (4, "%Y"))

# The time zone of metrics in version 1, which cannot be changed (App API, "broadcastMetrics").
EASTERN = "America/New_York"

CHOOSE = "give an offset, such as +01:00, to choose, before it is sent"

# Seconds by which a time to send at may have passed: as long as a confirmation may take.
LATE = 600


def unix_seconds(value: object, timezone: str = "UTC") -> int:
    """Parse unix seconds or ISO 8601, in `timezone` if it names none; raises ValueError."""
    return instant(value, timezone)[0]


def instant(value: object, timezone: str) -> tuple[int, str]:
    """Return a time as unix seconds, and how a local time was read that a change of clocks makes unclear."""
    moment, unclear = None, ""
    try:
        if (moment := _moment(value)) is None:
            seconds = _number(value)
        else:
            if moment.tzinfo is None:
                moment, unclear = _in_zone(moment, timezone)
            seconds = math.floor(moment.timestamp())
    except (ValueError, OverflowError):
        message = "must be ISO 8601 (2026-01-31T09:00:00Z) or unix seconds"
        raise ValueError(message) from None
    if seconds < 0:
        message = "must not be before 1970"
        raise ValueError(message)
    if moment is None and not FIRST <= seconds < LAST:
        raise ValueError(_what_was_meant(seconds))
    return seconds, unclear


def _in_zone(moment: datetime, timezone: str) -> tuple[datetime, str]:
    """Return a local time with its time zone, and a note if the clocks skip or repeat it there."""
    local = moment.replace(tzinfo=UTC if timezone == "UTC" else ZoneInfo(timezone))
    read = local.astimezone(UTC).astimezone(local.tzinfo)
    if read.replace(tzinfo=None) != moment:
        return read, f"the clocks in {timezone} skip {moment.isoformat()}; read as {read.isoformat()}"
    if read.utcoffset() != local.replace(fold=1).utcoffset():
        twice = f"{moment.isoformat()} occurs twice in {timezone}; read as the first, {read.isoformat()}"
        return read, f"{twice}: {CHOOSE}"
    return read, ""


def _moment(value: object) -> datetime | None:
    """Return a time written as ISO 8601, None for a number. A text of eight digits is a date."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text) and not (len(text) == 8 and text.isdecimal()):
        return None
    return datetime.fromisoformat(text)


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or not math.isfinite(float(value)):
        raise ValueError
    return int(float(value))


def _what_was_meant(number: int) -> str:
    """Explain what a number that is not plausible as unix seconds was probably meant to be."""
    digits = str(number)
    for length, form in DIGITS:
        if len(digits) == length:
            try:
                moment = datetime.strptime(digits, form).replace(tzinfo=UTC)
            except ValueError:
                break
            if FIRST <= moment.timestamp() < LAST:
                meant = moment.date() if length <= 8 else moment.isoformat().replace("+00:00", "Z")
                return f'a number is read as unix seconds; did you mean "{meant}"?'
    unit, seconds = "milliseconds", number // 1000
    while seconds >= 1e11:
        unit, seconds = "a finer unit than milliseconds", seconds // 1000
    if number >= 1e11 and FIRST <= seconds < LAST:
        return f"is in {unit}; Customer.io counts seconds: did you mean {seconds}?"
    year = 1970 + number // 31_556_952
    return f"as unix seconds this is in the year {year}; write the time as ISO 8601 (2026-01-31T09:00:00Z)"


def _instant(value: object, asked: ValidationInfo) -> int:
    """Parse the time in an argument, and let the answer tell the instant that it stands for."""
    context = context_of(asked)
    seconds, unclear = instant(value, context.timezone)
    if asked.field_name:
        context.times[asked.field_name] = seconds
        if unclear:
            context.notes.append(f"{asked.field_name}: {unclear}")
    return seconds


def _not_past(seconds: int, asked: ValidationInfo) -> int:
    """Return a time to send at, unless it has passed: Customer.io would send many a message at once."""
    if seconds < context_of(asked).now - LATE:
        message = f"{utc(seconds)} is in the past; correct it, or leave it out to send now"
        raise ValueError(message)
    return seconds


def _zero_or_time(value: object, parse: Callable[[object], int]) -> int:
    return 0 if not isinstance(value, bool) and str(value).strip() == "0" else parse(value)


class Local:
    """Marks a time that people say in a time zone of their own: its tool has the argument `timezone`."""


class Days:
    """Marks a time that begins or ends days of metrics: by default in the zone that all metrics can have."""


Timestamp = Annotated[int, BeforeValidator(_instant), WithJsonSchema({"type": "string"})]

# When to send a message.
SendTime = Annotated[Timestamp, AfterValidator(_not_past), Local]

# When to send a message, or 0 to cancel that.
Schedule = Annotated[SendTime, WrapValidator(_zero_or_time), WithJsonSchema({"type": "string"})]


def is_zone(name: object) -> TypeGuard[str]:
    """Say whether this is the name of a time zone."""
    try:
        return isinstance(name, str) and bool(ZoneInfo(name.strip()))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _zone(name: str) -> str:
    if not is_zone(name):
        message = "is not a known time zone; use a name such as Europe/Berlin, or UTC"
        raise ValueError(message)
    return name


Timezone = Annotated[
    str,
    AfterValidator(str.strip),
    AfterValidator(_zone),
    Field(description="IANA name."),
]


def iso(seconds: float | str | None) -> str | None:
    """Return a unix time as ISO 8601 in UTC; None for None and for values that are not a time."""
    try:
        return utc(float(seconds)) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def local_times(instants: Mapping[str, str], zone: str) -> dict[str, str] | None:
    """Return instants as people in a time zone say them; None without a zone, and where that says no more."""
    if zone in {"", "UTC"}:
        return None
    said = {name: datetime.fromisoformat(when).astimezone(ZoneInfo(zone)) for name, when in instants.items()}
    return {name: f"{when:%A %Y-%m-%d %H:%M} in {zone}" for name, when in said.items()} or None


def utc(seconds: float) -> str:
    """Return a unix time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")

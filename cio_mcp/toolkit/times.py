"""Times: as agents write them, and as they are answered."""

import math
import re
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

_NUMBER = re.compile(r"\s*-?\d+(\.\d+)?\s*")

# A number is taken for unix seconds from 2000 to 2100 only: what lies outside is a date written as a number
# (20261201), or another unit.
FIRST, LAST = 946_684_800, 4_102_444_800

# How dates are written as numbers, the longest first.
DIGITS = ((14, "%Y%m%d%H%M%S"), (12, "%Y%m%d%H%M"), (8, "%Y%m%d"), (6, "%Y%m"), (4, "%Y"))


def unix_seconds(value: object) -> int:
    """Read a time: ISO 8601 (UTC where it names no zone) or unix seconds; raises ValueError."""
    try:
        if (moment := _moment(value)) is not None:
            seconds = math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        else:
            seconds = _number(value)
    except (ValueError, OverflowError):
        message = "must be ISO 8601 (2026-01-31T09:00:00Z) or unix seconds"
        raise ValueError(message) from None
    if seconds < 0:
        message = "must not lie before 1970"
        raise ValueError(message)
    if moment is None and not FIRST <= seconds < LAST:
        raise ValueError(_what_was_meant(seconds))
    return seconds


def _moment(value: object) -> datetime | None:
    """Return a time that is written as ISO 8601; None for a number. Eight digits as text are a date."""
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
    """Say what a number that is no plausible count of seconds probably stands for."""
    digits = str(number)
    for length, form in DIGITS:
        if len(digits) == length:
            try:
                moment = datetime.strptime(digits, form).replace(tzinfo=UTC)
            except ValueError:
                break
            if FIRST <= moment.timestamp() < LAST:
                meant = moment.date() if length <= 8 else moment.isoformat().replace("+00:00", "Z")
                return f'is a number, and numbers are unix seconds; did you mean "{meant}"?'
    unit, seconds = "milliseconds", number // 1000
    while seconds >= 1e11:
        unit, seconds = "a finer unit than milliseconds", seconds // 1000
    if number >= 1e11 and FIRST <= seconds < LAST:
        return f"is in {unit}; Customer.io counts seconds: did you mean {seconds}?"
    year = 1970 + number // 31_556_952
    return f"would be in the year {year} as unix seconds; write the date as ISO 8601 (2026-01-31T09:00:00Z)"


def _local_or_unix(value: object) -> datetime | int:
    """Read a time as `unix_seconds` does, but leave one that names no zone for its zone to be filled in."""
    if not isinstance(value, bool) and str(value).strip() == "0":
        return 0
    seconds = unix_seconds(value)
    moment = _moment(value)
    return seconds if moment is None or moment.tzinfo else moment


Timestamp = Annotated[int, BeforeValidator(unix_seconds), WithJsonSchema({"type": "string"})]

# A time whose zone is another argument; 0 is kept, since it takes a schedule back.
LocalTime = Annotated[datetime | int, BeforeValidator(_local_or_unix), WithJsonSchema({"type": "string"})]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = "is not known here; name a time zone such as Europe/Berlin, or UTC"
        raise ValueError(message) from None
    return name


Timezone = Annotated[str, AfterValidator(str.strip), AfterValidator(_zone)]


def iso(seconds: float | str | None) -> str | None:
    """Return a unix time as ISO 8601 in UTC; None for none, and for what is not a time."""
    try:
        moment = datetime.fromtimestamp(float(seconds or 0), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat().replace("+00:00", "Z") if seconds else None

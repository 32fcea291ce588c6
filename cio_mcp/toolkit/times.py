"""Times: parsing what agents write, and formatting answers."""

import math
import re
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

_NUMBER = re.compile(r"\s*-?\d+(\.\d+)?\s*")

# A number counts as unix seconds only if it lies between 2000 and 2100. Any other is probably a date written
# as a number (20261201) or a time in another unit.
FIRST, LAST = 946_684_800, 4_102_444_800

# Number of digits and format of dates that are written as numbers, longest first.
DIGITS = ((14, "%Y%m%d%H%M%S"), (12, "%Y%m%d%H%M"), (8, "%Y%m%d"), (6, "%Y%m"), (4, "%Y"))


def unix_seconds(value: object) -> int:
    """Parse ISO 8601 (UTC if it names no time zone) or unix seconds; raises ValueError."""
    try:
        if (moment := _moment(value)) is not None:
            seconds = math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        else:
            seconds = _number(value)
    except (ValueError, OverflowError):
        message = "must be ISO 8601 (2026-01-31T09:00:00Z) or unix seconds"
        raise ValueError(message) from None
    if seconds < 0:
        message = "must not be before 1970"
        raise ValueError(message)
    if moment is None and not FIRST <= seconds < LAST:
        raise ValueError(_what_was_meant(seconds))
    return seconds


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


def _local_or_unix(value: object) -> datetime | int:
    """Parse a time as `unix_seconds` does, but return one without a time zone as it is."""
    if not isinstance(value, bool) and str(value).strip() == "0":
        return 0
    seconds = unix_seconds(value)
    moment = _moment(value)
    return seconds if moment is None or moment.tzinfo else moment


Timestamp = Annotated[int, BeforeValidator(unix_seconds), WithJsonSchema({"type": "string"})]

# A time whose time zone is another argument. 0 is kept: it cancels a schedule.
LocalTime = Annotated[datetime | int, BeforeValidator(_local_or_unix), WithJsonSchema({"type": "string"})]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = "is not a known time zone; use a name such as Europe/Berlin, or UTC"
        raise ValueError(message) from None
    return name


Timezone = Annotated[str, AfterValidator(str.strip), AfterValidator(_zone)]


def iso(seconds: float | str | None) -> str | None:
    """Return a unix time as ISO 8601 in UTC; None for None and for values that are not a time."""
    try:
        moment = datetime.fromtimestamp(float(seconds or 0), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat().replace("+00:00", "Z") if seconds else None

"""When a wait ends: after a span, at a time of day, or at the next of a date, in a time zone.

A wait in days or at a time of day is one of the clock on the wall: it survives a change of clocks.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# The days of a week as a delay names them, Monday first.
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def ends(delay: dict[str, Any], now: float, zone: ZoneInfo) -> int:
    """Return when a delay that begins now ends, in unix seconds.

    `minutes` and `hours` are real time, `days` and `weeks` days of the calendar; then, with `at` ("09:30")
    or `on` (days of the week), it ends at the next such time of day.
    """
    moment = datetime.fromtimestamp(now, UTC)
    moment += timedelta(hours=delay.get("hours", 0), minutes=delay.get("minutes", 0))
    local = moment.astimezone(zone)
    local = on_the_wall(local.replace(tzinfo=None) + timedelta(days=days_of(delay)), zone)
    if "at" in delay or "on" in delay:
        local = _next(local, delay, zone)
    return max(int(local.timestamp()), int(now))


def can_end(delay: Any) -> bool:
    """Say whether something is a delay."""
    try:
        return ends(delay, 0, ZoneInfo("UTC")) >= 0
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
        return False


def days_of(delay: dict[str, Any]) -> int:
    """Return the days of a delay."""
    return int(delay.get("days", 0)) + 7 * int(delay.get("weeks", 0))


def _next(local: datetime, delay: dict[str, Any], zone: ZoneInfo) -> datetime:
    """Return the next time of day of a delay; without one it ends as soon as its day has come."""
    for ahead in range(9):
        day = local.replace(tzinfo=None) + timedelta(days=ahead)
        if "at" in delay:
            hour, minute = map(int, delay["at"].split(":"))
            day = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
        elif ahead:
            day = day.replace(hour=0, minute=0, second=0, microsecond=0)
        found = on_the_wall(day, zone)
        if WEEKDAYS[day.weekday()] in delay.get("on", WEEKDAYS) and found >= local:
            return found
    return local


def on_the_wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return when clocks in a time zone show a time: a skipped one is an hour later, the first of two."""
    return moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)


def zone_of(name: Any, otherwise: str = "UTC") -> ZoneInfo:
    """Return a time zone by name, or another if there is none of that name."""
    return zone(name) or ZoneInfo(otherwise)


def zone(name: Any) -> ZoneInfo | None:
    """Return a time zone by name, None if there is none of that name."""
    try:
        return ZoneInfo(str(name)) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a name may be longer than a file's
        return None

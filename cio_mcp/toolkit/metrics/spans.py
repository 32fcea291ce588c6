"""The span of time that metrics cover, and when its periods begin."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from cio_mcp.client import AppApi, Query
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments import times
from cio_mcp.toolkit.arguments.times import Days, Timestamp
from cio_mcp.toolkit.arguments.types import Channel, vendor_channel

# Length of the default span, in whole days.
DAYS = 30

# Journeys have no time zone of their own (App API, campaignJourneyMetrics).
JourneyStart = Annotated[Timestamp | None, Field(description="ISO 8601. Default: 30 days before end.")]
JourneyEnd = Annotated[
    Timestamp | None,
    Field(description="Exclusive. Default: start of today."),
]

Start = Annotated[JourneyStart, Days]
End = Annotated[JourneyEnd, Days]

EASTERN = ZoneInfo(times.EASTERN)


@dataclass(frozen=True)
class Span:
    """A span of time in unix seconds, `end` excluded, with days as in the time zone `zone`.

    It is `widened` if it is longer than what was asked for, to count whole periods.
    """

    start: int
    end: int
    zone: ZoneInfo
    widened: bool = False

    @property
    def told(self) -> dict[str, str]:
        """The span as fields of `Metrics`."""
        start, end = (datetime.fromtimestamp(at, self.zone).isoformat() for at in (self.start, self.end))
        return {"start": start, "end": end, "timezone": self.zone.key}

    def query(self, resolution: str, channel: Channel | None = None) -> Query:
        """Return the query for a campaign's metrics (App API, campaignMetrics).

        Without `version`, days begin in New York time; version 2 requires `res`, `start` and `end`. It is not
        documented whether the period that begins at `end` counts, so the query ends one second before it.
        """
        return {
            "version": 2,
            "res": resolution,
            "tz": self.zone.key,
            "start": self.start,
            "end": self.end - 1,
            "type": vendor_channel(channel),
        }

    def periods(self, resolution: str) -> list[str]:
        """Return the start of each period; of weeks in Eastern time alone, where their first day is known."""
        if resolution == "weeks" and self.zone != EASTERN:
            return []
        found, at = [], _floor(resolution, datetime.fromtimestamp(self.start, self.zone))
        while at.timestamp() < self.end:
            found.append(at.isoformat() if resolution == "hours" else at.date().isoformat())
            at = _later(resolution, at)
        return found


def span_of(app: AppApi, start: int | None, end: int | None, resolution: str = "days") -> Span:
    """Return the whole periods of the requested span, by default of the last 30 days.

    Raises InvalidArgument. It is not documented whether a period counts whole that the span holds a part of.
    """
    zone, now = ZoneInfo(app.call.timezone), app.call.called_at
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if end is None:
        midnight = int(today.timestamp())
        end = midnight if start is None or start < midnight else int(now)
    if start is None:
        start = int((datetime.fromtimestamp(end, zone) - timedelta(days=DAYS)).timestamp())
    if end <= start:
        raise InvalidArgument("end: must be later than start")
    first, last = (_floor(resolution, datetime.fromtimestamp(at, zone)) for at in (start, end - 1))
    since, until = int(first.timestamp()), int(_later(resolution, last).timestamp())
    until = min(until, max(end, int(now)))  # nothing is counted yet of what is to come
    return Span(since, until, zone, widened=(since, until) != (start, end))


def days_before(app: AppApi, days: int) -> Span:
    """Return the span of some whole days that ended with yesterday, in the zone that all metrics can have."""
    today = _floor("days", datetime.fromtimestamp(app.call.called_at, EASTERN))
    return Span(int((today - timedelta(days=days)).timestamp()), int(today.timestamp()), EASTERN)


def newest_periods(app: AppApi, resolution: str, count: int) -> Span | None:
    """Return the span of the `count` newest periods in version 1 of metrics; None for no periods."""
    now = int(app.call.called_at)
    at = _floor(resolution, datetime.fromtimestamp(now, EASTERN))
    if not count:
        return None
    if resolution == "months":
        months = at.year * 12 + at.month - count
        at = at.replace(year=months // 12, month=months % 12 + 1)
    elif resolution == "weeks":
        at -= timedelta(days=7 * (count - 1))
    elif resolution == "days":
        at -= timedelta(days=count - 1)
    else:
        at = datetime.fromtimestamp(at.timestamp() - 3600 * (count - 1), EASTERN)
    return Span(int(at.timestamp()), now, EASTERN)


def _floor(resolution: str, at: datetime) -> datetime:
    """Return the start of the period that contains a moment.

    Weeks of version 1 begin on Sunday (App API, "broadcastMetrics").
    """
    at = at.replace(minute=0, second=0, microsecond=0)
    at = at if resolution == "hours" else at.replace(hour=0)
    at -= timedelta(days=at.isoweekday() % 7 if resolution == "weeks" else 0)
    return at.replace(day=1) if resolution == "months" else at


def _later(resolution: str, at: datetime) -> datetime:
    """Return the start of the period that follows the one starting at a moment."""
    match resolution:
        case "hours":
            return datetime.fromtimestamp(at.timestamp() + 3600, at.tzinfo)
        case "days" | "weeks":
            return at + timedelta(days=1 if resolution == "days" else 7)
    return (at + timedelta(days=32)).replace(day=1)

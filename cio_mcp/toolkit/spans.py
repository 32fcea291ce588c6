"""The span of time that metrics cover."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cio_mcp.client import AppApi, Query
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.params import Channel, vendor_channel

# Whole days that are counted where no time is given.
DAYS = 30


@dataclass(frozen=True)
class Span:
    """A span of time in unix seconds, `end` excluded, whose days begin in `zone`."""

    start: int
    end: int
    zone: ZoneInfo

    @property
    def told(self) -> dict[str, str]:
        """The span as `Metrics` tells it."""
        start, end = (datetime.fromtimestamp(at, self.zone).isoformat() for at in (self.start, self.end))
        return {"start": start, "end": end, "timezone": self.zone.key}

    def query(self, resolution: str, channel: Channel | None = None) -> Query:
        """Return the query for a campaign's metrics (App API, campaignMetrics).

        Without `version` days begin in New York; with 2, `res`, `start` and `end` are required. Whether the
        period that begins at `end` counts is not documented, so the second before it is named.
        """
        return {
            "version": 2,
            "res": resolution,
            "tz": self.zone.key,
            "start": self.start,
            "end": self.end - 1,
            "type": vendor_channel(channel),
        }


def span_of(app: AppApi, start: int | None, end: int | None, timezone: str = "UTC") -> Span:
    """Return the span asked for; by default the last 30 whole days. Raises InvalidArgument."""
    zone, now = ZoneInfo(timezone), app.call.called_at
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if end is None:
        midnight = int(today.timestamp())
        end = midnight if start is None or start < midnight else int(now)
    if start is None:
        start = int((datetime.fromtimestamp(end, zone) - timedelta(days=DAYS)).timestamp())
    if end <= start:
        raise InvalidArgument("end: must be later than start")
    return Span(start, end, zone)

"""The span of time that metrics cover."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from cio_mcp.client import AppApi, Query
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.params import Channel, vendor_channel
from cio_mcp.toolkit.times import Timestamp

# Length of the default span, in whole days.
DAYS = 30

Start = Annotated[
    Timestamp | None,
    Field(description="ISO 8601. Default: 30 days before end."),
]
End = Annotated[
    Timestamp | None,
    Field(description="ISO 8601, excluded. Default: the start of today."),
]


@dataclass(frozen=True)
class Span:
    """A span of time in unix seconds, `end` excluded, with days as in the time zone `zone`."""

    start: int
    end: int
    zone: ZoneInfo

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


def span_of(app: AppApi, start: int | None, end: int | None) -> Span:
    """Return the requested span, by default the last 30 whole days; raises InvalidArgument."""
    zone, now = ZoneInfo(app.call.timezone), app.call.called_at
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if end is None:
        midnight = int(today.timestamp())
        end = midnight if start is None or start < midnight else int(now)
    if start is None:
        start = int((datetime.fromtimestamp(end, zone) - timedelta(days=DAYS)).timestamp())
    if end <= start:
        raise InvalidArgument("end: must be later than start")
    return Span(start, end, zone)

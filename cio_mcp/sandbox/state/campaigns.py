"""Campaigns and their metrics. A campaign of the sandbox has a past and sends nothing by itself."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from cio_mcp.sandbox.state.workspace import Workspace

# Every key of a version 2 series (App API, campaignMetrics).
SERIES = (
    "attempted",
    "bounced",
    "clicked",
    "human_clicked",
    "prefetch_clicked",
    "converted",
    "created",
    "deferred",
    "delivered",
    "drafted",
    "failed",
    "opened",
    "human_opened",
    "prefetch_opened",
    "sent",
    "spammed",
    "suppressed",
    "undeliverable",
    "topic_unsubscribed",
    "unsubscribed",
)

DAY = 86400


def series(
    workspace: Workspace,
    campaign_id: int,
    *,
    step: str,
    zone: ZoneInfo,
    start: int,
    end: int,
    channel: str | None,
) -> dict[str, list[int]]:
    """Return one count per period from `start` to `end` (unix seconds), oldest first.

    `step` is hours, days, weeks or months. Counts are kept by day, so hours show them at noon UTC.
    """
    edges = _edges(step, zone, start, end)
    counts = {name: [0] * (len(edges) - 1) for name in SERIES}
    rows = workspace.rows(
        "SELECT day, counts FROM metrics WHERE campaign_id = ?1 AND (?2 IS NULL OR channel = ?2)",
        campaign_id,
        channel,
    )
    for row in rows:
        noon = row["day"] * DAY + DAY // 2
        for period, (since, until) in enumerate(pairwise(edges)):
            if since <= noon < until:
                for name, count in json.loads(row["counts"]).items():
                    counts[name][period] += count
    return counts


def _edges(step: str, zone: ZoneInfo, start: int, end: int) -> list[float]:
    """Return where periods begin, from the one that holds `start` to the end of the one before `end`."""
    at = datetime.fromtimestamp(start, zone).replace(minute=0, second=0, microsecond=0)
    if step != "hours":
        at = at.replace(hour=0)
    if step == "weeks":
        at -= timedelta(days=at.weekday())
    if step == "months":
        at = at.replace(day=1)
    edges = [at.timestamp()]
    while edges[-1] < end:
        if step == "hours":
            edges.append(edges[-1] + 3600)
            continue
        at += timedelta(days={"days": 1, "weeks": 7, "months": 32}[step])
        at = at.replace(day=1) if step == "months" else at
        edges.append(at.timestamp())
    return edges

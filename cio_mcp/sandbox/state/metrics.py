"""Metrics: counts per period, of campaigns, of their actions and journeys, and of any deliveries."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from cio_mcp.sandbox.state import deliveries
from cio_mcp.sandbox.state.workspace import Workspace

# Documented, 2026-09-17: every key of a version 2 series.
SERIES = (
    "attempted",
    "bounced",
    "clicked",
    "human_clicked",
    "machine_clicked",
    "converted",
    "created",
    "deferred",
    "delivered",
    "drafted",
    "failed",
    "opened",
    "human_opened",
    "prefetch_opened",
    "replied",
    "sent",
    "spammed",
    "suppressed",
    "undeliverable",
    "topic_unsubscribed",
    "unsubscribed",
    "tracking_consent_granted",
    "tracking_consent_denied",
    "untracked",
    "open_untracked",
    "link_untracked",
)

DAY = 86400

# Documented: version 1 does not tell people from machines, links do.
SERIES_1 = tuple(name for name in SERIES if not name.startswith(("human_", "machine_", "prefetch_")))
CLICKS = ("clicked", "human_clicked", "machine_clicked")

# Documented: what journeys tell.
JOURNEYS = ("started", "activated", "exited_early", "finished", "converted", "never_activated", "messaged")

# Documented for version 1: how many periods there are at most, where none are asked for, and their seconds.
MOST = {"hours": 24, "days": 45, "weeks": 12, "months": 121}
DEFAULT = MOST | {"months": 12}
SECONDS = {"hours": 3600, "days": DAY, "weeks": 7 * DAY}
NEW_YORK = ZoneInfo("America/New_York")

# A time in unix seconds, and what is counted then.
Counted = tuple[float, dict[str, int]]


def series(counted: Iterable[Counted], edges: list[float], names: Iterable[str]) -> dict[str, list[int]]:
    """Return one count per period between `edges` (unix seconds), oldest first, for each name."""
    counts = {name: [0] * (len(edges) - 1) for name in names}
    for at, found in counted:
        for period, (since, until) in enumerate(pairwise(edges)):
            if since <= at < until:
                for name in found.keys() & counts.keys():
                    counts[name][period] += found[name]
    return counts


def of_campaign(
    workspace: Workspace, campaign_id: int, *, channel: str | None = None, action_id: int | None = None
) -> Iterator[Counted]:
    """Yield a campaign's counts, or one action's. They are kept by day, and so are of noon UTC."""
    rows = workspace.rows(
        "SELECT day, counts FROM metrics WHERE campaign_id = :campaign_id "
        "AND (:channel IS NULL OR channel = :channel) "
        "AND (:action_id IS NULL OR action_id = :action_id)",
        campaign_id=campaign_id,
        channel=channel,
        action_id=action_id,
    )
    for row in rows:
        yield row["day"] * DAY + DAY // 2, json.loads(row["counts"])


def of_deliveries(workspace: Workspace, **source: Any) -> Iterator[Counted]:
    """Yield each state that a delivery of a source has reached; all clicks are people's here."""
    for _, message in deliveries.listed(workspace, 0, workspace.now(), **source):
        for state, at in deliveries.reached(message).items():
            yield at, {state: 1, f"human_{state}": 1}


def of_journeys(workspace: Workspace, campaign: dict[str, Any]) -> Iterator[Counted]:
    """Yield what became of the journeys of each day: shares of how many got the campaign's first message."""
    shares = campaign.get("journeys")
    if not shares:
        return
    for at, counts in of_campaign(workspace, campaign["id"], action_id=campaign["workflow"][0]["id"]):
        found = {name: round(counts["sent"] * share) for name, share in shares.items()}
        yield at, found | {"never_activated": found["started"] - found["activated"]}


def links(counted: list[Counted], edges: list[float], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the clicks on each link, which has a share of all of them."""
    clicks = series(counted, edges, CLICKS)
    return [
        {
            "link": {"id": link["id"], "href": link["href"]},
            "metric": {
                "series": {
                    name: [round(count * link["share"]) for count in counts]
                    for name, counts in clicks.items()
                }
            },
        }
        for link in known
    ]


def newest(step: str, count: int, now: int) -> list[float]:
    """Return where the newest periods begin and the last ends; days begin in New York."""
    # An hour more than that, since a day on which clocks go back has one more; what is too much is cut.
    start = now - (count - 1) * SECONDS.get(step, 0) - 3600
    if step == "months":
        at = datetime.fromtimestamp(now, NEW_YORK)
        months = at.year * 12 + at.month - count
        start = int(datetime(months // 12, months % 12 + 1, 1, tzinfo=NEW_YORK).timestamp())
    return between(step, NEW_YORK, start, now + 1)[-count - 1 :]


def between(step: str, zone: ZoneInfo, start: int, end: int) -> list[float]:
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

"""Metrics: counts per period, of campaigns, of their actions and journeys, and of any deliveries."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cio_mcp.sandbox.state import deliveries
from cio_mcp.sandbox.state.workspace import Row, Workspace

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

# A time at which a message was made in which a link is clicked, and which delivery it was.
Click = tuple[float, str]


def series(counted: Iterable[Counted], edges: list[float], names: Iterable[str]) -> dict[str, list[int]]:
    """Return one count per period between `edges` (unix seconds), oldest first, for each name."""
    counts = {name: [0] * (len(edges) - 1) for name in names}
    for at, found in counted:
        period = bisect_right(edges, at) - 1
        if 0 <= period < len(edges) - 1:
            for name in found.keys() & counts.keys():
                counts[name][period] += found[name]
    return counts


def of_campaign(
    workspace: Workspace, campaign_id: int, *, channel: str | None = None, action_id: int | None = None
) -> Iterator[Counted]:
    """Yield what a campaign's deliveries have reached, or those of one action."""
    rows = workspace.rows(
        "SELECT * FROM deliveries WHERE campaign_id = :campaign "
        "AND (:channel IS NULL OR type = :channel) AND (:action IS NULL OR action_id = :action)",
        campaign=campaign_id,
        channel=channel,
        action=action_id,
    )
    yield from _counted(workspace, rows)


def of_deliveries(workspace: Workspace, channel: str | None, **of: int) -> Iterator[Counted]:
    """Yield what deliveries have reached, of a newsletter, a broadcast, a template or a part of it."""
    yield from _counted(workspace, _of_source(workspace, channel, **of))


def _of_source(workspace: Workspace, channel: str | None, **of: int) -> list[Row]:
    each = " AND ".join(["json_extract(body, '$.' || ?) = ?"] * len(of))
    named = [part for item in of.items() for part in item]
    return workspace.rows(
        f"SELECT * FROM deliveries WHERE {each} AND coalesce(?, type) = type",  # noqa: S608 - holes only
        *named,
        channel,
    )


def _counted(workspace: Workspace, rows: Iterable[Row]) -> Iterator[Counted]:
    """Yield the states that deliveries have reached; all opens and clicks are people's here.

    Documented ("Campaign and broadcast metrics"): all count for when the message was made.
    """
    for row in rows:
        states = deliveries.reached(workspace, row)
        yield row["created"], {name: 1 for state in states for name in (state, f"human_{state}")}


def of_journeys(workspace: Workspace, campaign: dict[str, Any]) -> Iterator[Counted]:
    """Yield what became of a campaign's journeys, by when they started."""
    for row in workspace.rows("SELECT * FROM journeys WHERE campaign_id = ?", campaign["id"]):
        yield (
            row["started"],
            {
                "started": 1,
                "activated": int(bool(row["activated"])),
                "messaged": int(bool(row["messaged"])),
                "converted": int(row["converted"] is not None),
                "finished": int(row["outcome"] == "finished"),
                "exited_early": int(row["outcome"] not in {None, "finished"}),
                "never_activated": int(row["outcome"] is not None and not row["activated"]),
            },
        )


def clicks_in_action(workspace: Workspace, action_id: int) -> Iterator[Click]:
    """Yield the clicks in an action's messages."""
    rows = workspace.rows("SELECT * FROM deliveries WHERE action_id = ?", action_id)
    yield from _clicks(workspace, rows)


def clicks_of(workspace: Workspace, channel: str | None, **of: int) -> Iterator[Click]:
    """Yield the clicks in messages of a newsletter, a broadcast or a template."""
    yield from _clicks(workspace, _of_source(workspace, channel, **of))


def _clicks(workspace: Workspace, rows: Iterable[Row]) -> Iterator[Click]:
    for row in rows:
        if "clicked" in deliveries.reached(workspace, row):
            yield row["created"], row["id"]


def links(clicks: Iterable[Click], edges: list[float], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the clicks on each link: a link has a share of them."""
    found: dict[int, list[Counted]] = {link["id"]: [] for link in known}
    for at, delivery in clicks:
        if (number := deliveries.link_of(delivery, known)) is not None:
            found[number].append((at, {"clicked": 1, "human_clicked": 1}))
    return [
        {
            "link": {"id": link["id"], "href": link["href"]},
            "metric": {"series": series(found[link["id"]], edges, CLICKS)},
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
    if step == "weeks":  # documented for version 1: they begin on Sunday
        at -= timedelta(days=at.isoweekday() % 7)
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

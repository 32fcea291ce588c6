"""Campaigns that a date among a person's attributes triggers.

Documented: its fields are `date_attribute`, `frequency`, `timezone`, `use_customer_timezone`, `start_hour`
and `start_minutes`. Assumed (dates): what the words of `frequency` are, and that the 29th of February and the
31st of a month are the last day of a shorter one.
"""

import calendar
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cio_mcp.sandbox.engine import delays, entering
from cio_mcp.sandbox.engine.profile import Profile
from cio_mcp.sandbox.state.workspace import Workspace, applies

COMES = "date"

MONTHS_AHEAD = 26

# What else of a campaign says when it is.
SETTINGS = ("frequency", "start_hour", "start_minutes", "offset_days")


def schedule(workspace: Workspace, person: Profile) -> None:
    """Let each campaign of a date wait for the next time at which it is for a person."""
    for campaign in entering.running(workspace, "date"):
        key = f"date:{campaign['id']}:{person.cio_id}"
        zone = delays.zone_of(campaign.get("timezone"))
        if campaign.get("use_customer_timezone"):
            zone = delays.zone_of(person.attribute("timezone"), zone.key)
        value = person.attribute(campaign["date_attribute"])
        follows_from = [value, zone.key, *map(campaign.get, SETTINGS)]
        body = {"campaign": campaign["id"], "cio_id": person.cio_id, "of": follows_from}
        known = workspace.row("SELECT body FROM timers WHERE key = ?", key)
        if known and known["body"] == json.dumps(body):
            continue
        due = next_time(campaign, value, workspace.now(), zone)
        if due is not None:
            workspace.wait(due, COMES, body, key)
        elif known:
            workspace.change("DELETE FROM timers WHERE key = ?", key)


@applies(COMES)
def come(workspace: Workspace, write: dict[str, Any]) -> None:
    """Let the date of a person begin a campaign."""
    campaign = workspace.thing("campaign", write["campaign"])
    person = entering.person(workspace, write["cio_id"])
    if campaign is None or campaign["state"] != "running" or person is None:
        return
    with workspace.because(workspace.note("date_reached", person.cio_id, str(campaign["id"]))):
        entering.enter(workspace, campaign, person, {})
        schedule(workspace, person)


def next_time(campaign: dict[str, Any], value: Any, now: int, zone: ZoneInfo) -> int | None:
    """Return when after now a campaign is for somebody whose date is a value; None for never."""
    first = day_of(value, zone)
    if first is None:
        return None
    offset = timedelta(days=campaign.get("offset_days", 0))
    since = datetime.fromtimestamp(now, zone).date() - offset - timedelta(days=1)
    for day in _days(first, campaign.get("frequency", "once"), since):
        wanted = day + offset
        hour, minute = campaign.get("start_hour", 0), campaign.get("start_minutes", 0)
        at = delays.on_the_wall(datetime(wanted.year, wanted.month, wanted.day, hour, minute), zone)
        if at.timestamp() > now:
            return int(at.timestamp())
    return None


def _days(first: date, frequency: str, since: date) -> Iterator[date]:
    """Yield the days on which a date comes, from the month of a day on."""
    if frequency not in {"yearly", "monthly"}:
        yield first
        return
    for count in range(MONTHS_AHEAD):
        year, month = divmod(since.year * 12 + since.month - 1 + count, 12)
        if frequency == "monthly" or month + 1 == first.month:
            yield date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))


def day_of(value: Any, zone: ZoneInfo) -> date | None:
    """Return the day of a value: unix seconds, which are of a day in a time zone, or ISO 8601."""
    try:
        if isinstance(value, str) and not value.strip().isdecimal():
            moment = datetime.fromisoformat(value.strip())
            return (moment.astimezone(zone) if moment.tzinfo else moment).date()
        if value is None or isinstance(value, bool):
            return None
        return datetime.fromtimestamp(int(value), UTC).astimezone(zone).date()
    except (TypeError, ValueError, OverflowError, OSError):
        return None

"""Recounts the figures of an answer from the days on which things happened, with no code of the product.

`python tests/recount.py < recording.json` prints what disagrees. A recording has `told`, the answer, and
`days`: for each source, by its path, the counts of each day (`{"campaigns/1": {"2026-03-08": {"sent": 3}}}`).
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

Days = dict[str, dict[str, int]]

FOLDERS = {"campaign": "campaigns", "broadcast": "broadcasts", "newsletter": "newsletters"}
PARTS = {"campaign": "actions", "broadcast": "actions", "newsletter": "contents"}

# Customer.io's open rate is opened ÷ (delivered - open_untracked), and its click rate likewise.
LESS = {"opened": "open_untracked", "clicked": "link_untracked"}
OF_SENT = ("delivered", "bounced")
MEASURES = ("delivered", "bounced", "opened", "clicked", "converted", "unsubscribed")


def local_days(start: str, end: str, zone: str) -> list[str]:
    """Return the dates that a span touches, found by walking through it: no arithmetic on calendars."""
    at, until = datetime.fromisoformat(start), datetime.fromisoformat(end)
    found: dict[str, None] = {}
    while at.timestamp() < until.timestamp():
        found[datetime.fromtimestamp(at.timestamp(), ZoneInfo(zone)).date().isoformat()] = None
        at = datetime.fromtimestamp(at.timestamp() + 7200, ZoneInfo("UTC"))
    return list(found)


def sums(days: Days, dates: list[str]) -> Counter[str]:
    """Return what was counted on some dates."""
    found: Counter[str] = Counter()
    for date in dates:
        found.update(days.get(date, {}))
    return found


def base(name: str, counts: Counter[str]) -> int:
    """Return what a measure is a share of."""
    plain = name.removeprefix("human_")
    return counts["sent"] if plain in OF_SENT else counts["delivered"] - counts[LESS.get(plain, "")]


def by_people(name: str, counts: Counter[str]) -> int:
    """Return a count of what people did, where programs that open mail are told apart."""
    return counts[f"human_{name}"] if f"human_{name}" in counts else counts[name]


def words(count: int, of: int) -> str:
    """Return a share of up to 100 in whole percent, of up to 1000 in tenths, else in hundredths."""
    digits = 0 if of <= 100 else 1 if of <= 1000 else 2
    return f"{float(Fraction(100 * count, of)):.{digits}f}% of {of:,}"


def disagreements(told: dict[str, Any], days: dict[str, Days]) -> Iterator[str]:
    """Yield what an answer tells otherwise than the days do."""
    if "totals" in told:
        kind = told.get("kind", "campaign")
        source = f"{FOLDERS.get(kind, kind)}/{told.get('campaign_id', told.get('source_id'))}"
        source += f"/actions/{told['action_id']}" if "action_id" in told else ""
        yield from in_totals(told, days[source])
    elif "parts" in told:
        for part in told["parts"]:
            source = f"{FOLDERS[told['kind']]}/{told['source_id']}/{PARTS[told['kind']]}/{part['id']}"
            yield from in_side(source, part, days[source], local_days(*span(told)))
    else:
        for side in (told["first"], told["other"]):
            source = f"campaigns/{side['campaign_id']}"
            dates = local_days(side["start"], side["end"], told["timezone"])
            yield from in_side(source, side, days[source], dates)


def span(told: dict[str, Any]) -> tuple[str, str, str]:
    return told["start"], told["end"], told["timezone"]


def in_side(source: str, side: dict[str, Any], days: Days, dates: list[str]) -> Iterator[str]:
    counts = sums(days, dates)
    for name in ("sent", *MEASURES):
        count = by_people(name, counts) if name in LESS else counts[name]
        if side["counts"].get(name) != count:
            yield f"{source}: {name} is {count}, not {side['counts'].get(name)}"
        share = words(count, base(name, counts)) if name != "sent" and base(name, counts) > 0 else None
        if side["rates"].get(name) != share:
            yield f"{source}: the share of {name} is {share}, not {side['rates'].get(name)}"


def in_totals(told: dict[str, Any], days: Days) -> Iterator[str]:
    dates = local_days(*span(told))
    counts = sums(days, dates)
    if told["totals"] != {name: count for name, count in counts.items() if count}:
        yield f"the totals are {counts}, not {told['totals']}"
    if told["periods"] != len(dates) or told.get("dates") != dates:
        yield f"the dates are {dates}, not {told.get('dates')}"
    for name, series in told["series"].items():
        if series != [days.get(date, {}).get(name, 0) for date in dates]:
            yield f"{name} is told of other days: {series}"
    for name, rate in told["rates"].items():
        of = base(name, counts)
        parts = 100 if of <= 100 else 1000 if of <= 1000 else 10_000
        if abs(Fraction(counts[name], of) - Fraction(str(rate))) > Fraction(1, 2 * parts):
            yield f"the rate of {name} is {counts[name]} of {of}, not {rate}"
        if not told["divided_by"][name].endswith(f" = {of}"):
            yield f"{name} is divided by {of}, not {told['divided_by'][name]}"
    lacking = {name for name in MEASURES if base(name, counts) > 0} - told["rates"].keys()
    if lacking:
        yield f"there is no rate of {', '.join(sorted(lacking))}"


if __name__ == "__main__":
    recording = json.load(sys.stdin)
    found = list(disagreements(recording["told"], recording["days"]))
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.exit(bool(found))

"""The report on a workspace, with figures that are recomputed here from the days on which things happened."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.agent import Agent, an_agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

NEW_YORK = ZoneInfo("America/New_York")
LISTS = {
    "campaigns": "campaigns",
    "broadcasts": "broadcasts",
    "newsletters": "newsletters",
    "transactional": "messages",
}
KINDS = {"campaigns": "campaign", "broadcasts": "broadcast", "newsletters": "newsletter"}
SHARES = [
    *("delivered", "bounced", "opened", "human_opened", "clicked", "human_clicked", "converted"),
    "unsubscribed",
]
COLUMNS = ["sent", *SHARES, "open_untracked", "link_untracked"]

Days = dict[date, dict[str, int]]


class World:
    """A Customer.io in which each source has counts for each day, in New York's time."""

    def __init__(self, today: date, sources: dict[tuple[str, int], Days]) -> None:
        self.today, self.sources = today, sources
        self.names: dict[tuple[str, int], str] = {}

    def answer(self, request: httpx.Request) -> Any:
        _, _, folder, *rest = request.url.path.split("/")
        if not rest:
            ids = [number for kind, number in self.sources if kind == folder]
            more = {"state": "running"} if folder in {"campaigns", "broadcasts"} else {}
            return {
                LISTS[folder]: [
                    {"id": one, "name": self.names.get((folder, one), "N"), **more} for one in ids
                ]
            }
        return {"metric": {"series": self._series(folder, int(rest[0]), dict(request.url.params))}}

    def _series(self, folder: str, number: int, query: dict[str, str]) -> dict[str, list[int]]:
        counts = self.sources[folder, number]
        if folder == "campaigns":
            assert query["tz"] == "America/New_York"
            first, last = (
                datetime.fromtimestamp(int(query[name]), UTC).astimezone(NEW_YORK).date()
                for name in ("start", "end")
            )
        else:
            first, last = self.today - timedelta(days=int(query["steps"]) - 1), self.today
        names = {name for each in counts.values() for name in each}
        return {name: [counts.get(day, {}).get(name, 0) for day in span(first, last)] for name in names}


def span(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def random_days(dice: Random, today: date, *, human: bool) -> Days:
    """Return counts for 50 days, of which most are zero."""
    found: Days = {}
    for day in span(today - timedelta(days=50), today):
        sent = dice.choice([0, 0, 3, 40, 900])
        delivered = dice.randint(0, sent)
        opened, clicked = dice.randint(0, delivered), dice.randint(0, delivered)
        found[day] = {
            "sent": sent,
            "delivered": delivered,
            "bounced": sent - delivered,
            "opened": delivered,
            "clicked": delivered,
            "open_untracked": dice.randint(0, delivered // 2),
            "link_untracked": dice.randint(0, delivered // 2),
            "converted": dice.randint(0, delivered),
            "unsubscribed": dice.randint(0, 2),
        }
        if human:
            found[day] |= {"human_opened": opened, "human_clicked": clicked}
    return found


def sums(days: Days, first: date, count: int) -> dict[str, int]:
    """Recompute what a source came to in some days."""
    within = [counts for day, counts in days.items() if first <= day < first + timedelta(days=count)]
    return {name: sum(one.get(name, 0) for one in within) for one in within for name in one}


def in_words(parts: list[dict[str, int]], name: str) -> str | None:
    """Recompute a share of those of several sources that tell it, rounded to what its count supports."""
    parts = [part for part in parts if name in part]
    base, less = {
        "delivered": ("sent", None),
        "bounced": ("sent", None),
        "opened": ("delivered", "open_untracked"),
        "clicked": ("delivered", "link_untracked"),
    }.get(name.removeprefix("human_"), ("delivered", None))
    of = sum(max(0, part[base] - (part[less] if less else 0)) for part in parts)
    if not of:
        return None
    digits = 0 if of <= 100 else 1 if of <= 1000 else 2
    return f"{sum(part[name] for part in parts) * 100 / of:.{digits}f}% of {of:,}"


# A day without anything, the days after the clocks went forward, and those after they went back.
@pytest.mark.parametrize("noon", ["2026-05-28T16:00:00Z", "2026-03-10T16:00:00Z", "2026-11-03T17:00:00Z"])
@pytest.mark.parametrize("days", [1, 7, 22])
async def test_all_figures_are_those_of_the_days(noon: str, days: int) -> None:
    at, dice = datetime.fromisoformat(noon), Random(f"{noon}{days}")
    today = at.astimezone(NEW_YORK).date()
    sources = {
        (folder, number): random_days(dice, today, human=folder == "campaigns")
        for folder in LISTS
        for number in (1, 2)
    }
    async with canned({"": World(today, sources).answer}, at=at.timestamp()) as workspace:
        answer = await workspace.call("report_workspace", days=days, name_contains="n")

    now, before = today - timedelta(days=days), today - timedelta(days=2 * days)
    assert answer["columns"] == COLUMNS
    assert answer["timezone"] == "America/New_York"
    moments = [datetime.fromisoformat(answer[name]) for name in ("before_start", "start", "end")]
    assert moments == [
        datetime(day.year, day.month, day.day, tzinfo=NEW_YORK) for day in (before, now, today)
    ]
    lines = {line["source"]: line for line in answer["lines"]}
    parts: dict[date, list[dict[str, int]]] = {now: [], before: []}
    for (folder, number), counts in sources.items():
        both = {first: sums(counts, first, days) for first in (now, before)}
        line = lines.pop(f"{KINDS.get(folder, folder)} {number}: N", None)
        if not any(sum(part[name] for name in part if name in COLUMNS) for part in both.values()):
            assert line is None
            assert f"{KINDS.get(folder, folder)} {number}: N" in " ".join(answer["nothing_sent_in_either"])
            continue
        assert line
        for first, told in both.items():
            parts[first].append(told)
        for first, key, rates in ((now, "counts", "rates"), (before, "before", "rates_before")):
            assert line[key] == " ".join(str(both[first].get(name, "-")) for name in COLUMNS)
            shares = ", ".join(in_words([both[first]], name) or "-" for name in SHARES)
            assert line.get(rates, "-, -, -, -, -, -, -, -") == shares
    assert lines == {}
    for first, rates in ((now, "rates"), (before, "rates_before")):
        expected = {name: in_words(parts[first], name) for name in SHARES}
        assert answer[rates] == {name: words for name, words in expected.items() if words}


def steady(today: date, **counts: int) -> Days:
    return {
        day: {"sent": 0, "delivered": 0, "bounced": 0, "converted": 0, "unsubscribed": 0} | counts
        for day in span(today - timedelta(days=50), today)
    }


async def test_what_changed_by_more_than_chance_is_told_worst_first_and_nothing_else() -> None:
    today = date(2026, 5, 28)
    week = today - timedelta(days=7)
    fine = steady(today, sent=50, delivered=50, converted=5)
    broken, better, stopped = (dict(fine) for _ in range(3))
    noisy = {day: counts | {"converted": 4 + day.day % 3} for day, counts in fine.items()}
    for day in span(week, today):
        broken[day] = fine[day] | {"delivered": 30, "bounced": 20, "converted": 3}
        better[day] = fine[day] | {"converted": 15}
        stopped[day] = steady(today)[today]
    sources = {
        ("campaigns", 1): fine,
        ("campaigns", 2): broken,
        ("campaigns", 3): better,
        ("campaigns", 4): noisy,
        ("campaigns", 5): stopped,
    }
    async with canned({"": World(today, sources).answer}) as workspace:
        answer = await workspace.call("report_workspace")

    assert answer["changed"] == [
        "campaign 5: N: sent nothing, before 350",
        "campaign 2: N: worse, delivered 60.0% of 350, before 100.0% of 350",
        "campaign 2: N: worse, bounced 40.0% of 350, before 0.0% of 350",
        "campaign 3: N: better, converted 30.0% of 350, before 10.0% of 350",
    ]


async def test_a_report_on_many_is_at_most_3_kb_and_says_what_it_leaves_out() -> None:
    today = date(2026, 5, 28)
    sources = {
        (folder, number): steady(today, sent=10_000 + number, delivered=10_000, bounced=number)
        for folder in LISTS
        for number in range(1, 40)
    }
    for folder in LISTS:
        for number in range(1, 9):
            days = sources[folder, number]
            for day in span(today - timedelta(days=7), today):
                days[day] = days[day] | {"delivered": 2000}
    world = World(today, sources)
    world.names = dict.fromkeys(sources, "A name as long as they can be, and somewhat longer " * 4)
    async with canned({"": world.answer}) as workspace:
        answer = await workspace.call("report_workspace")

    assert len(json.dumps(answer, separators=(",", ":"))) <= 3000
    assert answer["lines"]
    assert "that sent less; give name_contains" in answer["left_out"]
    assert answer["changed"][-1].endswith("more changes; give name_contains")


async def test_a_report_has_rates_by_default_and_names_who_sent_nothing_and_how_it_is_meant(
    storied: Agent,
) -> None:
    answer = await storied.call("report_workspace")

    first = next(line for line in answer["lines"] if line["source"] == "campaign 1: Welcome series")
    shares = dict(zip(answer["columns"][1:9], first["rates"].split(), strict=True))
    sent, delivered, *_ = map(int, first["counts"].split()[:2])
    assert shares["delivered"] == f"{100 * delivered / sent:.0f}%"
    assert all(line["before"] for line in answer["lines"])
    assert {"campaign 3: Win-back (draft)", "campaign 4: Old newsletter opt-in (stopped)"} <= set(
        answer["nothing_sent_in_either"]
    )
    changed, rates, days = answer["how"]
    assert "no other volumes" in changed
    assert "human_opened: of delivered less open_untracked" in rates
    assert "timezone=America/New_York" in days
    assert len(json.dumps(answer, separators=(",", ":"))) <= 3000


async def test_rates_are_left_out_of_what_sent_least_before_lines_are() -> None:
    today = date(2026, 5, 28)
    sources = {
        ("transactional", number): steady(today, sent=100 * number, delivered=90 * number)
        for number in range(1, 14)
    }
    async with canned({"": World(today, sources).answer}) as workspace:
        answer = await workspace.call("report_workspace")

    lines = answer["lines"]
    assert len(lines) == 13
    assert len(json.dumps(answer, separators=(",", ":"))) <= 3000
    told = [("rates" in line, "rates_before" in line) for line in lines]
    assert told == sorted(told, reverse=True)
    without = sum("rates" not in line for line in lines)
    assert 0 < without < len(lines)
    assert f"rates of the last {without} of 13 lines; give name_contains" in answer["left_out"]


async def test_a_source_is_silent_only_if_nothing_came_of_what_it_had_sent_either() -> None:
    today = date(2026, 5, 28)
    sources = {("newsletters", 1): steady(today, converted=1), ("newsletters", 2): steady(today)}
    async with canned({"": World(today, sources).answer}) as workspace:
        answer = await workspace.call("report_workspace")

    assert [line["source"] for line in answer["lines"]] == ["newsletter 1: N"]
    assert answer["nothing_sent_in_either"] == ["newsletter 2: N"]


@pytest.mark.parametrize("zone", [{}, {"timezone": "Europe/Berlin"}])
async def test_a_campaigns_metrics_tell_the_same_as_the_report_unless_the_operator_has_set_a_zone(
    zone: dict[str, Any],
) -> None:
    async with an_agent(**zone) as agent:
        report = await agent.call("report_workspace")
        span = {name: report[name][:10] for name in ("start", "end")}
        asked = {"campaign_id": 1} | ({"timezone": report["timezone"]} if zone else {})
        totals = (await agent.call("get_campaign_metrics", **asked, **span))["totals"]
        plain = await agent.call("get_campaign_metrics", campaign_id=1, **span)

    line = next(line for line in report["lines"] if line["source"].startswith("campaign 1:"))
    assert line["counts"] == " ".join(str(totals.get(name, 0)) for name in COLUMNS)
    assert plain["timezone"] == zone.get("timezone", "America/New_York")


async def test_what_is_refused_is_told_beside_the_rest(storied: Agent) -> None:
    storied.wire.refuses = lambda request: request.url.path in {"/v1/broadcasts", "/v1/campaigns/1/metrics"}

    answer = await storied.call("report_workspace")

    assert answer["lines"][0]["source"] == "transactional 1: Order confirmation"
    assert answer["left_out"].count("403: no such scope") == 2


async def test_a_report_tells_its_progress(agent: Agent) -> None:
    told: list[str | None] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        assert progress <= (total or 0)
        told.append(message)

    await agent.client.call_tool("report_workspace", {}, progress_callback=hear)

    assert any(message and message.startswith("Read ") for message in told)


@pytest.mark.parametrize("days", [0, 23])
async def test_more_days_than_customerio_tells_are_refused(agent: Agent, days: int) -> None:
    assert "days: must be 1 to 22" in await agent.fail("report_workspace", days=days)

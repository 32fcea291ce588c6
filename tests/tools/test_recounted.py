"""A script of its own recounts all figures, over all kinds of messages and the days when clocks change."""

import ast
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests import recount
from tests.recount import Days, disagreements
from tests.tools.canned import canned

pytestmark = pytest.mark.repeating

NEW_YORK = ZoneInfo("America/New_York")

# Sources by their paths at Customer.io; those inside another are its messages.
SOURCES = (
    *("campaigns/1", "campaigns/2", "campaigns/1/actions/101", "campaigns/1/actions/102"),
    *("broadcasts/11", "broadcasts/11/actions/111", "broadcasts/11/actions/112"),
    *("newsletters/20", "newsletters/20/contents/201", "newsletters/20/contents/202"),
    "transactional/3",
)


class Past:
    """A Customer.io that knows what came of each source on each day, whichever days it is asked for."""

    def __init__(self, now: float, dice: Random) -> None:
        self.now, self.days = now, {source: self._days(now, dice) for source in SOURCES}

    @staticmethod
    def _days(now: float, dice: Random) -> Days:
        """Return counts of the last 100 days, which no two days have alike."""
        found: Days = {}
        human = dice.random() < 0.5  # whether people are told from programs
        for back in range(-1, 100):
            day = datetime.fromtimestamp(now, UTC).date() - timedelta(days=back)
            sent = dice.choice([0, 2, 31, 1000 + back])
            delivered = dice.randint(0, sent)
            found[day.isoformat()] = {
                "sent": sent,
                "delivered": delivered,
                "bounced": sent - delivered,
                "opened": delivered,
                "clicked": dice.randint(0, delivered),
                "converted": dice.randint(0, delivered),
                "unsubscribed": dice.randint(0, 1),
                "open_untracked": dice.randint(0, delivered // 3),
                "link_untracked": dice.randint(0, delivered // 3),
            }
            if human:
                told = {"human_opened": dice.randint(0, delivered), "human_clicked": dice.randint(0, 3)}
                found[day.isoformat()] |= told
        return found

    def answer(self, request: httpx.Request) -> Any:
        source, _, end = request.url.path.removeprefix("/v1/").rpartition("/")
        if end == "metrics":
            return {"metric": {"series": self._series(self.days[source], dict(request.url.params))}}
        ids = [int(name.rpartition("/")[2]) for name in self.days if name.startswith(f"{source}/{end}/")]
        return {end: [{"id": number, "name": "N", "type": "email"} for number in ids]}

    def _series(self, days: Days, query: dict[str, str]) -> dict[str, list[int]]:
        if "version" in query:
            zone = ZoneInfo(query["tz"])
            moments = (int(query[name]) for name in ("start", "end"))
            first, last = (datetime.fromtimestamp(at, zone).date() for at in moments)
        else:
            last = datetime.fromtimestamp(self.now, NEW_YORK).date()
            first = last - timedelta(days=int(query.get("steps", 45)) - 1)
        names = next(iter(days.values()))
        return {name: [days[day.isoformat()][name] for day in between(first, last)] for name in names}


def between(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("get_campaign_metrics", {"campaign_id": 1, "timezone": "America/New_York"}),
    ("get_campaign_metrics", {"campaign_id": 2, "timezone": "Europe/Berlin"}),
    ("get_campaign_metrics", {"campaign_id": 1, "timezone": "Australia/Lord_Howe"}),  # half an hour
    ("get_message_metrics", {"kind": "campaign", "source_id": 1, "action_id": 101}),
    ("get_message_metrics", {"kind": "broadcast", "source_id": 11}),
    ("get_message_metrics", {"kind": "newsletter", "source_id": 20, "periods": 9}),
    ("get_message_metrics", {"kind": "transactional", "source_id": 3}),
    ("compare_messages", {"kind": "campaign", "source_id": 1}),
    ("compare_messages", {"kind": "broadcast", "source_id": 11}),
    ("compare_messages", {"kind": "newsletter", "source_id": 20}),
    ("compare_campaigns", {"campaign_id": 1, "other_campaign_id": 2}),
    ("compare_campaigns", {"campaign_id": 1}),
)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("at", "zone"),
    [
        ("2026-05-28T16:00:00Z", "UTC"),
        # After clocks went forward and back, and in the nights of that.
        ("2026-03-10T16:00:00Z", "America/New_York"),
        ("2026-11-03T17:00:00Z", "UTC"),
        ("2026-03-08T07:30:00Z", "America/New_York"),
        ("2026-11-01T05:30:00Z", "America/New_York"),
        ("2026-04-06T12:00:00Z", "Europe/Berlin"),
    ],
)
async def test_a_script_of_its_own_comes_to_the_same_figures(at: str, zone: str) -> None:
    now = datetime.fromisoformat(at).timestamp()
    past = Past(now, Random(f"{at}{zone}"))
    async with canned({"": past.answer}, at=now, CIO_TIMEZONE=zone) as workspace:
        for tool, arguments in ASKED:
            series = {"series": True} if tool.endswith("metrics") else {}
            told = await workspace.call(tool, **arguments, **series)
            assert list(disagreements(told, past.days)) == [], (tool, arguments)


def test_the_script_shares_no_code_with_the_product() -> None:
    imported = [node for node in ast.walk(ast.parse(Path(recount.__file__).read_text())) if is_import(node)]

    assert imported
    assert "cio_mcp" not in "".join(map(ast.unparse, imported))


def is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def test_the_script_finds_a_day_that_is_not_counted_and_a_share_of_something_else() -> None:
    days = {
        "campaigns/1": {"2026-03-08": {"sent": 4, "delivered": 2}, "2026-03-09": {"sent": 6, "delivered": 6}}
    }
    told: dict[str, Any] = {
        "campaign_id": 1,
        "start": "2026-03-08T00:00:00-05:00",
        "end": "2026-03-10T00:00:00-04:00",
        "timezone": "America/New_York",
        "totals": {"sent": 10, "delivered": 8},
        "periods": 2,
        "dates": ["2026-03-08", "2026-03-09"],
        "series": {"sent": [4, 6], "delivered": [2, 6]},
        "rates": {"delivered": 0.8} | dict.fromkeys(recount.MEASURES[1:], 0.0),
        "divided_by": {name: f"whole = {10 if name in recount.OF_SENT else 8}" for name in recount.MEASURES},
    }

    assert list(disagreements(told, days)) == []
    for wrong in (
        {"totals": {"sent": 4, "delivered": 2}},
        {"dates": ["2026-03-07", "2026-03-08"]},
        {"series": {"sent": [6, 4]}},
        {"rates": told["rates"] | {"delivered": 0.75}},
        {"divided_by": told["divided_by"] | {"opened": "sent = 10"}},
        {"rates": {"delivered": 0.8}},
    ):
        assert len(list(disagreements(told | wrong, days))) == 1, wrong

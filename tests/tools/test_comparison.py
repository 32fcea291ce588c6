"""Two campaigns, or two periods of one, side by side."""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.agent import Agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

DAY = 86_400
TODAY = 1_780_000_000 // DAY * DAY + 4 * 3600  # in New York


def counted(**by_campaign: dict[str, Any]) -> Callable[[httpx.Request], Any]:
    """Return what answers the series of each campaign, named `c` and its id."""
    return lambda request: {"metric": {"series": by_campaign[f"c{request.url.path.split('/')[3]}"]}}


async def test_two_campaigns_are_compared_over_the_last_30_whole_days(storied: Agent) -> None:
    answer = await storied.call("compare_campaigns", campaign_id=1, other_campaign_id=2)

    span = f"start={TODAY - 30 * DAY}&end={TODAY - 1}"
    assert storied.sent == [
        f"GET /v1/campaigns/{number}/metrics?version=2&res=days&tz=America%2FNew_York&{span}"
        for number in (1, 2)
    ]
    first, other = answer["first"], answer["other"]
    assert (first["campaign_id"], other["campaign_id"]) == (1, 2)
    assert (first["start"], first["end"]) == ("2026-04-28T00:00:00-04:00", "2026-05-28T00:00:00-04:00")
    assert answer["timezone"] == "America/New_York"
    assert answer["rates_of"].startswith(
        "delivered, bounced: of sent; opened, human_opened: of delivered less "
    )
    assert (first["rates"]["converted"], other["rates"]["converted"]) == ("16% of 77", "5% of 19")
    assert answer["verdict"] == (
        "Not enough yet to tell which converts better: campaign 1 converted 16% of 77, "
        "campaign 2 5% of 19; if it stays like this, 8 times as many messages tell."
    )
    assert answer["differences"] == []
    assert len(json.dumps(answer)) < 1400


async def test_one_campaign_is_compared_with_its_period_before(storied: Agent) -> None:
    answer = await storied.call("compare_campaigns", campaign_id=1, channel="email")

    assert [(side["start"][:10], side["end"][:10]) for side in (answer["first"], answer["other"])] == [
        ("2026-04-28", "2026-05-28"),
        ("2026-03-29", "2026-04-28"),
    ]
    assert all(sent.endswith("&type=email") for sent in storied.sent)
    assert answer["verdict"].startswith(
        "Not enough yet to tell which converts better: 2026-04-28 to 2026-05-28 converted 16% of 77, "
    )


async def test_periods_that_are_named_have_the_same_length(agent: Agent) -> None:
    answer = await agent.call(
        "compare_campaigns", campaign_id=2, start="2026-05-01", end="2026-05-08", other_start="2026-04-03"
    )

    assert (answer["other"]["start"], answer["other"]["end"]) == (
        "2026-04-03T00:00:00-04:00",
        "2026-04-10T00:00:00-04:00",
    )


@pytest.mark.parametrize(
    ("first", "other", "verdict"),
    [
        (
            {"sent": [500, 500], "delivered": [500, 500], "converted": [30, 0]},
            {"sent": [1000, 1000], "delivered": [1000, 1000], "converted": [60, 60]},
            "Campaign 2 converts better: converted 6.00% of 2,000, campaign 1 3.0% of 1,000.",
        ),
        # A difference in delivery is told first: whom a message did not reach, it could not convert.
        (
            {"sent": [1000], "delivered": [1000], "bounced": [0], "converted": [20]},
            {"sent": [1000], "delivered": [800], "bounced": [200], "converted": [20]},
            "Delivery first: of campaign 2 bounced 20.0% of 1,000, the other 0.0% of 1,000. "
            "Not enough yet to tell which converts better: campaign 2 converted 2.5% of 800, campaign 1 2.0% "
            "of 1,000; if it stays like this, TIMES times as many messages tell.",
        ),
        (
            {},
            {"sent": [9], "delivered": [9], "converted": [3]},
            "No verdict on conversions: conversions were not counted (campaign 1).",
        ),
        (
            {"sent": [5], "delivered": [5], "converted": [1]},
            {"sent": [3], "delivered": [0], "converted": [0]},
            "No verdict on conversions: nothing was delivered (campaign 2).",
        ),
        ({"sent": [0]}, {"sent": [0, 0]}, "No verdict: nothing was sent."),
        (
            {"delivered": [4]},
            {"delivered": [8], "converted": [0]},
            "No verdict on conversions: conversions were not counted (campaign 1).",
        ),
        (
            {"delivered": [4], "converted": [0]},
            {"delivered": [8], "converted": ["0"]},
            "Not enough yet to tell which converts better: nobody converted.",
        ),
        (
            {"delivered": [8, 8], "converted": [1, 1]},
            {"delivered": [8, 8], "converted": [1, None]},
            "No verdict on conversions: conversions were not counted (campaign 2).",
        ),
        (
            {"delivered": [10], "converted": [2]},
            {"delivered": [10], "converted": [1]},
            "Not enough yet to tell which converts better: campaign 1 converted 20% of 10, campaign 2 10% of "
            "10; if it stays like this, TIMES times as many messages tell.",
        ),
        (
            {"delivered": [10], "converted": [0]},
            {"delivered": [10], "converted": [9]},
            "Campaign 2 converts better: converted 90% of 10, campaign 1 0% of 10.",
        ),
        # A span can count more conversions than messages: each has a date of its own.
        (
            {"delivered": [1], "converted": [3]},
            {"delivered": [1], "converted": [1]},
            "Not enough yet to tell which converts better: campaign 1 converted 300% of 1, campaign 2 100% "
            "of 1.",
        ),
    ],
)
async def test_a_verdict_says_no_more_than_the_counts_do(
    first: dict[str, Any], other: dict[str, Any], verdict: str
) -> None:
    async with canned({"/metrics": counted(c1=first, c2=other)}) as workspace:
        answer = await workspace.call("compare_campaigns", campaign_id=1, other_campaign_id=2)

    assert re.sub(r"\d+ times", "TIMES times", answer["verdict"]) == verdict


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"start": "2026-05-08", "end": "2026-05-01"}, "end: must be later than start"),
        ({"start": "2026-05-29"}, "end: must be later than start"),
        ({"start": "2026-05-01", "other_start": "2026-05-01"}, "other_start: is the same period"),
        ({"other_campaign_id": 0}, "other_campaign_id: "),
    ],
)
async def test_a_comparison_with_nothing_is_refused(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("compare_campaigns", campaign_id=1, **arguments)
    assert agent.sent == []


async def test_an_unknown_campaign_is_refused_with_status_404(agent: Agent) -> None:
    await agent.fail("compare_campaigns", campaign_id=1, other_campaign_id=999)

    assert (agent.facts["outcome"], agent.facts["status"]) == ("refused", 404)

"""Two campaigns, or two periods of one, side by side."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.agent import Agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

DAY = 86_400
TODAY = 1_780_000_000 // DAY * DAY


def counted(**by_campaign: dict[str, Any]) -> Callable[[httpx.Request], Any]:
    """Return what answers the series of each campaign, named `c` and its id."""
    return lambda request: {"metric": {"series": by_campaign[f"c{request.url.path.split('/')[3]}"]}}


async def test_two_campaigns_are_compared_over_the_last_30_whole_days(agent: Agent) -> None:
    answer = await agent.call("compare_campaigns", campaign_id=1, other_campaign_id=2)

    span = f"start={TODAY - 30 * DAY}&end={TODAY - 1}"
    assert agent.sent == [
        f"GET /v1/campaigns/{number}/metrics?version=2&res=days&tz=UTC&{span}" for number in (1, 2)
    ]
    first, other = answer["first"], answer["other"]
    assert (first["campaign_id"], other["campaign_id"]) == (1, 2)
    assert (first["start"], first["end"]) == ("2026-04-28T00:00:00Z", "2026-05-28T00:00:00Z")
    converted = answer["rates"]["converted"]
    assert converted["absolute"] == pytest.approx(
        first["rates"]["converted"] - other["rates"]["converted"], abs=1e-4
    )
    assert converted["absolute"] > 0.04
    assert converted["p_value"] < 0.001
    assert answer["totals"]["sent"]["absolute"] == first["totals"]["sent"] - other["totals"]["sent"]
    assert answer["verdict"].startswith("Campaign 1 converts better: ")


async def test_one_campaign_is_compared_with_its_period_before(agent: Agent) -> None:
    answer = await agent.call("compare_campaigns", campaign_id=1, channel="email")

    assert [(side["start"][:10], side["end"][:10]) for side in (answer["first"], answer["other"])] == [
        ("2026-04-28", "2026-05-28"),
        ("2026-03-29", "2026-04-28"),
    ]
    assert all(sent.endswith("&type=email") for sent in agent.sent)
    assert answer["verdict"].startswith("2026-04-28 to 2026-05-28 converts better: ")


async def test_periods_that_are_named_have_the_same_length(agent: Agent) -> None:
    answer = await agent.call(
        "compare_campaigns", campaign_id=2, start="2026-05-01", end="2026-05-08", other_start="2026-04-03"
    )

    assert (answer["other"]["start"], answer["other"]["end"]) == (
        "2026-04-03T00:00:00Z",
        "2026-04-10T00:00:00Z",
    )


async def test_the_verdict_names_the_better_one_and_both_measures_of_by_how_much() -> None:
    bodies = counted(
        c1={"sent": [500, 500], "delivered": [500, 500], "converted": [30, 0]},
        c2={"sent": [1000, 1000], "delivered": [1000, 1000], "converted": [60, 60]},
    )
    async with canned({"/metrics": bodies}) as workspace:
        answer = await workspace.call("compare_campaigns", campaign_id=1, other_campaign_id=2)

    assert answer["verdict"] == (
        "Campaign 2 converts better: 6.00% of delivered messages, against 3.00% (campaign 1), "
        "3.00 percentage points or 100% more."
    )
    assert answer["rates"]["converted"] == {"absolute": -0.03, "relative": -0.5, "p_value": 0.0004}
    assert answer["rates"]["delivered"] == {"absolute": 0.0, "relative": 0.0}
    assert answer["totals"]["converted"] == {"absolute": -90.0, "relative": -0.75}


@pytest.mark.parametrize(
    ("first", "other", "verdict"),
    [
        (
            {},
            {"sent": [9], "delivered": [9], "converted": [3]},
            "No verdict: nothing was delivered (campaign 1).",
        ),
        (
            {"sent": [5], "delivered": [5], "converted": [1]},
            {"sent": [0]},
            "No verdict: nothing was delivered (campaign 2).",
        ),
        (
            {"delivered": [4]},
            {"delivered": [8], "converted": [0]},
            "No verdict: conversions were not counted (campaign 1).",
        ),
        (
            {"delivered": [4], "converted": [0]},
            {"delivered": [8], "converted": ["0"]},
            "Both convert equally: 0.00% of delivered messages.",
        ),
        (
            {"delivered": [8, 8], "converted": [1, 1]},
            {"delivered": [8, 8], "converted": [1, None]},
            "No verdict: conversions were not counted (campaign 2).",
        ),
        (
            {"delivered": [10], "converted": [2]},
            {"delivered": [10], "converted": [1]},
            "Campaign 1 converts better: 20.00% of delivered messages, against 10.00% (campaign 2), "
            "10.00 percentage points or 100% more. A difference this small may well be chance.",
        ),
        (
            {"delivered": [10], "converted": [0]},
            {"delivered": [10], "converted": [9]},
            "Campaign 2 converts better: 90.00% of delivered messages, against 0.00% (campaign 1), "
            "90.00 percentage points more.",
        ),
        (
            {"delivered": [1], "converted": [3]},
            {"delivered": [1], "converted": [1]},
            "Campaign 1 converts better: 300.00% of delivered messages, against 100.00% (campaign 2), "
            "200.00 percentage points or 200% more.",
        ),
    ],
)
async def test_a_verdict_says_no_more_than_the_counts_do(
    first: dict[str, Any], other: dict[str, Any], verdict: str
) -> None:
    async with canned({"/metrics": counted(c1=first, c2=other)}) as workspace:
        answer = await workspace.call("compare_campaigns", campaign_id=1, other_campaign_id=2)

    assert answer["verdict"] == verdict


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

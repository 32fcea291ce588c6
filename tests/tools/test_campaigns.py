"""Campaigns: what runs, and how it does."""

from typing import Any

import httpx
import pytest
from mcp import Client

from cio_mcp.app import build
from cio_mcp.settings import load
from tests.agent import Agent

pytestmark = pytest.mark.anyio


def names(answer: dict[str, Any]) -> list[str]:
    return [campaign["name"] for campaign in answer["campaigns"]]


async def test_campaigns_are_listed_newest_first_with_state_and_tags(agent: Agent) -> None:
    answer = await agent.call("list_campaigns")

    ids = [campaign["id"] for campaign in answer["campaigns"]]
    assert ids == sorted(ids, reverse=True)
    welcome = next(campaign for campaign in answer["campaigns"] if campaign["id"] == 1)
    assert (welcome["name"], welcome["state"], welcome["tags"]) == (
        "Welcome series",
        "running",
        ["onboarding"],
    )
    assert "next_cursor" not in answer


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"state": "draft"}, ["Win-back"]),
        ({"name_contains": "WELCOME"}, ["Welcome series"]),
        ({"tag": "revenue", "state": "running"}, ["Trial ending"]),
        ({"name_contains": "nothing like it"}, []),
    ],
)
async def test_campaigns_are_filtered(agent: Agent, filters: dict[str, str], found: list[str]) -> None:
    assert names(await agent.call("list_campaigns", **filters)) == found


async def test_pages_together_are_the_whole_list(agent: Agent) -> None:
    everything = names(await agent.call("list_campaigns"))
    read: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await agent.call("list_campaigns", limit=1, **cursor)
        read += names(page)
        if "next_cursor" not in page:
            break
        assert f"{len(everything) - len(read)} more match" in page["left_out"]
        cursor = {"cursor": page["next_cursor"]}

    assert read == everything
    assert len(everything) > 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"cursor": "x"}, "cursor: must be the next_cursor of an earlier answer"),
        ({"limit": 0}, "limit: "),
        ({"limit": True}, "limit: must be a number"),
        ({"state": "active"}, "state: Input should be 'running', 'draft' or 'stopped'"),
    ],
)
async def test_a_wrong_argument_is_named(agent: Agent, arguments: dict[str, Any], words: str) -> None:
    assert words in await agent.fail("list_campaigns", **arguments)
    assert agent.sent == []


async def listed(campaigns: list[dict[str, Any]] | None, **arguments: Any) -> dict[str, Any]:
    """Return what list_campaigns makes of an answer of the App API."""
    wire = httpx.MockTransport(lambda _: httpx.Response(200, json={"campaigns": campaigns}))
    app = build(load({"CIO_APP_API_KEY": "key"}), wire=wire)
    async with Client(app.server) as client:
        result = await client.call_tool("list_campaigns", arguments)
    await app.aclose()
    assert result.structured_content is not None
    return dict(result.structured_content)


async def test_no_campaigns_may_come_as_null() -> None:
    assert await listed(None) == {"campaigns": []}


async def test_an_older_answer_without_state_is_read_by_active() -> None:
    answer = await listed(
        [{"id": 1, "name": "a", "active": True}, {"id": "2", "name": None, "active": False}]
    )

    assert [campaign["state"] for campaign in answer["campaigns"]] == ["stopped", "running"]


async def test_a_list_too_long_for_one_answer_is_cut_between_campaigns() -> None:
    many = [{"id": number, "name": "n" * 500, "state": "running"} for number in range(1, 101)]

    answer = await listed(many, limit=100)

    assert 10 < len(answer["campaigns"]) < 100
    assert answer["next_cursor"] == str(answer["campaigns"][-1]["id"])


async def test_metrics_are_totals_and_rates_that_fit_together(agent: Agent) -> None:
    answer = await agent.call("get_campaign_metrics", campaign_id=1)

    totals, rates = answer["totals"], answer["rates"]
    assert totals["sent"] >= totals["delivered"] >= totals["opened"] >= totals["human_opened"] > 0
    assert rates["delivered"] == round(totals["delivered"] / totals["sent"], 4)
    assert rates["human_opened"] == round(totals["human_opened"] / totals["delivered"], 4)
    assert rates["converted"] == round(totals["converted"] / totals["delivered"], 4)
    assert "series" not in answer


async def test_a_series_has_a_count_for_each_period_of_the_span(agent: Agent) -> None:
    end = int(agent.clock()) // 86400 * 86400
    answer = await agent.call(
        "get_campaign_metrics", campaign_id=1, start=end - 7 * 86400, end=end, resolution="days", series=True
    )

    assert answer["periods"] == 7
    assert len(answer["series"]["sent"]) == 7
    assert sum(answer["series"]["sent"]) == answer["totals"]["sent"]


async def test_sms_goes_by_the_name_that_the_api_has_for_it(agent: Agent) -> None:
    answer = await agent.call("get_campaign_metrics", campaign_id=1, channel="sms", timezone="Europe/Berlin")

    assert agent.sent == ["GET /v1/campaigns/1/metrics?version=2&res=days&tz=Europe%2FBerlin&type=twilio"]
    assert (answer["totals"], answer["rates"]) == ({}, {})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"campaign_id": 0}, "campaign_id: "),
        ({"campaign_id": True}, "campaign_id: must be a number"),
        ({"campaign_id": 1, "start": 2000, "end": 1000}, "end: must be later than start"),
        ({"campaign_id": 1, "resolution": "decades"}, "resolution: "),
    ],
)
async def test_wrong_metrics_arguments_are_named(agent: Agent, arguments: dict[str, Any], words: str) -> None:
    assert words in await agent.fail("get_campaign_metrics", **arguments)
    assert agent.sent == []


async def test_an_unknown_campaign_is_refused_with_status_404(agent: Agent) -> None:
    await agent.fail("get_campaign_metrics", campaign_id=999)

    assert (agent.facts["outcome"], agent.facts["status"]) == ("refused", 404)

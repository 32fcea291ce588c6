"""Campaigns: what runs, and how it does."""

from typing import Any

import httpx
import pytest

from tests.agent import Agent
from tests.tools.canned import canned

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
        ({"cursor": "x"}, "cursor: must be the next_cursor of the previous page"),
        ({"limit": 0}, "limit: "),
        ({"limit": True}, "limit: must be a whole number"),
        ({"state": "active"}, "state: Input should be 'running', 'draft' or 'stopped'"),
    ],
)
async def test_a_wrong_argument_is_named(agent: Agent, arguments: dict[str, Any], words: str) -> None:
    assert words in await agent.fail("list_campaigns", **arguments)
    assert agent.sent == []


async def listed(campaigns: list[dict[str, Any]] | None, **arguments: Any) -> dict[str, Any]:
    """Return what list_campaigns makes of an answer of the App API."""
    async with canned({"campaigns": {"campaigns": campaigns}}) as workspace:
        return await workspace.call("list_campaigns", **arguments)


async def test_no_campaigns_may_come_as_null() -> None:
    assert await listed(None) == {"campaigns": []}


async def test_an_older_answer_without_state_is_read_by_active() -> None:
    answer = await listed(
        [{"id": 1, "name": "a", "active": True}, {"id": "2", "name": None, "active": False}]
    )

    assert [campaign["state"] for campaign in answer["campaigns"]] == ["draft or stopped", "running"]


async def test_a_list_too_long_for_one_answer_is_cut_between_campaigns() -> None:
    many = [{"id": number, "name": "n" * 500, "state": "running"} for number in range(1, 101)]

    answer = await listed(many, limit=100)

    assert 10 < len(answer["campaigns"]) < 100
    assert answer["next_cursor"] == str(answer["campaigns"][-1]["id"])


async def test_a_campaign_is_read_with_what_starts_it_its_filter_and_its_actions(agent: Agent) -> None:
    answer = await agent.call("get_campaign", campaign_id=1)

    assert agent.sent == ["GET /v1/campaigns/1", "GET /v1/campaigns/1/actions"]
    assert (answer["name"], answer["trigger"], answer["filter_segments"]) == (
        "Welcome series",
        "signed_up",
        [4],
    )
    assert answer["description"] == "Three mails in the first week."
    assert answer["actions"][:2] == [
        {
            "action_id": 101,
            "type": "email",
            "name": "Welcome",
            "subject": "Welcome to Quill",
            "sending_state": "automatic",
        },
        {"action_id": 102, "type": "delay", "name": "Wait 2 days"},
    ]
    assert len(answer["actions"]) == 5
    assert not {"next_cursor", "left_out"} & answer.keys()


@pytest.mark.parametrize("actions", [None, []])
async def test_a_campaign_may_have_no_actions_and_tell_little(actions: Any) -> None:
    bodies = {"/actions": {"actions": actions}, "/campaigns/7": {"campaign": {"id": 7}}}
    async with canned(bodies) as workspace:
        assert await workspace.call("get_campaign", campaign_id=7) == {
            "id": 7,
            "actions": [],
        }


async def test_a_campaign_that_a_date_starts_says_when() -> None:
    date = {"date_attribute": "birthday", "frequency": "yearly", "start_hour": 0, "timezone": ""}
    bodies = {"/actions": {}, "/campaigns/7": {"campaign": {"id": 7, "name": "Birthday", **date}}}
    async with canned(bodies) as workspace:
        answer = await workspace.call("get_campaign", campaign_id=7)

    assert answer["trigger"] == "birthday"
    assert answer["schedule"] == {"date_attribute": "birthday", "frequency": "yearly", "start_hour": 0}


def pages(actions: int, name: str = "") -> dict[str, Any]:
    """Return what answers so many actions, ten a page."""

    def page(request: httpx.Request) -> dict[str, Any]:
        first = int(request.url.params.get("start", "0"))
        found = [{"id": number + 1, "name": name} for number in range(first, min(first + 10, actions))]
        return {"actions": found, "next": str(first + 10) if first + 10 < actions else ""}

    return {"/actions": page, "/campaigns/7": {"campaign": {"id": 7}}}


@pytest.mark.parametrize(
    ("count", "name", "answers"),
    [(1, "", [1]), (10, "", [10]), (23, "", [23]), (61, "", [50, 11]), (25, "n" * 1100, [10, 10, 5])],
)
async def test_many_actions_come_in_whole_pages_with_a_cursor_to_go_on(
    count: int, name: str, answers: list[int]
) -> None:
    read: list[list[int]] = []
    async with canned(pages(count, name)) as workspace:
        cursor: dict[str, str] = {}
        while True:
            answer = await workspace.call("get_campaign", campaign_id=7, **cursor)
            read.append([action["action_id"] for action in answer["actions"]])
            assert ("next_cursor" in answer) == ("left_out" in answer)
            if "next_cursor" not in answer:
                break
            cursor = {"cursor": answer["next_cursor"]}

    assert list(map(len, read)) == answers
    assert [number for part in read for number in part] == list(range(1, count + 1))


async def test_metrics_are_totals_and_rates_that_fit_together(storied: Agent) -> None:
    answer = await storied.call("get_campaign_metrics", campaign_id=1)

    totals, rates = answer["totals"], answer["rates"]
    assert totals["sent"] >= totals["delivered"] >= totals["opened"] >= totals["human_opened"] > 0
    assert rates["delivered"] == round(totals["delivered"] / totals["sent"], 2)
    seen = totals["delivered"]
    assert rates["human_opened"] == round(totals["human_opened"] / seen, 2)
    assert answer["divided_by"]["human_opened"] == f"delivered = {seen}"
    assert rates["converted"] == round(totals["converted"] / totals["delivered"], 2)
    assert "series" not in answer


async def test_a_series_has_a_count_for_each_period_of_the_span(agent: Agent) -> None:
    end = int(agent.clock()) // 86400 * 86400
    span = {"start": end - 7 * 86400, "end": end, "timezone": "UTC"}
    answer = await agent.call("get_campaign_metrics", campaign_id=1, **span, resolution="days", series=True)

    assert answer["periods"] == 7
    assert len(answer["series"]["sent"]) == 7
    assert sum(answer["series"]["sent"]) == answer["totals"]["sent"]


async def test_sms_goes_by_the_name_that_the_api_has_for_it(agent: Agent) -> None:
    answer = await agent.call("get_campaign_metrics", campaign_id=1, channel="sms", timezone="Europe/Berlin")

    # The clock stands at 2026-05-28T22:26:40+02:00: the last whole day in Berlin is the 27th.
    assert (answer["start"], answer["end"]) == ("2026-04-28T00:00:00+02:00", "2026-05-28T00:00:00+02:00")
    start, end = 1777327200, 1779919200
    assert agent.sent == [
        "GET /v1/campaigns/1/metrics?version=2&res=days&tz=Europe%2FBerlin"
        f"&start={start}&end={end - 1}&type=twilio"
    ]
    assert (answer["totals"], answer["rates"]) == ({}, {})
    assert answer["notes"] == ["Nothing was sent in this span."]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"campaign_id": 0}, "campaign_id: "),
        ({"campaign_id": True}, "campaign_id: must be a whole number"),
        ({"campaign_id": 1, "start": "2026-05-02", "end": "2026-05-01"}, "end: must be later than start"),
        ({"campaign_id": 1, "timezone": "Mars/Olympus"}, "timezone: is not a known time zone"),
        ({"campaign_id": 1, "resolution": "decades"}, "resolution: "),
    ],
)
async def test_wrong_metrics_arguments_are_named(agent: Agent, arguments: dict[str, Any], words: str) -> None:
    assert words in await agent.fail("get_campaign_metrics", **arguments)
    assert agent.sent == []


async def test_an_unknown_campaign_is_refused_with_status_404(agent: Agent) -> None:
    await agent.fail("get_campaign_metrics", campaign_id=999)

    assert (agent.facts["outcome"], agent.facts["status"]) == ("refused", 404)

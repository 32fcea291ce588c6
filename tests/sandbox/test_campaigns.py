"""Campaigns and their metrics; segments."""

from urllib.parse import urlencode

import pytest

from cio_mcp.sandbox.state.metrics import SERIES
from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

DAY = 86400
MIDNIGHT = 1_780_000_000 // DAY * DAY


async def sent(caller: Caller, query: str) -> list[int]:
    answer = await caller.ok("GET", f"/v1/campaigns/2/metrics?version=2&{query}")
    counts: list[int] = answer["metric"]["series"]["sent"]
    return counts


async def test_campaigns_are_listed_with_state_tags_and_trigger(caller: Caller) -> None:
    campaigns = (await caller.ok("GET", "/v1/campaigns"))["campaigns"]

    assert [(campaign["id"], campaign["state"]) for campaign in campaigns] == [
        (1, "running"),
        (2, "running"),
        (3, "draft"),
        (4, "stopped"),
    ]
    assert (await caller.ok("GET", "/v1/campaigns/1"))["campaign"]["event_name"] == "signed_up"
    assert (await caller.no(404, "GET", "/v1/campaigns/99"))["errors"][0]["status"] == "404"
    await caller.no(400, "GET", "/v1/campaigns/abc")


async def test_actions_are_listed_ten_at_a_time_in_their_order(caller: Caller) -> None:
    everything = (await caller.ok("GET", "/v1/campaigns/1/actions"))["actions"]
    assert [action["id"] for action in everything] == ["101", "102", "103", "104", "105"]
    assert not any("links" in action for action in everything)
    assert "workflow" not in (await caller.ok("GET", "/v1/campaigns/1"))["campaign"]
    workflow = [{"id": number, "type": "delay"} for number in range(1, 24)]
    caller.sandbox.workspace.configure("campaign", {"id": 9, "workflow": workflow})

    read, start = [], ""
    for length in (10, 10, 3):
        page = await caller.ok("GET", f"/v1/campaigns/9/actions?start={start}")
        assert len(page["actions"]) == length
        read += [action["id"] for action in page["actions"]]
        start = page["next"]
    assert (read, start) == ([str(number) for number in range(1, 24)], "")
    await caller.no(404, "GET", "/v1/campaigns/99/actions")


async def test_a_series_has_every_key_and_one_count_for_each_period(caller: Caller) -> None:
    span = f"start={MIDNIGHT - 14 * DAY}&end={MIDNIGHT}&tz=UTC"
    answer = await caller.ok("GET", f"/v1/campaigns/2/metrics?version=2&res=days&{span}")

    assert set(answer["metric"]["series"]) == set(SERIES)
    assert {len(counts) for counts in answer["metric"]["series"].values()} == {14}


@pytest.mark.parametrize("missing", ["res", "start", "end"])
async def test_metrics_want_their_whole_window(caller: Caller, missing: str) -> None:
    query = {"version": "2", "res": "days", "start": str(MIDNIGHT - DAY), "end": str(MIDNIGHT)}
    answer = await caller.ok("GET", f"/v1/campaigns/1/metrics?{urlencode(query)}")
    assert answer["start"].endswith(" 00:00:00 +0000 UTC")
    assert answer["res"] == "days"

    del query[missing]
    await caller.no(400, "GET", f"/v1/campaigns/1/metrics?{urlencode(query)}")


@pytest.mark.parametrize("query", ["", "?version=1", "?period=days&steps=45"])
async def test_without_a_version_metrics_are_those_of_the_last_45_days(caller: Caller, query: str) -> None:
    series = (await caller.ok("GET", f"/v1/campaigns/1/metrics{query}"))["metric"]["series"]

    assert {len(counts) for counts in series.values()} == {45}
    assert sum(series["sent"]) > sum(series["opened"]) > 0
    assert "human_opened" not in series


async def test_coarser_periods_hold_the_same_messages(caller: Caller) -> None:
    span = f"start={MIDNIGHT - 60 * DAY}&end={MIDNIGHT}&tz=UTC"
    by_day, by_hour = await sent(caller, f"res=days&{span}"), await sent(caller, f"res=hourly&{span}")

    assert (len(by_day), len(by_hour)) == (60, 60 * 24)
    assert sum(by_hour) == sum(by_day) > 0
    assert len(await sent(caller, f"res=weeks&{span}")) in {9, 10}
    assert len(await sent(caller, f"res=months&{span}")) in {2, 3}


async def test_channels_add_up_to_the_whole(caller: Caller) -> None:
    span = f"res=days&start={MIDNIGHT - 30 * DAY}&end={MIDNIGHT}"
    whole = sum(await sent(caller, span))
    parts = [sum(await sent(caller, f"{span}&type={channel}")) for channel in ("email", "push", "twilio")]

    assert parts[2] == 0
    assert sum(parts) == whole


@pytest.mark.parametrize(
    "query",
    [
        "res=decades&start=1000&end=2000",
        "res=days&start=1000&end=2000&tz=Mars/Olympus",
        "res=days&start=1000&end=2000&tz=../etc",
        "res=days&start=1000&end=2000&type=pigeon",
        "res=days&start=x&end=2000",
        "res=days&start=200000000000&end=2000",
        "res=days&start=2000&end=1000",
        "res=days&start=0&end=2000000000",
    ],
)
async def test_wrong_parameters_of_metrics_are_refused(caller: Caller, query: str) -> None:
    await caller.no(400, "GET", f"/v1/campaigns/1/metrics?version=2&{query}")


async def test_segments_by_attribute_by_event_and_by_hand_have_their_people(caller: Caller) -> None:
    async def members(segment: int) -> list[str]:
        ids: list[str] = (await caller.ok("GET", f"/v1/segments/{segment}/membership"))["ids"]
        return ids

    assert await members(1) == ["u_1001", "u_1003", "u_1006", "u_1011"]
    assert await members(2) == ["u_1001", "u_1004", "u_1011"]
    assert await members(3) == ["u_1001", "u_1004", "u_1007"]
    assert (await caller.ok("GET", "/v1/segments/4/customer_count"))["count"] == 12
    of_ada = (await caller.ok("GET", "/v1/customers/u_1001/segments"))["segments"]
    assert [segment["id"] for segment in of_ada] == [1, 2, 3, 4]


async def test_segments_do_not_show_how_the_sandbox_keeps_them(caller: Caller) -> None:
    for segment in (await caller.ok("GET", "/v1/segments"))["segments"]:
        assert not {"members", "performed"} & segment.keys()
        assert ("conditions" in segment) == (segment["id"] in {1, 4})
    assert (await caller.ok("GET", "/v1/segments/3"))["segment"]["type"] == "manual"
    await caller.no(404, "GET", "/v1/segments/99")

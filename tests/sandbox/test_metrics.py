"""Metrics of actions, links, journeys, and of what is known by its deliveries."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

DAY = 86_400


async def series(caller: Caller, path: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = (await caller.ok("GET", f"/v1/{path}"))["metric"]["series"]
    return found


@pytest.mark.parametrize(
    ("query", "periods"),
    [
        ("", 45),
        ("?steps=0", 45),
        ("?steps=1", 2),
        ("?steps=99", 45),
        ("?period=hours&steps=5", 5),
        ("?period=weeks", 12),
        ("?period=months", 12),
        ("?period=months&steps=0", 121),
        ("?period=months&steps=7", 7),
    ],
)
async def test_the_newest_periods_are_answered(caller: Caller, query: str, periods: int) -> None:
    counts = await series(caller, f"newsletters/20/metrics{query}")

    assert {len(values) for values in counts.values()} == {periods}
    assert not any(name.startswith(("human_", "machine_", "prefetch_")) for name in counts)


@pytest.mark.parametrize("now", [1_793_593_800, 1_793_597_400, 1_805_085_000])
async def test_there_are_as_many_periods_where_clocks_change(caller: Caller, now: int) -> None:
    caller.clock.now = now
    counts = await series(caller, "newsletters/20/metrics?steps=2")

    assert {len(values) for values in counts.values()} == {2}


async def test_a_send_shows_up_in_the_newest_period_and_not_before(caller: Caller) -> None:
    send = {
        "transactional_message_id": 2,
        "to": "a@example.com",
        "identifiers": {"id": "1"},
        "message_data": {"reset_link": "https://quill.example.com/reset"},
    }
    before = await series(caller, "transactional/2/metrics?period=hours")
    await caller.ok("POST", "/v1/send/email", send)
    caller.clock.now += 10
    after = await series(caller, "transactional/2/metrics?period=hours")
    caller.clock.now += 3600
    later = await series(caller, "transactional/2/metrics?period=hours")

    assert sum(before["sent"]) == 0
    assert (after["sent"][-1], after["delivered"][-1]) == (1, 1)
    assert (later["sent"][-1], later["sent"][-2]) == (0, 1)


async def test_weeks_begin_on_sunday_in_new_york(caller: Caller) -> None:
    caller.clock.now = 1_780_200_600  # 31 May 2026, a Sunday, at ten minutes past midnight there
    send = {
        "to": "a@example.com",
        "identifiers": {"id": "1"},
        "message_data": {"reset_link": "https://x.example"},
    }
    await caller.ok("POST", "/v1/send/email", send | {"transactional_message_id": 2})
    caller.clock.now += 10
    sunday = await series(caller, "transactional/2/metrics?period=weeks")
    caller.clock.now += DAY
    monday = await series(caller, "transactional/2/metrics?period=weeks")
    caller.clock.now += 6 * DAY
    after = await series(caller, "transactional/2/metrics?period=weeks")

    assert (sunday["sent"][-1], monday["sent"][-1], after["sent"][-2:]) == (1, 1, [1, 0])


async def test_a_broadcast_that_failed_has_sent_nothing(caller: Caller) -> None:
    assert sum((await series(caller, "broadcasts/12/metrics"))["sent"]) == 0
    assert sum((await series(caller, "broadcasts/11/metrics"))["sent"]) > 0


@pytest.mark.parametrize(
    ("status", "path"),
    [
        (404, "broadcasts/99/metrics"),
        (404, "newsletters/99/metrics/links"),
        (404, "transactional/99/metrics"),
        (404, "campaigns/1/actions/999/metrics?version=2"),
        (404, "campaigns/1/actions/999/metrics/links"),
        (404, "campaigns/99/journey_metrics"),
        (400, "newsletters/20/metrics?period=decades"),
        (400, "newsletters/20/metrics?steps=x"),
        (400, "campaigns/1/metrics/links?period=x"),
        (400, "campaigns/1/actions/101/metrics?version=1&steps=x"),
        (400, "campaigns/1/actions/101/metrics?version=2"),
        (400, "campaigns/1/journey_metrics?start=1000&end=2000"),
        (400, "campaigns/1/journey_metrics?start=1000&resolution=days"),
        (400, "campaigns/1/journey_metrics?end=1000&resolution=days"),
        (400, "campaigns/1/journey_metrics?start=1000&end=2000&resolution=decades"),
        (400, "campaigns/1/journey_metrics?start=2000&end=1000&resolution=days"),
    ],
)
async def test_wrong_questions_are_refused(caller: Caller, status: int, path: str) -> None:
    await caller.no(status, "GET", f"/v1/{path}")


async def links(caller: Caller, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await caller.ok("GET", f"/v1/{path}/metrics/links"))["links"]
    return found


async def test_clicks_on_a_link_are_people_and_machines(caller: Caller) -> None:
    (link,) = await links(caller, "campaigns/1/actions/103")

    counts = link["metric"]["series"]
    assert link["link"] == {"id": 1, "href": "https://quill.example.com/first-note"}
    assert sum(counts["clicked"]) == sum(counts["human_clicked"]) + sum(counts["machine_clicked"]) > 0


async def test_a_campaign_has_the_links_of_all_its_messages_and_a_broadcast_here_none(caller: Caller) -> None:
    assert [link["link"]["id"] for link in await links(caller, "campaigns/1")] == [1, 2, 1, 3]
    assert await links(caller, "campaigns/4") == []
    assert await links(caller, "broadcasts/11") is None


async def test_journeys_of_a_draft_are_none_and_each_period_has_a_count(caller: Caller) -> None:
    span = f"start={1_780_000_000 - 90 * DAY}&end=1780000000&resolution=daily"
    running = (await caller.ok("GET", f"/v1/campaigns/1/journey_metrics?{span}"))["journey_metric"]
    draft = (await caller.ok("GET", f"/v1/campaigns/3/journey_metrics?{span}"))["journey_metric"]

    assert {len(counts) for counts in running.values()} == {91}
    assert sum(running["started"]) > sum(running["finished"]) > sum(running["converted"]) > 0
    assert {sum(counts) for counts in draft.values()} == {0}


async def test_metrics_of_messages_are_of_one_channel_where_asked(caller: Caller) -> None:
    assert sum((await series(caller, "newsletters/20/metrics?type=email"))["sent"]) == 9
    assert sum((await series(caller, "newsletters/20/metrics?type=push"))["sent"]) == 0
    await caller.no(400, "GET", "/v1/newsletters/20/metrics?type=pigeon")
    await caller.no(400, "GET", "/v1/transactional/1/metrics?type=email")

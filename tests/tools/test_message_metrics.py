"""How messages of every kind did, which links were clicked, and how journeys went."""

from typing import Any

import pytest

from tests.agent import Agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

WEEKS = [
    *("2026-03-08", "2026-03-15", "2026-03-22", "2026-03-29", "2026-04-05", "2026-04-12", "2026-04-19"),
    *("2026-04-26", "2026-05-03", "2026-05-10", "2026-05-17", "2026-05-24"),
]
BACKWARDS = {"start": "2026-05-08", "end": "2026-05-01"}
MAY = {"start": "2026-05-01", "end": "2026-05-08"}
IN_MAY = "start=1777593600&end=1778198399"


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        ({"kind": "broadcast", "source_id": 11}, "/v1/broadcasts/11/metrics?period=days"),
        (
            {"kind": "newsletter", "source_id": 20, "resolution": "weeks", "periods": 3},
            "/v1/newsletters/20/metrics?period=weeks&steps=3",
        ),
        (
            {"kind": "transactional", "source_id": 1, "resolution": "months"},
            "/v1/transactional/1/metrics?period=months",
        ),
        (
            {
                "kind": "campaign",
                "source_id": 1,
                "action_id": 101,
                "start": "2026-05-16",
                "end": "2026-05-23",
            },
            "/v1/campaigns/1/actions/101/metrics?version=2&res=days&tz=America%2FNew_York"
            "&start=1778904000&end=1779508799",
        ),
        (
            {"kind": "campaign", "source_id": 1, "channel": "email"},
            "/v1/campaigns/1/metrics?version=2&res=days&tz=America%2FNew_York"
            "&start=1777348800&end=1779940799&type=email",
        ),
        (
            {"kind": "newsletter", "source_id": 20, "channel": "email"},
            "/v1/newsletters/20/metrics?period=days&type=email",
        ),
    ],
)
async def test_each_kind_is_asked_for_as_its_endpoint_wants_it(
    storied: Agent, arguments: dict[str, Any], request_: str
) -> None:
    answer = await storied.call("get_message_metrics", **arguments)

    assert storied.sent == [f"GET {request_}"]
    assert (answer["kind"], answer["source_id"]) == (arguments["kind"], arguments["source_id"])
    assert answer["totals"]["sent"] > 0
    assert "series" not in answer


async def test_a_newsletters_metrics_agree_with_its_messages(agent: Agent) -> None:
    answer = await agent.call("get_message_metrics", kind="newsletter", source_id=20, series=True)
    clicked = await agent.call("list_messages", newsletter_id=20, metric="clicked")

    assert answer["totals"] == {
        "created": 10,
        "undeliverable": 1,
        "sent": 9,
        "bounced": 1,
        "delivered": 8,
        "opened": 2,
        "clicked": len(clicked["messages"]),
    }
    assert answer["rates"]["bounced"] == round(1 / 9, 2)
    assert answer["rates"]["opened"] == 0.25
    assert "human_opened" not in answer["rates"]
    assert (answer["periods"], sum(answer["series"]["sent"])) == (45, 9)


async def test_the_actions_of_a_campaign_add_up_to_it(storied: Agent) -> None:
    whole = await storied.call("get_campaign_metrics", campaign_id=1, **MAY)
    parts = [
        await storied.call("get_message_metrics", kind="campaign", source_id=1, action_id=action, **MAY)
        for action in (101, 103, 105)
    ]

    for name, count in whole["totals"].items():
        assert sum(part["totals"].get(name, 0) for part in parts) == count > 0
    assert parts[0]["action_id"] == 101


@pytest.mark.parametrize(
    ("body", "totals"),
    [
        ({"metric": {"series": {}}}, {}),
        ({"series": {"sent": [1]}}, {"sent": 1}),
        ({"metric": {"series": {"sent": None, "opened": [0, 0]}}}, {}),
        ({"metric": {"series": {"sent": [1]}}}, {"sent": 1}),
        ({"metric": {"series": {"sent": [1, 2, 3], "delivered": [1, 1, 1]}}}, {"sent": 6, "delivered": 3}),
    ],
)
async def test_counts_may_be_null_none_one_or_many(body: dict[str, Any], totals: dict[str, int]) -> None:
    async with canned({"/metrics": body}) as workspace:
        answer = await workspace.call("get_message_metrics", kind="broadcast", source_id=1)

    assert answer["totals"] == totals
    # What is not counted has no rate.
    assert answer["rates"] == ({"delivered": 0.5} if "delivered" in totals else {})


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        (
            "get_message_metrics",
            {"kind": "campaign", "periods": 3},
            "periods: not allowed with kind=campaign",
        ),
        (
            "get_message_metrics",
            {"kind": "campaign", "action_id": 101, "channel": "email"},
            "channel: not allowed with kind=campaign with action_id",
        ),
        (
            "get_message_metrics",
            {"kind": "transactional", "channel": "email"},
            "channel: not allowed with kind=transactional, which takes only periods",
        ),
        (
            "get_message_metrics",
            {"kind": "newsletter", **MAY},
            "start, end: not allowed with kind=newsletter",
        ),
        (
            "get_message_metrics",
            {"kind": "broadcast", "action_id": 1},
            "action_id: not allowed with kind=broadcast",
        ),
        (
            "get_message_metrics",
            {"kind": "broadcast", "periods": 1},
            "periods: must be 2 to 45 days",
        ),
        (
            "get_message_metrics",
            {"kind": "broadcast", "periods": 0},
            "periods: must be 2 to 45 days",
        ),
        (
            "get_message_metrics",
            {"kind": "broadcast", "periods": 25, "resolution": "hours"},
            "periods: must be 2 to 24 hours",
        ),
        ("get_message_metrics", {"kind": "campaign", **BACKWARDS}, "end: must be later than"),
        ("get_message_metrics", {"kind": "segment"}, "kind: Input should be 'campaign', 'broadcast'"),
        (
            "get_link_metrics",
            {"kind": "transactional", "action_id": 1},
            "action_id: not allowed with kind=transactional",
        ),
        ("get_link_metrics", {"kind": "campaign", "days": 46}, "days: must be 2 to 45 days"),
    ],
)
async def test_a_wrong_argument_is_named(
    agent: Agent, tool: str, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail(tool, source_id=1, **arguments)
    assert agent.sent == []


@pytest.mark.parametrize("tool", ["get_message_metrics", "get_link_metrics"])
@pytest.mark.parametrize("kind", ["campaign", "broadcast", "newsletter", "transactional"])
async def test_what_does_not_exist_is_refused_with_status_404(agent: Agent, tool: str, kind: str) -> None:
    await agent.fail(tool, kind=kind, source_id=999)

    assert (agent.facts["outcome"], agent.facts["status"]) == ("refused", 404)


@pytest.mark.parametrize(
    ("arguments", "request_", "hrefs"),
    [
        (
            {"kind": "campaign", "source_id": 2},
            "/v1/campaigns/2/metrics/links?period=days",
            ["plans", "plans", "export"],
        ),
        (
            {"kind": "campaign", "source_id": 1, "action_id": 101, "days": 30, "unique": True},
            "/v1/campaigns/1/actions/101/metrics/links?period=days&steps=30&unique=true",
            ["first-note", "tour"],
        ),
        (
            {"kind": "newsletter", "source_id": 20},
            "/v1/newsletters/20/metrics/links?period=days",
            ["new", "help"],
        ),
        (
            {"kind": "transactional", "source_id": 1},
            "/v1/transactional/1/metrics/links?period=days",
            ["orders"],
        ),
        ({"kind": "broadcast", "source_id": 11}, "/v1/broadcasts/11/metrics/links?period=days", []),
    ],
)
async def test_links_are_told_the_most_clicked_first(
    storied: Agent, arguments: dict[str, Any], request_: str, hrefs: list[str]
) -> None:
    answer = await storied.call("get_link_metrics", **arguments)

    assert storied.sent == [f"GET {request_}"]
    assert [link["href"].rpartition("/")[2] for link in answer["links"]] == hrefs
    clicks = [link["totals"].get("clicked", 0) for link in answer["links"]]
    assert clicks == sorted(clicks, reverse=True)
    assert not hrefs or clicks[0] > 0


async def test_links_may_be_null_and_lack_what_they_are_and_their_counts() -> None:
    nothing: list[dict[str, Any]] = [{"links": None}, {"links": []}]
    for links in nothing:
        async with canned({"/links": links}) as workspace:
            answer = await workspace.call("get_link_metrics", kind="broadcast", source_id=1)
        span = {"start": "2026-04-14T00:00:00-04:00", "end": "2026-05-28T16:26:40-04:00"}
        newest = span | {"timezone": "America/New_York"}
        assert answer == {"kind": "broadcast", "source_id": 1, "links": []} | newest
    async with canned({"/links": {"links": [{"link": None, "metric": None}]}}) as workspace:
        answer = await workspace.call("get_link_metrics", kind="broadcast", source_id=1)
    assert answer["links"] == [{}]


async def test_links_too_many_for_one_answer_are_cut_where_they_are_clicked_least() -> None:
    links = [
        {"link": {"id": number, "href": "h" * 500}, "metric": {"series": {"clicked": [number]}}}
        for number in range(1, 101)
    ]
    async with canned({"/links": {"links": links}}) as workspace:
        answer = await workspace.call("get_link_metrics", kind="broadcast", source_id=1)

    kept = [link["link_id"] for link in answer["links"]]
    assert kept == list(range(100, 100 - len(kept), -1))
    assert 10 < len(kept) < 100
    assert answer["left_out"] == f"{100 - len(kept)} links with fewer clicks"


async def test_journeys_are_told_as_shares_of_those_that_started(storied: Agent) -> None:
    answer = await storied.call("get_journey_metrics", campaign_id=1, series=True, **MAY)

    assert storied.sent == [f"GET /v1/campaigns/1/journey_metrics?{IN_MAY}&resolution=days"]
    totals = answer["totals"]
    assert totals["started"] == totals["activated"] + totals.get("never_activated", 0)
    assert answer["rates"].keys() >= totals.keys() - {"started"}
    assert answer["rates"]["finished"] == round(totals["finished"] / totals["started"], 3)
    assert sum(answer["series"]["converted"]) == totals["converted"]


@pytest.mark.parametrize(
    ("journeys", "totals", "rates"),
    [
        ({"started": [0]}, {}, {}),
        ({"started": None, "converted": [1]}, {"converted": 1}, {}),
        ({"started": [4], "converted": [0]}, {"started": 4}, {"converted": 0.0}),
        ({"started": [4, 4], "new_key": [1, 1]}, {"started": 8, "new_key": 2}, {"new_key": 0.25}),
    ],
)
async def test_journeys_may_be_null_none_one_or_many(
    journeys: dict[str, Any] | None, totals: dict[str, int], rates: dict[str, float]
) -> None:
    async with canned({"/journey_metrics": {"journey_metric": journeys}}) as workspace:
        answer = await workspace.call("get_journey_metrics", campaign_id=1, resolution="months", **MAY)

    assert workspace.asked[0][1] == {"start": "1777593600", "end": "1779999999", "resolution": "months"}
    assert (answer["totals"], answer["rates"]) == (totals, rates)


async def test_journeys_are_of_the_last_30_whole_days_where_no_span_is_named(agent: Agent) -> None:
    answer = await agent.call("get_journey_metrics", campaign_id=1)

    assert (answer["start"], answer["end"]) == ("2026-04-28T00:00:00+00:00", "2026-05-28T00:00:00+00:00")
    assert agent.sent == [
        "GET /v1/campaigns/1/journey_metrics?start=1777334400&end=1779926399&resolution=days"
    ]
    assert "end: must be later than start" in await agent.fail(
        "get_journey_metrics", campaign_id=1, **BACKWARDS
    )


@pytest.mark.parametrize(
    ("arguments", "counts", "start", "dates"),
    [
        ({}, 3, "2026-05-26T00:00:00-04:00", ["2026-05-26", "2026-05-27", "2026-05-28"]),
        ({"periods": 2}, 2, "2026-05-27T00:00:00-04:00", ["2026-05-27", "2026-05-28"]),
        (
            {"resolution": "hours"},
            2,
            "2026-05-28T15:00:00-04:00",
            ["2026-05-28T15:00:00-04:00", "2026-05-28T16:00:00-04:00"],
        ),
        ({"resolution": "months"}, 2, "2026-04-01T00:00:00-04:00", ["2026-04-01", "2026-05-01"]),
        # Months may come with 13 entries, whatever was asked for.
        ({"resolution": "months", "periods": 3}, 13, "2026-03-01T00:00:00-05:00", None),
        # Weeks begin on Sunday; on one of these the clocks changed.
        (
            {"resolution": "weeks", "periods": 3},
            3,
            "2026-05-10T00:00:00-04:00",
            ["2026-05-10", "2026-05-17", "2026-05-24"],
        ),
        ({"resolution": "weeks", "periods": 12}, 12, "2026-03-08T00:00:00-05:00", WEEKS),
        ({}, 0, None, None),
    ],
)
async def test_the_newest_periods_are_told_with_their_span_in_eastern_time(
    arguments: dict[str, Any], counts: int, start: str | None, dates: list[str] | None
) -> None:
    series = {"sent": list(range(1, counts + 1))} if counts else {}
    async with canned({"/metrics": {"metric": {"series": series}}}) as workspace:
        answer = await workspace.call(
            "get_message_metrics", kind="newsletter", source_id=1, series=True, **arguments
        )

    kept = min(counts, arguments.get("periods", counts))
    assert answer["timezone"] == "America/New_York"
    assert answer.get("start") == start
    assert answer.get("end") == ("2026-05-28T16:26:40-04:00" if start else None)
    assert answer["series"] == ({"sent": series["sent"][-kept:]} if counts else {})
    assert (answer["periods"], len(answer.get("dates", []))) == (kept, kept if start else 0)
    assert dates is None or answer["dates"] == dates


@pytest.mark.parametrize("tool", ["get_campaign_metrics", "get_message_metrics", "get_journey_metrics"])
@pytest.mark.parametrize(
    ("resolution", "begins", "ends"),
    [
        ("weeks", "2026-04-26", "2026-05-28"),
        ("months", "2026-04-01", "2026-05-28"),
        ("days", "2026-04-28", ""),
    ],
)
async def test_a_span_is_widened_to_the_whole_periods_that_are_counted(
    storied: Agent, tool: str, resolution: str, begins: str, ends: str
) -> None:
    of = {"kind": "campaign", "source_id": 1} if tool == "get_message_metrics" else {"campaign_id": 1}
    answer = await storied.call(tool, resolution=resolution, **of)
    span = {"start": answer["start"], "end": answer["end"]}
    days = await storied.call(tool, **of, **span)

    assert answer["totals"] == days["totals"]
    assert (answer["start"][:10], answer["end"][:10]) == (begins, ends or "2026-05-28")
    widened = f"Whole {resolution} were counted: start and end are theirs. "
    assert ("notes" in answer) is bool(ends)
    assert not ends or answer["notes"][0].startswith(widened)


async def test_whole_periods_are_counted_as_they_were_asked_for(agent: Agent) -> None:
    april = {"start": "2026-04-01", "end": "2026-05-01", "resolution": "months"}
    weeks = {"start": "2026-04-26", "end": "2026-05-10", "resolution": "weeks", "series": True}
    morning = {"start": "2026-05-04T09:30:00-04:00", "end": "2026-05-05T00:00:00-04:00"}
    whole = await agent.call("get_campaign_metrics", campaign_id=1, **april)
    dated = await agent.call("get_campaign_metrics", campaign_id=1, **weeks)
    part = await agent.call("get_campaign_metrics", campaign_id=1, **morning)

    assert (whole["start"], whole["end"]) == ("2026-04-01T00:00:00-04:00", "2026-05-01T00:00:00-04:00")
    assert (whole["periods"], dated["dates"]) == (1, ["2026-04-26", "2026-05-03"])
    assert not any("Whole" in note for answer in (whole, dated) for note in answer.get("notes", []))
    assert part["start"] == "2026-05-04T00:00:00-04:00"
    assert "Whole days" in part["notes"][0]


@pytest.mark.parametrize(
    ("arguments", "count", "dates"),
    [
        ({"start": "2026-05-01", "end": "2026-05-04"}, 3, ["2026-05-01", "2026-05-02", "2026-05-03"]),
        (
            {"start": "2026-03-29T00:00:00Z", "end": "2026-03-29T05:00:00+02:00", "resolution": "hours"},
            3,
            ["2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00"],
        ),
        ({"start": "2026-03-28", "end": "2026-03-31", "resolution": "days"}, 3, ["2026-03-28", "2026-03-29"]),
        (
            {"start": "2025-11-15", "end": "2026-01-02", "resolution": "months"},
            3,
            ["2025-11-01", "2025-12-01"],
        ),
        ({"start": "2026-05-01", "end": "2026-05-15", "resolution": "weeks"}, 3, None),
        # Periods that are not those asked for have dates that are not known.
        ({"start": "2026-05-01", "end": "2026-05-04"}, 5, None),
    ],
)
async def test_each_period_of_a_series_has_its_date_in_the_time_zone_asked_for(
    arguments: dict[str, Any], count: int, dates: list[str] | None
) -> None:
    zone = "Europe/Berlin" if arguments["start"].startswith("2026-03") else "UTC"
    async with canned({"/metrics": {"metric": {"series": {"sent": [1] * count}}}}) as workspace:
        ask = {"campaign_id": 1, "timezone": zone, **arguments}
        answer = await workspace.call("get_campaign_metrics", **ask, series=True)
        bare = await workspace.call("get_campaign_metrics", **ask)

    assert "dates" not in bare
    if dates is None:
        assert "dates" not in answer
    else:
        assert answer["dates"][: len(dates)] == dates
        assert len(answer["dates"]) == count


async def test_opens_and_clicks_are_shares_of_what_could_be_tracked_as_customerio_shows_them() -> None:
    series = {
        "sent": [100, 60],
        "delivered": [100, 50],
        "open_untracked": [50, 10],
        "link_untracked": [30, 0],
        "opened": [70, 2],
        "clicked": [10, 2],
        "converted": [3, 0],
    }
    async with canned({"/metrics": {"metric": {"series": series}}}) as workspace:
        answer = await workspace.call("get_campaign_metrics", campaign_id=1)
        everything = {"delivered": [5], "open_untracked": [5], "opened": [1], "clicked": [1]}
        workspace_of_none = {"metric": {"series": everything}}
    async with canned({"/metrics": workspace_of_none}) as workspace:
        untracked = await workspace.call("get_campaign_metrics", campaign_id=1)

    assert answer["rates"] == {"delivered": 0.938, "opened": 0.8, "clicked": 0.1, "converted": 0.02}
    assert answer["divided_by"] == {
        "delivered": "sent = 160",
        "opened": "delivered - open_untracked = 90",
        "clicked": "delivered - link_untracked = 120",
        "converted": "delivered = 150",
    }
    assert untracked["rates"] == {"clicked": 0.2}

"""How messages of every kind did, which links were clicked, and how journeys went."""

from typing import Any

import pytest

from tests.agent import Agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

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
            {"kind": "campaign", "source_id": 1, "action_id": 101, **MAY},
            f"/v1/campaigns/1/actions/101/metrics?version=2&res=days&tz=UTC&{IN_MAY}",
        ),
        (
            {"kind": "campaign", "source_id": 1},
            "/v1/campaigns/1/metrics?version=2&res=days&tz=UTC&start=1777334400&end=1779926399",
        ),
    ],
)
async def test_each_kind_is_asked_for_as_its_endpoint_wants_it(
    agent: Agent, arguments: dict[str, Any], request_: str
) -> None:
    answer = await agent.call("get_message_metrics", **arguments)

    assert agent.sent == [f"GET {request_}"]
    assert (answer["kind"], answer["source_id"]) == (arguments["kind"], arguments["source_id"])
    assert answer["totals"]["sent"] > 0
    assert "series" not in answer


async def test_a_newsletters_metrics_agree_with_its_messages(agent: Agent) -> None:
    answer = await agent.call("get_message_metrics", kind="newsletter", source_id=20, series=True)
    clicked = await agent.call("list_messages", newsletter_id=20, metric="clicked")

    assert answer["totals"] == {
        "created": 12,
        "undeliverable": 1,
        "sent": 11,
        "bounced": 1,
        "delivered": 10,
        "opened": 2,
        "clicked": len(clicked["messages"]),
    }
    assert answer["rates"]["bounced"] == round(1 / 11, 4)
    assert answer["rates"]["opened"] == 0.2
    assert (answer["periods"], sum(answer["series"]["sent"])) == (45, 11)


async def test_the_actions_of_a_campaign_add_up_to_it(agent: Agent) -> None:
    whole = await agent.call("get_campaign_metrics", campaign_id=1, **MAY)
    parts = [
        await agent.call("get_message_metrics", kind="campaign", source_id=1, action_id=action, **MAY)
        for action in (101, 103, 105)
    ]

    assert sum(part["totals"]["sent"] for part in parts) == whole["totals"]["sent"]
    rates = [part["rates"]["clicked"] for part in parts]
    assert rates == sorted(rates, reverse=True)
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
    known = "delivered" in totals and totals["delivered"] / totals["sent"]
    assert answer["rates"].get("delivered") == (known or None)


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
            {"kind": "campaign", "source_id": 1, "action_id": 101, "days": 7, "unique": True},
            "/v1/campaigns/1/actions/101/metrics/links?period=days&steps=7&unique=true",
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
    agent: Agent, arguments: dict[str, Any], request_: str, hrefs: list[str]
) -> None:
    answer = await agent.call("get_link_metrics", **arguments)

    assert agent.sent == [f"GET {request_}"]
    assert [link["href"].rpartition("/")[2] for link in answer["links"]] == hrefs
    clicks = [link["totals"].get("clicked", 0) for link in answer["links"]]
    assert clicks == sorted(clicks, reverse=True)
    assert not hrefs or clicks[0] > 0


async def test_links_may_be_null_and_lack_what_they_are_and_their_counts() -> None:
    nothing: list[dict[str, Any]] = [{"links": None}, {"links": []}]
    for links in nothing:
        async with canned({"/links": links}) as workspace:
            answer = await workspace.call("get_link_metrics", kind="broadcast", source_id=1)
        assert answer == {"kind": "broadcast", "source_id": 1, "links": []}
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


async def test_journeys_are_told_as_shares_of_those_that_started(agent: Agent) -> None:
    answer = await agent.call("get_journey_metrics", campaign_id=1, series=True, **MAY)

    assert agent.sent == [f"GET /v1/campaigns/1/journey_metrics?{IN_MAY}&resolution=days"]
    totals = answer["totals"]
    assert totals["started"] == totals["activated"] + totals["never_activated"]
    assert answer["rates"].keys() == totals.keys() - {"started"}
    assert answer["rates"]["finished"] == round(totals["finished"] / totals["started"], 4)
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

    assert workspace.asked[0][1] == {"start": "1777593600", "end": "1778198399", "resolution": "months"}
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

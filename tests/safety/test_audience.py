"""Whom a call reaches is counted before it is made."""

import json
from typing import Any

import httpx
import pytest

from tests.agent import an_agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
UNSUBSCRIBED = {"attribute": {"field": "unsubscribed", "operator": "eq", "value": "true"}}


async def test_a_filter_is_counted_by_who_fits_it() -> None:
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call("trigger_broadcast", broadcast_id=10, recipients={"and": [PRO]})

    assert preview["audience"]["size"] == 4
    assert "at_least" not in preview["audience"]


NO_FILTERS: list[Any] = [
    {"segment": {"id": 1, "inverse": True}},
    {"segment": {"id": 1}, "inverse": True},
    {"segment": {"name": "x"}},
    {"segment": {"id": [1, 2]}},
    {"SEGMENT": {"id": 1}},
    {"and": [PRO], "or": [PRO]},
    {"and": PRO},
    {"and": [[PRO]]},
    {"and": [PRO, {"event": {"name": "x"}}]},
    {"or": [PRO, {"all": True}]},
    {"not": [PRO]},
    {"not": PRO, "x": 1},
    {"audience_filter": PRO},
    {"object_attribute": PRO["attribute"]},
    {"attribute": PRO["attribute"] | {"inverse": True}},
    {"attribute": PRO["attribute"] | {"operator": "neq"}},
    {"attribute": PRO["attribute"] | {"operator": ["eq"]}},
    {"attribute": PRO["attribute"] | {"value": ["a"]}},
    {"attribute": PRO["attribute"] | {"field": 5}},
    {"attribute": PRO["attribute"] | {"type_id": "1"}},
    {"attribute": {"field": "a", "operator": "eq"}},
    {"attribute": "a"},
    {"in_segments": [1]},
]


@pytest.mark.parametrize("condition", NO_FILTERS, ids=str)
async def test_a_filter_that_may_mean_something_else_than_what_is_counted_is_refused(condition: Any) -> None:
    api = ManyPeople(1)
    async with canned({"": api}, CIO_CONFIRM="off") as workspace:
        text = await workspace.fail("trigger_broadcast", broadcast_id=7, recipients=condition)

    assert "recipients: " in text
    assert api.starts == []


async def test_a_filter_is_sent_as_it_is_counted() -> None:
    others = {"not": {"or": [PRO, {"attribute": {"field": "a", "operator": "exists"}}]}}
    async with an_agent(confirm="off", max_recipients="9") as agent:
        given = {"and": [{"segment": {"id": "3"}}, others]}
        await agent.call("trigger_broadcast", broadcast_id=10, recipients=given)
        bodies = [(request.url.path, json.loads(request.content or "{}")) for request in agent.wire.requests]

    sent = {"and": [{"segment": {"id": 3}}, others]}
    asked = [body["filter"] for path, body in bodies if path == "/v1/customers"]
    counted = [condition for condition in asked if UNSUBSCRIBED not in condition.get("and", [])]
    assert agent.last[2]["recipients"] == sent
    assert counted
    assert all(each == sent for each in counted)


class ManyPeople:
    """An App API with so many people that fit every filter; keeps the pages that were asked for."""

    def __init__(self, people: int) -> None:
        self.people = people
        self.starts: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/customers":
            return httpx.Response(200, json={"broadcast": {"name": "Spring sale"}})
        query, condition = dict(request.url.params), json.loads(request.content)["filter"]
        if condition == {"and": [PRO, UNSUBSCRIBED]}:
            return httpx.Response(200, json={"identifiers": [], "next": ""})
        assert (query["limit"], condition) == ("1000", PRO)
        self.starts.append(query.get("start"))
        first = int(query.get("start", "0"))
        page: list[dict[str, Any]] = [
            {"id": str(number), "email": None} for number in range(first, min(first + 1000, self.people))
        ]
        more = first + 1000 < self.people
        return httpx.Response(200, json={"identifiers": page, "next": str(first + 1000) if more else ""})


@pytest.mark.parametrize(
    ("people", "pages", "size", "at_least"),
    [
        (0, 1, 0, None),
        (999, 1, 999, None),
        (2500, 3, 2500, None),
        (10_000, 10, 10_000, None),
        (10_001, 10, 10_000, True),
        (50_000, 10, 10_000, True),
    ],
)
async def test_ten_pages_are_counted_and_then_it_says_at_least(
    people: int, pages: int, size: int, at_least: bool | None
) -> None:
    api = ManyPeople(people)
    async with canned({"": api}) as workspace:
        found = (await workspace.call("trigger_broadcast", broadcast_id=7, recipients=PRO))["audience"]

    assert len(api.starts) == pages
    assert (found["size"], found.get("at_least")) == (size, at_least)


async def test_what_is_more_than_ten_pages_counts_as_uncountable_where_counts_are_bounded() -> None:
    async with canned({"": ManyPeople(10_001)}, CIO_MAX_RECIPIENTS="1000000") as workspace:
        text = await workspace.fail("trigger_broadcast", broadcast_id=7, recipients=PRO)

    assert "CIO_MAX_RECIPIENTS" in text


async def test_addresses_that_several_profiles_may_share_are_at_least_as_many_people() -> None:
    call = {"broadcast_id": 7, "emails": ["ada@example.com"], "email_add_duplicates": True}
    async with canned({"": ManyPeople(0)}) as workspace:
        found = (await workspace.call("trigger_broadcast", **call))["audience"]
    async with canned({"": ManyPeople(0)}, CIO_MAX_RECIPIENTS="5") as workspace:
        text = await workspace.fail("trigger_broadcast", **call)

    assert (found["size"], found["at_least"]) == (1, True)
    assert "CIO_MAX_RECIPIENTS" in text


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (9_990, 50_000, "the audience has grown from 9990 to at least 10000 people"),
        (9_990, 10_000, ""),
        (20_000, 50_000, ""),
        (20_000, 5_000, ""),
    ],
)
async def test_what_is_too_many_to_count_has_grown_unless_it_was_approved_as_that(
    before: int, after: int, told: str
) -> None:
    api = ManyPeople(before)
    call: dict[str, Any] = {"broadcast_id": 7, "recipients": PRO}
    async with canned({"/triggers": {"id": 1}, "": api}, CIO_MAX_AUDIENCE_GROWTH="100") as workspace:
        call["confirmation"] = (await workspace.call("trigger_broadcast", **call))["confirmation"]
        api.people = after
        if told:
            assert told in await workspace.fail("trigger_broadcast", **call)
        else:
            await workspace.call("trigger_broadcast", **call)

    assert any(path.endswith("/triggers") for path, _ in workspace.asked) == (not told)

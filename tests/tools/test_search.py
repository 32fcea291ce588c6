"""Finding customers, and the segments they are in."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
NOT_BETA = {"not": {"segment": {"id": 3}}}


def ids(answer: dict[str, Any]) -> list[str | None]:
    return [customer.get("id") for customer in answer["customers"]]


async def test_a_customer_is_found_by_email_in_any_case(agent: Agent) -> None:
    answer = await agent.call("search_customers", email="ADA@example.com")

    assert agent.last == ("GET /v1/customers", {"email": "ADA@example.com"}, None)
    assert ids(answer) == ["u_1001"]
    assert answer["customers"][0].keys() == {"id", "email", "cio_id"}


async def test_a_plus_in_an_address_is_encoded_and_found(agent: Agent) -> None:
    await agent.call("identify_customer", customer_id="plus", email="a+b@example.com")

    answer = await agent.call("search_customers", email="a+b@example.com")

    assert agent.sent[-1] == "GET /v1/customers?email=a%2Bb%40example.com"
    assert ids(answer) == ["plus"]


async def test_an_address_of_nobody_is_an_empty_list(agent: Agent) -> None:
    answer = await agent.call("search_customers", email="nobody@example.com", fields=["plan"])

    assert answer["customers"] == []
    assert len(agent.sent) == 1


@pytest.mark.parametrize(
    ("arguments", "condition", "found"),
    [
        ({"segment_id": 3}, {"and": [{"segment": {"id": 3}}]}, ["u_1001", "u_1004", "u_1007"]),
        ({"attributes": {"plan": "pro"}}, {"and": [PRO]}, ["u_1001", "u_1003", "u_1006", "u_1011"]),
        (
            {"attributes": {"seats": 5, "beta": False}},
            {
                "and": [
                    {"attribute": {"field": "seats", "operator": "eq", "value": "5"}},
                    {"attribute": {"field": "beta", "operator": "eq", "value": False}},
                ]
            },
            ["u_1002"],
        ),
        ({"filter": PRO}, PRO, ["u_1001", "u_1003", "u_1006", "u_1011"]),
        (
            {"segment_id": 2, "filter": NOT_BETA},
            {"and": [{"segment": {"id": 2}}, NOT_BETA]},
            ["u_1011"],
        ),
        (
            {"segment_id": 2, "attributes": {"plan": "pro"}, "filter": {"and": [NOT_BETA]}},
            {"and": [{"segment": {"id": 2}}, PRO, NOT_BETA]},
            ["u_1011"],
        ),
        (
            {"segment_id": 2, "filter": {"or": [NOT_BETA, PRO]}},
            {"and": [{"segment": {"id": 2}}, {"or": [NOT_BETA, PRO]}]},
            ["u_1001", "u_1011"],
        ),
        ({"filter": json.dumps(NOT_BETA), "attributes": '{"plan": "team"}'}, None, ["u_1008"]),
    ],
)
async def test_what_is_asked_for_together_must_all_be_so(
    agent: Agent, arguments: dict[str, Any], condition: Any, found: list[str]
) -> None:
    answer = await agent.call("search_customers", **arguments)

    path, query, body = agent.last
    assert (path, query) == ("POST /v1/customers", {"limit": "50"})
    assert condition is None or body == {"filter": condition}
    assert ids(answer) == found


async def test_a_number_in_a_filter_leaves_as_the_text_that_the_api_compares_with(agent: Agent) -> None:
    seats = {"attribute": {"field": "seats", "operator": "eq", "value": 5}}
    await agent.call("search_customers", filter={"not": seats})

    assert agent.last[2] == {"filter": {"not": {"attribute": seats["attribute"] | {"value": "5"}}}}


async def test_without_any_condition_everybody_is_listed_page_by_page(agent: Agent) -> None:
    first = await agent.call("search_customers", limit=10)
    assert agent.last[2] == {"filter": {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}}
    second = await agent.call("search_customers", limit=10, cursor=first["next_cursor"])

    assert agent.last[1] == {"limit": "10", "start": first["next_cursor"]}
    assert (len(first["customers"]), len(second["customers"])) == (10, 2)
    assert second["customers"][-1].keys() == {"email", "cio_id"}
    assert "next_cursor" not in second


async def test_attributes_of_those_found_are_read_in_one_call(agent: Agent) -> None:
    answer = await agent.call(
        "search_customers",
        segment_id=3,
        fields=["plan", "total_spent", "created_at", "unsubscribed", "nickname", "email"],
    )

    path, query, body = agent.last
    customers = answer["customers"]
    assert (path, query) == ("POST /v1/customers/attributes", {"id_type": "cio_id"})
    assert body == {"ids": [customer["cio_id"] for customer in customers]}
    assert customers[1]["attributes"] == {
        "plan": "team",
        "total_spent": "660",
        "created_at": "2025-12-29T20:26:40Z",
        "unsubscribed": False,
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"identifiers": None, "ids": None, "next": ""}, {"customers": []}),
        ({"identifiers": [], "next": "MDox"}, {"customers": [], "next_cursor": "MDox"}),
        (
            {"identifiers": [{"id": "1", "email": "", "cio_id": "c"}, {"id": None, "cio_id": "d"}]},
            {"customers": [{"id": "1", "cio_id": "c"}, {"cio_id": "d"}]},
        ),
        ({"results": None, "identifiers": [{"id": 7}]}, {"customers": [{"id": "7"}]}),
    ],
)
async def test_what_the_api_may_leave_out_of_people_is_left_out(body: object, expected: object) -> None:
    async with canned({"": body}) as workspace:
        answer = await workspace.call("search_customers")

    assert answer.pop("total", None) == (None if "next_cursor" in answer else len(answer["customers"]))
    assert answer == expected


def as_documented(profile: dict[str, Any]) -> dict[str, Any]:
    return {"customer": profile}


def as_seen_live(profile: dict[str, Any]) -> dict[str, Any]:
    return profile


@pytest.mark.parametrize("form", [as_documented, as_seen_live])
async def test_attributes_are_read_as_the_documents_and_as_the_live_api_answer_them(
    form: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    profile = {
        "id": "42",
        "identifiers": {"cio_id": "c", "email": "ada@example.com", "id": None},
        "attributes": {"cio_id": "c", "plan": "pro"},
        "devices": None,
        "unsubscribed": False,
    }
    bodies = {"attributes": {"customers": [form(profile)]}, "": {"identifiers": [{"cio_id": "c"}]}}
    async with canned(bodies) as workspace:
        answer = await workspace.call("search_customers", fields=["plan"])

    assert answer == {"customers": [{"cio_id": "c", "attributes": {"plan": "pro"}}], "total": 1}


@pytest.mark.parametrize(
    "profiles",
    [
        {},
        {"customers": None},
        {"customers": [None]},
        {"customers": ["c"]},
        {"customers": [{"customer": None}]},
        {"customers": [{"customer": {"identifiers": {"cio_id": "other"}, "attributes": {"plan": "pro"}}}]},
    ],
)
async def test_who_has_gone_since_stays_without_attributes(profiles: object) -> None:
    people = {"identifiers": [{"cio_id": "c"}]}
    async with canned({"attributes": profiles, "": people}) as workspace:
        answer = await workspace.call("search_customers", fields=["plan"])

    assert answer["customers"] == [{"cio_id": "c"}]
    assert "attributes" in answer["left_out"]


async def test_people_too_long_for_one_answer_are_cut_whole_and_say_how_to_read_on() -> None:
    names = [f"c{number}" for number in range(100)]
    profiles = {
        "customers": [
            {"customer": {"identifiers": {"cio_id": name}, "attributes": {"note": "n" * 900}}}
            for name in names
        ]
    }
    people = {"identifiers": [{"cio_id": name} for name in names], "next": "more"}
    async with canned({"attributes": profiles, "": people}) as workspace:
        answer = await workspace.call("search_customers", fields=["note"], limit=100)

    assert 10 < len(answer["customers"]) < 20
    assert f"limit={len(answer['customers'])}" in answer["left_out"]
    assert "next_cursor" not in answer


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"email": "a@example.com", "segment_id": 3}, "email: cannot be combined with other conditions"),
        (
            {"email": "a@example.com", "attributes": {"plan": "pro"}},
            "email: cannot be combined with other conditions",
        ),
        ({"email": "a@example.com", "filter": PRO}, "email: cannot be combined with other conditions"),
        ({"email": "a@example.com", "cursor": "x"}, "email: cannot be combined with other conditions"),
        (
            {"attributes": {"plan": None}},
            "attributes: plan: must be a string, number or boolean; to test whether it exists use filter",
        ),
        ({"attributes": {"plan": ["pro"]}}, "attributes: plan: must be"),
        ({"attributes": ["plan"]}, "attributes: must be a JSON object"),
        ({"filter": "pro"}, "filter: must be a JSON object"),
        (
            {"filter": {"attribute": {"field": "age", "operator": "gt", "value": "5"}}},
            "operator (eq or exists)",
        ),
        ({"limit": 101}, "limit: "),
        ({"segment_id": 0}, "segment_id: "),
        ({"fields": "plan,seats"}, "fields: must be a JSON list: a value can hold a comma itself"),
    ],
)
async def test_a_wrong_search_is_named_and_nothing_is_asked(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("search_customers", **arguments)
    assert agent.sent == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"segment_id": 99}, "segment does not exist"),
        ({"cursor": "not one"}, "start is not the next of another page"),
    ],
)
async def test_what_customer_io_refuses_of_a_search_is_told_in_its_words(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("search_customers", **arguments)
    assert agent.facts["status"] == 400


async def test_masked_people_are_found_by_pseudonym_and_shown_by_pseudonym() -> None:
    async with an_agent(pii="mask") as agent:
        (ada,) = (await agent.call("search_customers", attributes={"country": "GB"}, fields=["first_name"]))[
            "customers"
        ]
        again = await agent.call("search_customers", email=ada["email"])
        named = {"attribute": {"field": "email", "operator": "eq", "value": ada["email"]}}
        filtered = await agent.call("search_customers", filter=named)

    assert ada["email"].endswith("@masked.invalid")
    assert ada["attributes"] == {"first_name": "[masked]"}
    assert ids(again) == ids(filtered) == ["u_1001"]


async def test_a_customers_segments_are_listed_newest_first(agent: Agent) -> None:
    answer = await agent.call("list_customer_segments", customer_id="ada@example.com", id_type="email")

    assert agent.last == ("GET /v1/customers/ada%40example.com/segments", {"id_type": "email"}, None)
    assert answer == {
        "segments": [
            {"id": 4, "name": "Has an email"},
            {"id": 3, "name": "Beta testers"},
            {"id": 2, "name": "Bought in the last 7 days"},
            {"id": 1, "name": "Pro plan"},
        ]
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"segments": None}, []),
        ({"segments": []}, []),
        ({"segments": [{"id": "7", "name": None}]}, [{"id": 7}]),
    ],
)
async def test_a_customer_may_be_in_no_segment(body: object, expected: object) -> None:
    async with canned({"segments": body}) as workspace:
        assert await workspace.call("list_customer_segments", customer_id="1") == {"segments": expected}


async def test_segments_too_many_for_one_answer_are_counted_and_told() -> None:
    many = [{"id": number, "name": "n" * 190} for number in range(1, 201)]
    async with canned({"segments": {"segments": many}}) as workspace:
        answer = await workspace.call("list_customer_segments", customer_id="1")

    assert answer["segments"][0]["id"] == 200
    assert answer["left_out"].startswith(f"{200 - len(answer['segments'])} older segments")


async def test_an_unknown_customer_is_in_no_list(agent: Agent) -> None:
    assert "404" in await agent.fail("list_customer_segments", customer_id="nobody")


async def test_a_search_whose_answer_is_lost_is_asked_again(agent: Agent) -> None:
    agent.wire.fail(httpx.ReadTimeout)

    assert len((await agent.call("search_customers", segment_id=3))["customers"]) == 3


async def test_a_total_is_told_where_all_came_or_a_segment_counts_them(agent: Agent) -> None:
    everybody = await agent.call("search_customers", limit=100)
    few = await agent.call("search_customers", attributes={"plan": "pro"}, limit=2)
    in_segment = await agent.call("search_customers", segment_id=1, limit=2)
    members = await agent.call("list_segment_members", segment_id=1, limit=2)
    counted = (await agent.call("get_segment", segment_id=1))["count"]
    later = await agent.call("search_customers", segment_id=1, limit=2, cursor=in_segment["next_cursor"])

    assert everybody["total"] == len(everybody["customers"])
    assert ("total" in few, "total" in later) == (False, False)
    assert in_segment["total"] == members["total"] == counted > 2


@pytest.mark.parametrize(
    "asked",
    [
        {"attributes": {"name": "Jomo"}},
        {"filter": {"attribute": {"field": "first_name", "operator": "eq", "value": "jomo"}}},
    ],
)
async def test_a_search_that_finds_nobody_tells_which_attributes_there_are(
    agent: Agent, asked: dict[str, Any]
) -> None:
    (note,) = (await agent.call("search_customers", **asked))["notes"]

    assert note.startswith("Names and values must be exact, in upper and lower case too. Attributes of ")
    assert "first_name" in note
    assert "Jomo" not in note


async def test_a_search_that_finds_nobody_still_answers_where_attributes_may_not_be_read(
    agent: Agent,
) -> None:
    agent.wire.refuses = lambda request: request.url.path == "/v1/customers/attributes"

    answer = await agent.call("search_customers", attributes={"name": "Jomo"})

    assert answer["notes"] == ["Names and values must be exact, in upper and lower case too."]


async def test_a_search_that_finds_somebody_reads_nothing_else(agent: Agent) -> None:
    answer = await agent.call("search_customers", attributes={"first_name": "Jomo"})

    assert "notes" not in answer
    assert len(agent.sent) == 1

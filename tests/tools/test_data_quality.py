"""What became of data: activities, rejections, and whether a write was applied."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from cio_mcp.toolkit.arguments.times import iso
from tests.agent import Agent, an_agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

DAY = 86400


def an_activity(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": str(number), "type": "event", "name": "purchase", "timestamp": 1_780_000_000} | fields


async def test_activities_are_told_newest_first_with_whose_they_are_and_their_data(agent: Agent) -> None:
    await agent.call("track_event", customer_id="u_1001", name="purchase", data={"name": "pen", "type_": 1})

    (newest, *older) = (await agent.call("list_activities", name="purchase"))["activities"]

    assert (newest["type"], newest["name"], newest["data"]) == (
        "event",
        "purchase",
        {"name": "pen", "type_": 1},
    )
    assert newest["customer"]["id"] == "u_1001"
    assert newest["time"] > older[0]["time"] > older[-1]["time"]


async def test_a_change_of_an_attribute_names_it_in_its_data(agent: Agent) -> None:
    await agent.call("identify_customer", customer_id="u_1001", attributes={"plan": "team"})

    (change, *_) = (
        await agent.call("list_activities", activity_type="attribute_change", customer_id="u_1001")
    )["activities"]

    assert change["data"] == {"plan": {"from": "pro", "to": "team"}}
    assert "name" not in change


async def test_a_page_is_told_by_its_address(agent: Agent) -> None:
    await agent.call("track_page_view", customer_id="u_1001", url="/pricing")

    (page,) = (await agent.call("list_activities", activity_type="page"))["activities"]

    assert page["name"] == "/pricing"


@pytest.mark.parametrize("id_type", ["id", "email", "cio_id"])
async def test_activities_of_one_customer_are_asked_for_by_any_identifier(agent: Agent, id_type: str) -> None:
    customer = await agent.call("get_customer", customer_id="u_1011")

    answer = await agent.call("list_activities", customer_id=customer[id_type], id_type=id_type)

    assert {activity["customer"]["id"] for activity in answer["activities"]} == {"u_1011"}
    assert {activity["name"] for activity in answer["activities"] if "name" in activity} >= {"purchase"}


async def test_pages_of_activities_follow_each_other_while_more_come_in(agent: Agent) -> None:
    expected = (await agent.call("list_activities", limit=40))["activities"]
    first = await agent.call("list_activities", limit=25)
    await agent.call("track_event", customer_id="u_1001", name="purchase")
    second = await agent.call("list_activities", limit=15, cursor=first["next_cursor"])

    assert first["activities"] + second["activities"] == expected


async def test_each_filter_of_activities_is_asked_for_under_the_vendors_name() -> None:
    filters = {"activity_type": "event", "name": "purchase", "limit": 5, "cursor": "MDox"}
    async with canned({"": {"activities": []}}) as workspace:
        await workspace.call("list_activities")
        await workspace.call("list_activities", **filters)
        await workspace.call("list_activities", **filters, customer_id="cio_0a", id_type="cio_id")

    query = {"type": "event", "name": "purchase", "limit": "5", "start": "MDox"}
    assert workspace.asked == [
        ("/v1/activities", {"limit": "20"}),
        ("/v1/activities", query),
        ("/v1/customers/0a/activities", query | {"id_type": "cio_id"}),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"activities": None, "next": ""}, {"activities": []}),
        (
            {"activities": [{}], "next": "MDox"},
            {"activities": [{}], "next_cursor": "MDox"},
        ),
        (
            {
                "activities": [
                    {"type": "sent_email", "customer_id": "7", "delivery_id": "d=", "data": {"opened": None}}
                ]
            },
            {
                "activities": [
                    {
                        "type": "sent_email",
                        "customer": {"id": "7"},
                        "delivery_id": "d=",
                        "data": {"opened": None},
                    }
                ]
            },
        ),
    ],
)
async def test_what_the_api_may_leave_out_of_activities_is_left_out(body: object, expected: object) -> None:
    async with canned({"": body}) as workspace:
        assert await workspace.call("list_activities") == expected


async def test_activities_too_long_for_one_answer_are_cut_whole_and_say_how_to_read_on() -> None:
    long = [an_activity(number, data={"note": "x" * 2000}) for number in range(50)]
    async with canned({"": {"activities": long, "next": "more"}}) as workspace:
        answer = await workspace.call("list_activities", limit=50)

    assert f"limit={len(answer['activities'])}" in answer["left_out"]
    assert len(json.dumps(answer)) < 20_000


async def test_rejected_data_of_the_workspace_is_found_and_explained(agent: Agent) -> None:
    answer = await agent.call("find_rejected_data")

    assert {kind["type"]: kind["count"] for kind in answer["kinds"]} == {
        "failed_event": 1,
        "failed_attribute_change": 2,
        "skipped_update": 1,
    }
    assert all(kind["meaning"] and kind["do"] for kind in answer["kinds"])
    assert [rejection["reason"] for rejection in answer["rejections"]] == [
        "a newer update came first",
        "there is no such person to update",
        "there is no such person, or they are suppressed",
        "identifiers conflict",
    ]
    assert answer["rejections"][2]["data"]["identifier"] == "cio_0badc0ffee00"
    assert "left_out" not in answer


async def test_rejected_data_of_one_customer_and_since_a_time(agent: Agent) -> None:
    of_jomo = await agent.call("find_rejected_data", customer_id="u_1010")
    lately = await agent.call("find_rejected_data", since=int(agent.clock()) - 2 * DAY - 100)
    nothing = await agent.call("find_rejected_data", customer_id="u_1001")

    assert [rejection["reason"] for rejection in of_jomo["rejections"]] == ["identifiers conflict"]
    assert len(lately["rejections"]) == 2
    assert (nothing["kinds"], nothing["rejections"]) == ([], [])


async def test_each_kind_of_rejection_is_asked_for() -> None:
    async with canned({"": {"activities": None}}) as workspace:
        await workspace.call("find_rejected_data")
        await workspace.call("find_rejected_data", customer_id="a@b.c", id_type="email")

    kinds = [
        *("failed_event", "failed_attribute_change", "relationship_failed_attribute_change"),
        *("skipped_update", "failed_batch_update"),
    ]
    of_all = [("/v1/activities", {"type": kind, "limit": "100"}) for kind in kinds]
    of_one = [
        ("/v1/customers/a@b.c/activities", {"type": kind, "limit": "100", "id_type": "email"})
        for kind in kinds
    ]
    assert workspace.asked == of_all + of_one


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, {}),
        ({"error": "too large", "row": 7}, {"reason": "too large", "data": {"row": 7}}),
        ({"message": "bad"}, {"reason": "bad"}),
        ({"email": {"from": "a", "to": "b"}}, {"data": {"email": {"from": "a", "to": "b"}}}),
        (["row 7"], {"data": ["row 7"]}),
    ],
)
async def test_a_rejection_is_told_whatever_its_data_holds(data: object, told: dict[str, Any]) -> None:
    item = an_activity(1, type="failed_batch_update", name="", data=data)

    def answer(request: httpx.Request) -> dict[str, Any]:
        return {"activities": [item] if request.url.params["type"] == item["type"] else []}

    async with canned({"": answer}) as workspace:
        (rejection,) = (await workspace.call("find_rejected_data"))["rejections"]

    rest = {"type": "failed_batch_update", "time": "2026-05-28T20:26:40Z"}
    assert rejection == rest | told


async def test_of_very_much_rejected_data_the_newest_is_told_and_where_the_rest_is() -> None:
    many = [
        an_activity(number, type="failed_event", timestamp=1_780_000_000 - number) for number in range(100)
    ]

    def answer(request: httpx.Request) -> dict[str, Any]:
        failed = request.url.params["type"] == "failed_event"
        return {"activities": many if failed else [], "next": "MDox" if failed else ""}

    async with canned({"": answer}) as workspace:
        everything = await workspace.call("find_rejected_data")
        lately = await workspace.call("find_rejected_data", since=1_780_000_000 - 10)

    assert len(everything["rejections"]) == 50
    assert everything["left_out"].startswith(
        "50 older ones, failed_event (cursor=MDox); to list them use list_activities"
    )
    assert everything["kinds"][0]["count"] == 100
    assert len(lately["rejections"]) == 11
    assert "left_out" not in lately


WRITTEN = {
    "plan": "pro",
    "seats": 5,
    "beta": True,
    "score": 1.5,
    "address": {"city": "Rio"},
    "tags": ["a"],
    "old": None,
}


async def test_an_identify_that_reads_back_as_written_is_applied(agent: Agent) -> None:
    standard = {"email": "New@example.com", "created_at": "2024-01-15T10:00:00Z", "unsubscribed": True}
    await agent.call("identify_customer", customer_id="new", **standard, attributes=WRITTEN)

    check = await agent.call("check_write", customer_id="new", attributes=WRITTEN | standard)

    assert check["state"] == "applied"
    assert not {"differs", "rejections", "next", "count"} & check.keys()


@pytest.mark.parametrize(
    ("name", "written", "found"),
    [
        ("plan", "pro", "Pro"),
        ("seats", 5, "6"),
        ("seats", 5, "five"),
        ("seats", 1, "true"),
        ("beta", True, "1"),
        ("beta", False, None),
        ("old", "", "still"),
        ("old", "", {"no": "text"}),
        ("seats", 5, 6),
        ("address", {"city": "Rio"}, '{"city":"Oslo"}'),
        ("created_at", "2024-01-15", "1700000000"),
        ("created_at", "soon", "1700000000"),
        ("email", "a@example.com", "b@example.com"),
    ],
)
async def test_an_attribute_that_reads_otherwise_is_told(name: str, written: object, found: object) -> None:
    attributes = {} if found is None else {name: found}
    bodies = {"attributes": {"customer": {"attributes": attributes}}, "activities": {"activities": None}}
    async with canned(bodies) as workspace:
        check = await workspace.call("check_write", customer_id="1", attributes={name: written})

    assert check["state"] == "pending"
    assert check["differs"] == {name: {"expected": written} | ({} if found is None else {"found": found})}


@pytest.mark.parametrize(
    ("written", "subscribed"), [(True, False), ("true", False), (1, False), (False, True)]
)
async def test_unsubscribed_is_compared_as_customer_io_understands_it(
    written: object, subscribed: bool
) -> None:
    bodies = {"attributes": {"customer": {"attributes": {}, "unsubscribed": not subscribed}}}
    async with canned(bodies) as workspace:
        check = await workspace.call("check_write", customer_id="1", attributes={"unsubscribed": written})

    assert check["state"] == "applied"


async def test_a_write_that_has_not_been_applied_yet_is_pending_and_later_applied() -> None:
    async with an_agent(lag=30) as agent:
        await agent.call("identify_customer", customer_id="u_1001", attributes={"plan": "team"})
        await agent.call("track_event", customer_id="u_1001", name="upgraded")
        wanted: list[dict[str, Any]] = [{"attributes": {"plan": "team"}}, {"event": "upgraded"}]
        early = [await agent.call("check_write", customer_id="u_1001", **write) for write in wanted]
        await asyncio.sleep(30)
        late = [await agent.call("check_write", customer_id="u_1001", **write) for write in wanted]

    assert [check["state"] for check in early + late] == ["pending", "pending", "applied", "applied"]
    assert early[0]["differs"] == {"plan": {"expected": "team", "found": "pro"}}
    assert "Call check_write again" in early[0]["next"]
    assert (early[1]["count"], late[1]["count"]) == (0, 1)


async def test_what_is_pending_too_long_is_not_seen(agent: Agent) -> None:
    first = await agent.call("check_write", customer_id="u_1001", event="never")
    await asyncio.sleep(299)
    still = await agent.call("check_write", customer_id="u_1001", event="never", since=first["since"])
    await asyncio.sleep(1)
    last = await agent.call("check_write", customer_id="u_1001", event="never", since=first["since"])

    assert [check["state"] for check in (first, still, last)] == ["pending", "pending", "not_seen"]
    assert "If it was written, " in last["next"]
    assert "then write it again: an event with the same event_id" in last["next"]


@pytest.mark.parametrize("written", [{"event": "purchase"}, {"attributes": {"plan": "pro"}}])
async def test_a_write_of_the_future_is_refused_at_once_with_the_time_that_it_is(
    agent: Agent, written: dict[str, Any]
) -> None:
    ahead = int(agent.clock()) + 86_400

    text = await agent.fail("check_write", customer_id="u_1001", since=ahead, **written)

    assert f"since: {iso(ahead)} is in the future, and it is {iso(int(agent.clock()))}" in text
    await agent.call("check_write", customer_id="u_1001", since=int(agent.clock()) + 30, **written)


async def test_an_event_counts_since_a_time_and_as_often_as_it_is_there(agent: Agent) -> None:
    for _ in range(2):
        await agent.call("track_event", customer_id="u_1001", name="purchase")
    await agent.call("track_page_view", customer_id="u_1001", url="/pricing")
    week_ago = int(agent.clock()) - 7 * DAY

    now = await agent.call("check_write", customer_id="u_1001", event="purchase")
    week = await agent.call("check_write", customer_id="u_1001", event="purchase", since=week_ago)
    page = await agent.call("check_write", customer_id="u_1001", event="/pricing")

    assert (now["state"], now["count"], week["count"], page["count"]) == ("applied", 2, 3, 1)


async def test_an_identify_whose_identifiers_conflict_is_rejected_with_the_reason(agent: Agent) -> None:
    await agent.call("identify_customer", customer_id="u_1005", email="ada@example.com")

    check = await agent.call("check_write", customer_id="u_1005", attributes={"email": "ada@example.com"})

    assert check["state"] == "rejected"
    assert check["differs"] == {"email": {"expected": "ada@example.com", "found": "emil@example.com"}}
    assert check["rejections"][0]["reason"] == "identifiers conflict"


async def test_an_update_of_nobody_is_rejected_and_an_older_rejection_is_not_its_own(agent: Agent) -> None:
    plan = {"plan": "pro"}
    before = await agent.call("check_write", customer_id="u_2001", attributes=plan)
    await agent.call("identify_customer", customer_id="u_2001", update_only=True, attributes=plan)
    after = await agent.call("check_write", customer_id="u_2001", attributes=plan)

    assert before["state"] == "pending"
    assert before["differs"] == {"id": {"expected": "u_2001"}, "plan": {"expected": "pro"}}
    assert (after["state"], len(after["rejections"])) == ("rejected", 1)


async def test_an_event_of_an_unknown_cio_id_is_rejected(agent: Agent) -> None:
    for name in ("purchase", "login"):
        await agent.call("track_event", customer_id="0badc0de", id_type="cio_id", name=name)

    check = await agent.call("check_write", customer_id="0badc0de", id_type="cio_id", event="login")

    assert (check["state"], check["count"]) == ("rejected", 0)
    assert [rejection["name"] for rejection in check["rejections"]] == ["login"]


async def test_a_rejection_of_somebody_elses_data_is_left_aside(agent: Agent) -> None:
    await agent.call("track_event", customer_id="0badc0de", id_type="cio_id", name="login")

    check = await agent.call("check_write", customer_id="nobody", event="login")

    assert check["state"] == "pending"


async def test_a_number_that_looks_like_the_identifier_is_not_it() -> None:
    failed = [an_activity(1, type="failed_event", customer_id="2", data={"amount": 1})]
    async with canned(
        {"customers/1/activities": httpx.Response(404), "": {"activities": failed}}
    ) as workspace:
        check = await workspace.call("check_write", customer_id="1", event="purchase", since="1970-01-01")

    assert (check["state"], "rejections" in check) == ("not_seen", False)


async def test_the_activities_of_a_busy_customer_are_read_on_up_to_a_cap() -> None:
    pages = {"": "2", "2": "3", "3": "4", "4": "5", "5": "6"}

    def answer(request: httpx.Request) -> dict[str, Any]:
        start = request.url.params.get("start", "")
        return {
            "activities": [an_activity(1, name="login" if start != "3" else "rare")],
            "next": pages[start],
        }

    async with canned({"": answer}) as workspace:
        check = await workspace.call("check_write", customer_id="1", event="rare")

    assert (check["state"], check["count"], len(workspace.asked)) == ("applied", 1, 5)


async def test_a_check_may_look_back_to_the_beginning_of_time(agent: Agent) -> None:
    answer = await agent.call("check_write", customer_id="u_1001", event="never", since="1970-01-01")

    assert answer["state"] == "not_seen"
    assert "Do not write it again" in answer["next"]


@pytest.mark.parametrize("rejected", ["login", "", None])
async def test_a_rejection_that_names_no_event_may_be_of_any(rejected: str | None) -> None:
    failed = [an_activity(1, type="failed_event", name=name) for name in ("purchase", rejected)]
    async with canned({"": {"activities": failed}}) as workspace:
        check = await workspace.call("check_write", customer_id="1", event="login")

    assert (check["state"], len(check["rejections"])) == ("rejected", 1)


async def test_an_identifier_is_found_in_whatever_a_rejection_holds() -> None:
    def answer(request: httpx.Request) -> dict[str, Any]:
        rows = [{"row": 1, "identifiers": [{"id": "other"}, {"id": "1"}]}]
        kind = request.url.params["type"]
        return {"activities": [an_activity(1, type=kind, name="", data=rows)]}

    missing = httpx.Response(404)
    async with canned({"customers/1/activities": missing, "": answer}) as workspace:
        check = await workspace.call("check_write", customer_id="1", event="login")

    assert [rejection["type"] for rejection in check["rejections"]] == ["failed_batch_update", "failed_event"]


@pytest.mark.parametrize("arguments", [{}, {"attributes": {}}, {"attributes": {"a": 1}, "event": "login"}])
async def test_a_check_is_of_one_write(agent: Agent, arguments: dict[str, Any]) -> None:
    text = await agent.fail("check_write", customer_id="u_1001", **arguments)

    assert "attributes, event: give exactly one of them" in text
    assert agent.sent == []


@pytest.mark.parametrize("write", [{"attributes": {"plan": "pro"}}, {"event": "login"}])
async def test_a_check_that_is_refused_is_not_taken_for_a_missing_customer(
    agent: Agent, write: dict[str, Any]
) -> None:
    agent.wire.fail(401)

    assert "401" in await agent.fail("check_write", customer_id="u_1001", **write)

"""Segments: listed, counted, made, filled, deleted."""

import json
from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

PRO, BETA, CANDIDATES = 1, 3, 5


async def members(agent: Agent, segment_id: int) -> list[str | None]:
    answer = await agent.call("list_segment_members", segment_id=segment_id, limit=100)
    return [member.get("id") for member in answer["members"]]


async def test_segments_are_listed_newest_first_in_one_request(agent: Agent) -> None:
    answer = await agent.call("list_segments")

    assert agent.sent == ["GET /v1/segments"]
    assert [segment["id"] for segment in answer["segments"]] == [5, 4, 3, 2, 1]
    assert answer["segments"][2] == {
        "id": BETA,
        "name": "Beta testers",
        "type": "manual",
        "description": "Chosen by the product team.",
        "state": "finished",
        "tags": [],
    }


async def test_segments_are_found_by_a_part_of_their_name(agent: Agent) -> None:
    answer = await agent.call("list_segments", name_contains="PLAN")

    assert [segment["id"] for segment in answer["segments"]] == [PRO]


async def test_counts_are_read_for_each_segment_of_the_page_only(agent: Agent) -> None:
    answer = await agent.call("list_segments", counts=True, limit=2)

    assert [(segment["id"], segment["count"]) for segment in answer["segments"]] == [(5, 1), (4, 12)]
    assert agent.sent[1:] == ["GET /v1/segments/5/customer_count", "GET /v1/segments/4/customer_count"]

    rest = await agent.call("list_segments", counts=True, cursor=answer["next_cursor"])

    assert [(segment["id"], segment["count"]) for segment in rest["segments"]] == [(3, 3), (2, 3), (1, 4)]
    assert "next_cursor" not in rest


async def test_a_page_with_counts_has_at_most_twenty_segments() -> None:
    many = {"segments": [{"id": number, "name": str(number)} for number in range(1, 31)]}
    async with canned({"customer_count": {"count": 7}, "segments": many}) as workspace:
        answer = await workspace.call("list_segments", counts=True, limit=100)
        plain = await workspace.call("list_segments", limit=100)

    assert (len(answer["segments"]), len(plain["segments"])) == (20, 30)
    assert answer["next_cursor"] == "11"
    assert "10 more match" in answer["left_out"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"segments": None}, []),
        ({"segments": []}, []),
        (
            {"segments": [{"id": "7", "name": None, "description": "", "tags": None}]},
            [{"id": 7, "tags": []}],
        ),
    ],
)
async def test_what_the_api_may_leave_out_of_segments_is_left_out(body: object, expected: object) -> None:
    async with canned({"segments": body}) as workspace:
        assert await workspace.call("list_segments") == {"segments": expected}


async def test_segments_too_long_for_one_answer_go_on_at_the_next_page() -> None:
    many = {"segments": [{"id": number, "name": "n", "description": "d" * 900} for number in range(1, 51)]}
    seen: list[int] = []
    async with canned({"segments": many}) as workspace:
        answer = await workspace.call("list_segments", limit=100)
        while "next_cursor" in answer:
            seen += [segment["id"] for segment in answer["segments"]]
            answer = await workspace.call("list_segments", limit=100, cursor=answer["next_cursor"])
    seen += [segment["id"] for segment in answer["segments"]]

    assert seen == list(range(50, 0, -1))


async def test_a_segment_is_read_with_its_size_and_what_uses_it(agent: Agent) -> None:
    segment = await agent.call("get_segment", segment_id=BETA)

    assert set(agent.sent) == {
        f"GET /v1/segments/{BETA}",
        f"GET /v1/segments/{BETA}/used_by",
        f"GET /v1/segments/{BETA}/customer_count",
    }
    assert (segment["name"], segment["type"], segment["count"]) == ("Beta testers", "manual", 3)
    assert segment["used_by"] == {"draft_newsletters": [21]}
    assert segment["created"] < segment["updated"]
    assert (await agent.call("get_segment", segment_id=4))["used_by"] == {
        "campaigns": [1, 2, 3],
        "sent_newsletters": [20],
    }


@pytest.mark.parametrize(
    "uses", [{"used_by": {}}, {"campaigns": None}, {"used_by": {"campaigns": None, "segment_id": 7}}]
)
async def test_a_segment_may_be_used_by_nothing_and_still_be_building(uses: object) -> None:
    segment = {"segment": {"id": 7, "name": "New", "state": "build", "progress": 40}}
    bodies = {"used_by": uses, "customer_count": {"count": "0"}, "segments/7": segment}
    async with canned(bodies) as workspace:
        answer = await workspace.call("get_segment", segment_id=7)

    expected = {
        "id": 7,
        "name": "New",
        "state": "build",
        "progress": 40,
        "count": 0,
        "used_by": {},
    }
    assert answer == expected


async def test_members_are_listed_page_by_page(agent: Agent) -> None:
    first = await agent.call("list_segment_members", segment_id=4, limit=11)
    second = await agent.call("list_segment_members", segment_id=4, limit=11, cursor=first["next_cursor"])

    assert agent.last == (
        "GET /v1/segments/4/membership",
        {"limit": "11", "start": first["next_cursor"]},
        None,
    )
    assert first["members"][0].keys() == {"id", "email", "cio_id"}
    assert len(first["members"]) == 11
    assert [member["email"] for member in second["members"]] == ["lena@example.org"]
    last = await agent.call("list_segment_members", segment_id=4, cursor=second["next_cursor"])
    assert last["members"] == []
    assert "next_cursor" not in last


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"identifiers": None, "ids": None, "next": ""}, {"members": [], "total": 0}),
        ({"identifiers": [], "next": "MDox"}, {"members": [], "total": 7, "next_cursor": "MDox"}),
        (
            {"identifiers": [{"id": "1", "cio_id": "c"}]},
            {"members": [{"id": "1", "cio_id": "c"}], "total": 1},
        ),
    ],
)
async def test_what_the_api_may_leave_out_of_members_is_left_out(body: object, expected: object) -> None:
    async with canned({"membership": body, "customer_count": {"count": 7}}) as workspace:
        assert await workspace.call("list_segment_members", segment_id=1) == expected


async def test_members_too_many_for_one_answer_are_cut_whole_and_say_how_to_read_on() -> None:
    many = [{"id": "i" * 150, "email": "e" * 150, "cio_id": str(number)} for number in range(100)]
    bodies = {"membership": {"identifiers": many, "next": "more"}, "customer_count": {}}
    async with canned(bodies) as workspace:
        answer = await workspace.call("list_segment_members", segment_id=1, limit=100)

    assert f"limit={len(answer['members'])}" in answer["left_out"]
    assert "next_cursor" not in answer


@pytest.mark.parametrize("description", [None, "Who came to the summit."])
async def test_a_manual_segment_is_created_empty(agent: Agent, description: str | None) -> None:
    answer = await agent.call("create_segment", name=" Summit ", description=description)

    segment = {"name": "Summit"} | ({"description": description} if description else {})
    assert agent.last == ("POST /v1/segments", {}, {"segment": segment})
    assert answer == {"outcome": "created", "segment_id": 6}
    created = await agent.call("get_segment", segment_id=6)
    assert (created["name"], created["type"], created["count"]) == ("Summit", "manual", 0)
    assert created.get("description") == description


async def test_a_segment_whose_creation_is_unknown_can_be_found(agent: Agent) -> None:
    agent.wire.fail(httpx.ReadTimeout, late=True)

    text = await agent.fail("create_segment", name="Summit")

    assert agent.facts["outcome"] == "unknown"
    assert "list_segments" in text
    assert (await agent.call("list_segments"))["segments"][0]["name"] == "Summit"


async def test_an_answer_without_a_segment_is_not_taken_for_a_success(agent: Agent) -> None:
    agent.wire.fail(httpx.Response(200, json={"ok": True}))

    await agent.fail("create_segment", name="Summit")

    assert agent.facts["outcome"] == "unknown"


@pytest.mark.parametrize(
    ("id_type", "ids", "sent"),
    [
        ("id", ["u_1002", "u_1005"], ["u_1002", "u_1005"]),
        ("email", ["bruno@example.com"], ["bruno@example.com"]),
        ("cio_id", ["cio_0300", "0301"], ["0300", "0301"]),
    ],
)
async def test_customers_are_added_and_removed_by_one_kind_of_identifier(
    agent: Agent, id_type: str, ids: list[str], sent: list[str]
) -> None:
    for tool, act in (("add_to_segment", "add_customers"), ("remove_from_segment", "remove_customers")):
        answer = await agent.call(tool, segment_id=CANDIDATES, ids=ids, id_type=id_type)

        path = f"POST /api/v1/segments/{CANDIDATES}/{act}"
        assert agent.last == (path, {"id_type": id_type}, {"ids": sent})
        assert f"A value that is not the {id_type} of a known customer is ignored" in answer["notes"][0]


async def test_members_come_and_go_and_ids_of_another_kind_are_passed_over(agent: Agent) -> None:
    await agent.call("add_to_segment", segment_id=CANDIDATES, ids=["u_1001", "bruno@example.com", "nobody"])

    assert await members(agent, CANDIDATES) == ["u_1001", "u_1008"]

    await agent.call(
        "remove_from_segment", segment_id=CANDIDATES, ids='["hana@example.net"]', id_type="email"
    )

    assert await members(agent, CANDIDATES) == ["u_1001"]


@pytest.mark.parametrize("tool", ["add_to_segment", "remove_from_segment"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ids": []}, "ids: 1 to 1000 are allowed; these are 0"),
        ({"ids": ["x"] * 1001}, "ids: 1 to 1000 are allowed; these are 1001"),
        ({"ids": "u_1001, u_1002"}, "ids: must be a JSON list: a value can hold a comma itself"),
        ({"ids": ["x"], "id_type": "phone"}, "id_type: "),
        ({"ids": ["x"], "segment_id": True}, "segment_id: must be a whole number"),
        ({}, "ids: is required"),
    ],
)
async def test_wrong_members_are_named_and_nothing_is_sent(
    agent: Agent, tool: str, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail(tool, **({"segment_id": CANDIDATES} | arguments))
    assert agent.sent == []


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("add_to_segment", {"segment_id": PRO, "ids": ["u_1001"]}, "not a manual segment"),
        ("remove_from_segment", {"segment_id": 99, "ids": ["u_1001"]}, "segment not found"),
        ("delete_segment", {"segment_id": PRO}, "only manual segments can be deleted"),
        ("delete_segment", {"segment_id": BETA}, "segment is in use"),
        ("get_segment", {"segment_id": 99}, "not found (reference "),
        ("list_segment_members", {"segment_id": 99}, "not found (reference "),
    ],
)
async def test_what_customer_io_refuses_of_segments_is_told_in_its_words(
    agent: Agent, tool: str, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail(tool, **arguments)
    assert agent.facts["outcome"] == "refused"


async def test_a_deleted_segment_is_gone_and_its_customers_stay(agent: Agent) -> None:
    answer = await agent.call("delete_segment", segment_id=CANDIDATES)

    assert agent.last == (f"DELETE /v1/segments/{CANDIDATES}", {}, None)
    assert answer == {"outcome": "deleted", "segment_id": CANDIDATES}
    assert "404" in await agent.fail("get_segment", segment_id=CANDIDATES)
    assert (await agent.call("get_customer", customer_id="u_1008"))["id"] == "u_1008"


async def test_a_deletion_waits_for_its_confirmation() -> None:
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call("delete_segment", segment_id=CANDIDATES)
        assert preview["outcome"] == "preview"
        assert all(sent.startswith("GET") for sent in agent.sent)

        deleted = await agent.call(
            "delete_segment", segment_id=CANDIDATES, confirmation=preview["confirmation"]
        )

    assert deleted["outcome"] == "deleted"


async def test_masked_members_can_be_moved_by_their_pseudonyms() -> None:
    async with an_agent(pii="mask") as agent:
        (hana,) = (await agent.call("list_segment_members", segment_id=CANDIDATES))["members"]
        await agent.call("remove_from_segment", segment_id=CANDIDATES, ids=[hana["email"]], id_type="email")
        sent = json.loads(agent.wire.requests[-1].content)
        left = await members(agent, CANDIDATES)

    assert hana["email"].endswith("@masked.invalid")
    assert sent == {"ids": ["hana@example.net"]}
    assert left == []

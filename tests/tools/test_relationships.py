"""Customers and the objects they are related to."""

import json
from typing import Any

import pytest

from tests.agent import Agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

DANA, EMIL = "u_1004", "u_1005"
TYPES = {"types": [{"id": "1", "name": "Companies"}, {"id": 2, "name": None}]}


async def related(agent: Agent, customer_id: str = EMIL) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await agent.call("get_relationships", customer_id=customer_id))[
        "relationships"
    ]
    return found


async def test_relationships_are_listed_with_their_attributes_and_the_kinds_of_objects(agent: Agent) -> None:
    answer = await agent.call("get_relationships", customer_id="dana@example.net", id_type="email")

    path = "GET /v1/customers/dana%40example.net/relationships?id_type=email&limit=50"
    assert agent.sent == [path, "GET /v1/object_types"]
    workshop, acme = answer["relationships"]
    assert acme.pop("cio_object_id") != workshop.pop("cio_object_id")
    assert acme == {"object_type_id": "1", "object_id": "acme", "attributes": {"role": "editor"}}
    assert workshop == {"object_type_id": "2", "object_id": "notes-for-teams", "attributes": {}}
    assert answer["object_types"] == {"1": "Companies", "2": "Workshops"}


async def test_pages_of_relationships_follow_each_other(agent: Agent) -> None:
    first = await agent.call("get_relationships", customer_id=DANA, limit=1)
    second = await agent.call("get_relationships", customer_id=DANA, limit=1, cursor=first["next_cursor"])

    query = dict(agent.wire.requests[-2].url.params)
    assert query == {"id_type": "id", "limit": "1", "start": first["next_cursor"]}
    assert [first["relationships"][0]["object_id"], second["relationships"][0]["object_id"]] == [
        "notes-for-teams",
        "acme",
    ]
    assert "next_cursor" not in second


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"cio_relationships": None, "next": ""}, {"relationships": []}),
        ({"cio_relationships": [], "next": "MDox"}, {"relationships": [], "next_cursor": "MDox"}),
        (
            {"cio_relationships": [{"object_type_id": 2, "identifiers": None, "attributes": None}]},
            {"relationships": [{"object_type_id": "2"}]},
        ),
    ],
)
async def test_what_the_api_may_leave_out_of_relationships_is_left_out(body: object, expected: Any) -> None:
    async with canned({"relationships": body, "types": TYPES}) as workspace:
        answer = await workspace.call("get_relationships", customer_id="1")

    assert answer == expected | {"object_types": {"1": "Companies"}}


async def test_a_workspace_may_have_no_objects() -> None:
    async with canned({"relationships": {"cio_relationships": []}, "types": {"types": None}}) as workspace:
        answer = await workspace.call("get_relationships", customer_id="1")

    assert answer == {"relationships": [], "object_types": {}}


async def test_relationships_too_long_for_one_answer_are_cut_whole_and_say_how_to_read_on() -> None:
    long = [
        {"object_type_id": "1", "identifiers": {"object_id": str(number)}, "attributes": {"note": "n" * 900}}
        for number in range(50)
    ]
    async with canned(
        {"relationships": {"cio_relationships": long, "next": "more"}, "types": TYPES}
    ) as workspace:
        answer = await workspace.call("get_relationships", customer_id="1")

    assert f"limit={len(answer['relationships'])}" in answer["left_out"]
    assert "next_cursor" not in answer


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        (
            {"objects": [{"object_type_id": 1, "object_id": "acme", "attributes": {"role": "owner"}}]},
            {
                "action": "add_relationships",
                "relationships": [
                    {
                        "identifiers": {"object_type_id": "1", "object_id": "acme"},
                        "relationship_attributes": {"role": "owner"},
                    }
                ],
            },
        ),
        (
            {
                "action": "remove",
                "objects": json.dumps([{"object_type_id": "1", "object_id": 7}, {"cio_object_id": "ob1"}]),
            },
            {
                "action": "delete_relationships",
                "relationships": [
                    {"identifiers": {"object_type_id": "1", "object_id": "7"}},
                    {"identifiers": {"cio_object_id": "ob1"}},
                ],
            },
        ),
    ],
)
async def test_relationships_are_sent_as_track_has_them(
    agent: Agent, arguments: dict[str, Any], sent: dict[str, Any]
) -> None:
    answer = await agent.call("set_relationships", customer_id=EMIL, **arguments)

    assert agent.last == (
        f"PUT /api/v1/customers/{EMIL}",
        {},
        {"_update": True, "cio_relationships": sent},
    )
    assert answer["outcome"] == "accepted"


async def test_a_relationship_comes_changes_and_goes(agent: Agent) -> None:
    acme = {"object_type_id": 1, "object_id": "acme"}
    for attributes in ({"role": "guest", "since": 2020}, {"role": "owner"}):
        objects = [acme | {"attributes": attributes}]
        await agent.call("set_relationships", customer_id=EMIL, objects=objects)
    (added,) = await related(agent)

    assert added["attributes"] == {"role": "owner", "since": 2020}

    named = {"cio_object_id": added["cio_object_id"]}
    await agent.call("set_relationships", customer_id=EMIL, objects=[named], action="remove")

    assert await related(agent) == []
    assert len(await related(agent, DANA)) == 2


async def test_nobody_is_created_for_a_relationship(agent: Agent) -> None:
    await agent.call(
        "set_relationships", customer_id="u_9999", objects=[{"object_type_id": 1, "object_id": "acme"}]
    )

    assert "404" in await agent.fail("get_relationships", customer_id="u_9999")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "objects: is required"),
        ({"objects": []}, "objects: give at least one"),
        ({"objects": {"object_type_id": 1}}, "objects: entry 0: must have object_type_id and object_id"),
        ({"objects": ["acme"]}, "objects.0: "),
        ({"objects": "acme"}, "objects: must be a JSON list"),
        ({"objects": [{"object_type_id": 1, "object_id": None}]}, "entry 0: ids must be text or whole"),
        ({"objects": [{"object_type_id": 1, "object_id": " "}]}, "entry 0: ids must be text or whole"),
        ({"objects": [{"object_type_id": True, "object_id": "a"}]}, "entry 0: ids must be text or whole"),
        ({"objects": [{}]}, "entry 0: must have object_type_id and object_id, or cio_object_id"),
        ({"objects": [{"cio_object_id": "ob1"}, {"object_id": "acme"}]}, "entry 1: must have"),
        ({"objects": [{"object_type_id": 1, "object_id": "acme", "role": "owner"}]}, "entry 0: must have"),
        (
            {"objects": [{"cio_object_id": "ob1", "attributes": "owner"}]},
            "entry 0: attributes must be an object",
        ),
        ({"objects": [{"cio_object_id": "ob1"}], "action": "end"}, "action: "),
    ],
)
async def test_a_wrong_relationship_is_named_and_nothing_is_sent(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("set_relationships", customer_id=EMIL, **arguments)
    assert agent.sent == []

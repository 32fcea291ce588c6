"""Objects, such as companies: written, read, found, and the people who belong to them."""

from typing import Any

import pytest

from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

ORBIT: dict[str, Any] = {"object_type_id": 1, "object_id": "orbit"}
ADA = "u_1001"


def visitors(agent: Agent) -> list[tuple[str, str]]:
    rows = agent.wire.sandbox.workspace.rows("SELECT * FROM anonymous_relationships")
    return [(row["anonymous_id"], row["attributes"]) for row in rows]


async def test_an_object_is_made_with_attributes_and_changed_by_its_own_id(agent: Agent) -> None:
    await agent.call("set_object", **ORBIT, attributes={"plan": "pro", "seats": 5, "city": "Ulm"})
    assert agent.last == (
        "POST /api/v2/entity",
        {},
        {
            "type": "object",
            "action": "identify",
            "identifiers": {"object_type_id": "1", "object_id": "orbit"},
            "attributes": {"plan": "pro", "seats": 5, "city": "Ulm"},
        },
    )
    found = await agent.call("get_object", **ORBIT)
    assert (found["object_id"], found["attributes"]) == (
        "orbit",
        {"plan": "pro", "seats": "5", "city": "Ulm"},
    )

    own = {"object_type_id": 1, "object_id": found["cio_object_id"], "id_type": "cio_object_id"}
    await agent.call("set_object", **own, attributes={"plan": "free", "city": None})

    assert (await agent.call("get_object", **own))["attributes"] == {"plan": "free", "seats": "5"}
    assert "404" in await agent.fail("get_object", object_type_id=1, object_id="none")


async def test_people_are_related_with_attributes_listed_and_removed(agent: Agent) -> None:
    people = [
        {"customer_id": ADA, "attributes": {"role": "admin"}},
        {"customer_id": "new@example.com", "id_type": "email"},
    ]
    await agent.call("set_object", **ORBIT, people=people)
    first = await agent.call("list_object_members", **ORBIT, limit=1)
    second = await agent.call("list_object_members", **ORBIT, limit=1, cursor=first["next_cursor"])

    found = {who.get("id") or who.get("email") for who in (*first["customers"], *second["customers"])}
    assert found == {ADA, "new@example.com"}
    related = (await agent.call("get_relationships", customer_id=ADA))["relationships"]
    assert {"role": "admin"} in [each.get("attributes") for each in related if each["object_id"] == "orbit"]

    await agent.call("set_object", **ORBIT, people=[{"customer_id": ADA}], action="remove")
    left = (await agent.call("list_object_members", **ORBIT))["customers"]
    assert [who["email"] for who in left] == ["new@example.com"]


async def test_visitors_are_related_before_anybody_knows_who_they_are(agent: Agent) -> None:
    people = {"anonymous_id": "v_1", "attributes": {"seen": True}}
    await agent.call("set_object", **ORBIT, people=people, attributes={"plan": "pro"})

    assert visitors(agent) == [("v_1", '{"seen": true}')]
    assert (await agent.call("get_object", **ORBIT))["attributes"] == {"plan": "pro"}


async def test_objects_are_found_by_attributes_all_of_a_type_and_their_types(agent: Agent) -> None:
    for name, plan in (("a", "pro"), ("b", "free"), ("c", "pro")):
        await agent.call(
            "set_object", object_type_id=1, object_id=name, attributes={"plan": plan, "vip": True}
        )

    async def ids(**arguments: Any) -> set[str]:
        found = await agent.call("search_objects", object_type_id="1", **arguments)
        return {each["object_id"] for each in found["objects"]}

    pro = {"object_attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
    assert await ids(filter=pro) == {"a", "c"}
    assert await ids(
        filter={
            "and": [{"not": pro}, {"object_attribute": {"field": "vip", "operator": "eq", "value": True}}]
        }
    ) == {"b"}
    assert {"a", "b", "c", "acme"} <= await ids()
    types = await agent.call("search_objects")
    assert "1" in types["object_types"]
    assert "objects" not in types
    one = await agent.call("search_objects", object_type_id=1, limit=1)
    assert one["next_cursor"]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("set_object", {"people": [{"customer_id": ADA}, {"anonymous_id": "v"}]}, "need separate calls"),
        ("set_object", {"people": [{"id": ADA}]}, "entry 1: must have customer_id"),
        (
            "set_object",
            {"people": [{"customer_id": ADA, "anonymous_id": "v"}]},
            "entry 1: must have customer_id",
        ),
        ("set_object", {"people": [{"customer_id": ADA}, {"customer_id": ""}]}, "entry 2: must not be blank"),
        ("set_object", {"people": [{"customer_id": "cio_1"}]}, "entry 1: "),
        (
            "set_object",
            {"people": [{"customer_id": "+49151", "id_type": "phone"}]},
            "accepts no phone number here",
        ),
        ("set_object", {"people": [{"customer_id": ADA, "attributes": 1}]}, "and attributes"),
        (
            "set_object",
            {"people": [{"anonymous_id": "v"}], "action": "remove"},
            "action: remove takes customers",
        ),
        ("set_object", {"action": "remove"}, "action: remove takes customers"),
        ("set_object", {"attributes": {"a": "x" * 1001}}, "at most 1000 bytes"),
        ("set_object", {"attributes": {f"k{n}": "x" * 900 for n in range(40)}}, "bytes; at most 32000 fit"),
        ("set_object", {"object_id": " "}, "object_id: must not be blank"),
        (
            "search_objects",
            {"filter": {"attribute": {"field": "a", "operator": "exists"}}},
            "is not a condition; use one of and, or, not, object_attribute",
        ),
        ("search_objects", {"filter": {"or": []}}, "empty"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name(
    agent: Agent, tool: str, arguments: dict[str, Any], words: str
) -> None:
    given = {"object_type_id": 1} if tool == "search_objects" else ORBIT

    assert words in await agent.fail(tool, **(given | arguments))
    assert agent.sent == []


async def test_people_who_are_related_are_within_the_allowed_addresses() -> None:
    async with an_agent(allowed_recipients="example.com") as agent:
        people = [{"customer_id": "eve@example.org", "id_type": "email"}]
        assert "CIO_ALLOWED_RECIPIENTS" in await agent.fail("set_object", **ORBIT, people=people)
        people[0]["customer_id"] = "eve@example.com"
        await agent.call("set_object", **ORBIT, people=people)


async def test_pseudonyms_name_members_and_members_have_pseudonyms() -> None:
    async with an_agent(pii="mask") as agent:
        hidden = (await agent.call("get_customer", customer_id=ADA))["email"]
        await agent.call("set_object", **ORBIT, people=[{"customer_id": hidden, "id_type": "email"}])

        assert agent.last[2]["cio_relationships"] == [{"identifiers": {"email": "ada@example.com"}}]
        (member,) = (await agent.call("list_object_members", **ORBIT))["customers"]
        assert member["email"] == hidden

"""People and the objects they are related to."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio


def a_company(name: str, **attributes: Any) -> dict[str, Any]:
    identifiers = {"object_type_id": "1", "object_id": name}
    return {"identifiers": identifiers, "relationship_attributes": attributes}


async def relate(caller: Caller, *relationships: dict[str, Any], action: str = "add_relationships") -> None:
    await caller.identify("1", cio_relationships={"action": action, "relationships": list(relationships)})


async def related(caller: Caller) -> dict[str, dict[str, Any]]:
    found = (await caller.ok("GET", "/v1/customers/1/relationships"))["cio_relationships"]
    return {one["identifiers"]["object_id"]: one["attributes"] for one in found}


async def test_object_types_have_texts_for_ids(caller: Caller) -> None:
    types = (await caller.ok("GET", "/v1/object_types"))["types"]

    assert [(kind["id"], kind["name"]) for kind in types] == [("1", "Companies"), ("2", "Workshops")]


async def test_relationships_add_up_and_their_attributes_do_too(caller: Caller) -> None:
    await relate(caller, a_company("acme", role="guest", since=2020), a_company("globex"))
    await relate(caller, a_company("acme", role="owner", since=None))

    assert await related(caller) == {"acme": {"role": "owner"}, "globex": {}}
    assert "cio_relationships" not in (await caller.profile("1"))["attributes"]


async def test_an_object_is_the_same_for_all_and_can_be_named_by_its_own_id(caller: Caller) -> None:
    (acme,) = (await caller.ok("GET", "/v1/customers/u_1001/relationships"))["cio_relationships"]
    own = {"identifiers": {"cio_object_id": acme["identifiers"]["cio_object_id"]}}

    await relate(caller, own)
    assert await related(caller) == {"acme": {}}

    await relate(caller, own, action="delete_relationships")
    assert await related(caller) == {}


@pytest.mark.parametrize(
    "identifiers",
    [
        {"object_type_id": "9", "object_id": "acme"},
        {"object_type_id": "one", "object_id": "acme"},
        {"object_type_id": "1", "object_id": ""},
        {"object_type_id": "9" * 5000, "object_id": "acme"},
        {"cio_object_id": "ob999"},
        {"cio_object_id": "x"},
    ],
)
async def test_what_names_no_object_is_accepted_and_dropped(
    caller: Caller, identifiers: dict[str, str]
) -> None:
    await relate(caller, {"identifiers": identifiers}, a_company("acme"))

    assert await related(caller) == {"acme": {}}
    assert (await caller.activities("failed_attribute_change"))[0]["data"]["identifiers"] == identifiers


@pytest.mark.parametrize(
    "asked",
    [
        None,
        [],
        {"relationships": []},
        {"action": "add", "relationships": []},
        {"action": "add_relationships"},
        {"action": "add_relationships", "relationships": ["acme"]},
        {"action": "add_relationships", "relationships": [{"object_id": "acme"}]},
        {
            "action": "add_relationships",
            "relationships": [{"identifiers": {"id": "1"}, "relationship_attributes": "owner"}],
        },
        {"action": "add_relationships", "relationships": [{"identifiers": {}}]},
    ],
)
async def test_the_shape_of_relationships_is_checked_at_once(caller: Caller, asked: Any) -> None:
    answer = await caller.no(400, "PUT", "/api/v1/customers/1", {"cio_relationships": asked})

    assert "cio_relationships must have" in answer["meta"]["error"]


@pytest.mark.parametrize("related", [{}, {"identifiers": {}}])
@pytest.mark.parametrize("kind", ["person", "object"])
async def test_a_relationship_to_nothing_is_refused_in_a_batch_at_once(
    caller: Caller, kind: str, related: dict[str, Any]
) -> None:
    named = {"id": "1"} if kind == "person" else a_company("acme")["identifiers"]
    write = {"type": kind, "action": "identify", "identifiers": named, "cio_relationships": [related]}
    answer = await caller.no(400, "POST", "/api/v2/entity", write)

    assert answer["errors"][0]["field"].startswith("cio_relationships.0.identifiers")


async def test_many_relationships_are_no_long_attribute_and_come_in_pages(caller: Caller) -> None:
    await relate(caller, *(a_company(f"company-{number:02}", role="guest") for number in range(60)))

    first = await caller.ok("GET", "/v1/customers/1/relationships")
    second = await caller.ok("GET", f"/v1/customers/1/relationships?start={first['next']}")

    assert (len(first["cio_relationships"]), len(second["cio_relationships"])) == (50, 10)
    assert second["next"] == ""


async def test_relationships_end_with_the_person(caller: Caller) -> None:
    await relate(caller, a_company("acme"))
    await caller.ok("DELETE", "/api/v1/customers/1")
    await caller.identify("1", plan="pro")

    assert await related(caller) == {}

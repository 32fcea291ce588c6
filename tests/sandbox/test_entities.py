"""Track v2: single operations and batches, as its description of 2026-08-13 has them."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

ENTITY, BATCH = "/api/v2/entity", "/api/v2/batch"
ADA = {"id": "u_1001"}


def of_person(action: str, identifiers: dict[str, str] = ADA, **body: Any) -> dict[str, Any]:
    return {"type": "person", "action": action, "identifiers": identifiers, **body}


def of_object(action: str, object_id: str = "orbit", **body: Any) -> dict[str, Any]:
    identifiers = {"object_type_id": "1", "object_id": object_id}
    return {"type": "object", "action": action, "identifiers": identifiers, **body}


@pytest.mark.anyio
async def test_people_are_identified_by_each_kind_of_identifier(caller: Caller) -> None:
    cio_id = (await caller.profile("u_1001"))["identifiers"]["cio_id"]

    for kind, value in (
        *(("id", "u_1001"), ("email", "ada@example.com")),
        *(("cio_id", cio_id), ("phone", "+4915112345678")),
    ):
        await caller.ok("POST", ENTITY, of_person("identify", {kind: value}, attributes={"how": kind}))
        path = f"/v1/customers/{value.replace('+', '%2B')}/attributes?id_type={kind}"
        profile = (await caller.ok("GET", path))["customer"]

        assert profile["attributes"]["how"] == kind
    assert profile["attributes"]["phone"] == "+4915112345678"


@pytest.mark.anyio
async def test_an_event_with_a_known_id_counts_once_and_has_its_attributes(caller: Caller) -> None:
    event = of_person(
        "event", name="order", id="01JC7Z7N8V6Q4M2K0X5Y9T3B1A", timestamp=1764000000, attributes={"total": 5}
    )

    await caller.ok("POST", ENTITY, event)
    await caller.ok("POST", BATCH, {"batch": [event, event | {"id": "01JC7Z7N8V6Q4M2K0X5Y9T3B1B"}]})

    found = caller.sandbox.workspace.rows("SELECT * FROM events WHERE name = 'order'")
    assert [(row["timestamp"], row["data"]) for row in found] == [(1764000000, '{"total": 5}')] * 2


@pytest.mark.anyio
async def test_an_older_timestamp_loses_and_an_update_creates_nobody(caller: Caller) -> None:
    now = int(caller.clock.now)
    for at, plan in ((now + 20, "new"), (now + 10, "old")):
        await caller.ok("POST", ENTITY, of_person("identify", timestamp=at, attributes={"plan": plan}))
    update = of_person("identify", {"id": "nobody"}, attributes={"_update": True, "plan": "pro"})
    await caller.ok("POST", ENTITY, update)

    assert (await caller.profile("u_1001"))["attributes"]["plan"] == "new"
    await caller.no(404, "GET", "/v1/customers/nobody/attributes")


@pytest.mark.anyio
async def test_devices_suppression_merges_and_deletions_do_as_those_of_v1(caller: Caller) -> None:
    await caller.ok("POST", ENTITY, of_person("add_device", device={"token": "t1", "platform": "ios"}))
    assert "t1" in {device["id"] for device in (await caller.profile("u_1001"))["devices"]}
    await caller.ok("POST", ENTITY, of_person("delete_device", device={"token": "t1"}))
    assert "t1" not in {device["id"] for device in (await caller.profile("u_1001"))["devices"]}

    sides = {"primary": {"id": "u_1001"}, "secondary": {"id": "u_1002"}}
    await caller.ok("POST", ENTITY, {"type": "person", "action": "merge", **sides})
    await caller.no(404, "GET", "/v1/customers/u_1002/attributes")

    await caller.ok("POST", ENTITY, of_person("suppress"))
    await caller.ok("POST", ENTITY, of_person("identify"))
    await caller.no(404, "GET", "/v1/customers/u_1001/attributes")
    await caller.ok("POST", ENTITY, of_person("unsuppress"))
    await caller.ok("POST", ENTITY, of_person("page", name="/pricing"))
    await caller.profile("u_1001")
    await caller.ok("POST", ENTITY, of_person("delete"))
    await caller.no(404, "GET", "/v1/customers/u_1001/attributes")


@pytest.mark.anyio
async def test_objects_have_attributes_members_and_visitors_who_turn_out_to_be_people(
    caller: Caller,
) -> None:
    lead = {"identifiers": ADA, "relationship_attributes": {"role": "lead"}}
    await caller.ok(
        "POST",
        ENTITY,
        of_object("identify", attributes={"plan": "pro", "seats": 5}, cio_relationships=[lead]),
    )
    await caller.ok("POST", ENTITY, of_object("identify", attributes={"seats": None}))
    visitor = {"identifiers": {"anonymous_id": "v1"}, "relationship_attributes": {"role": "guest"}}
    await caller.ok("POST", ENTITY, of_object("identify_anonymous", cio_relationships=[visitor]))
    await caller.ok(
        "POST", ENTITY, of_person("identify", {"id": "u_1003"}, attributes={"anonymous_id": "v1"})
    )

    found = (await caller.ok("GET", "/v1/objects/1/orbit/attributes"))["object"]
    assert found["attributes"] == {"plan": "pro"}
    members = (await caller.ok("GET", "/v1/objects/1/orbit/relationships"))["cio_relationships"]
    assert [one["identifiers"]["id"] for one in members] == ["u_1003", "u_1001"]
    related = (await caller.ok("GET", "/v1/customers/u_1003/relationships"))["cio_relationships"]
    assert related[0]["attributes"] == {"role": "guest"}

    cio_object_id = found["identifiers"]["cio_object_id"]
    by_its_own_id = of_object("delete_relationships", cio_relationships=[lead])
    by_its_own_id["identifiers"] = {"cio_object_id": cio_object_id}
    await caller.ok("POST", ENTITY, by_its_own_id)
    path = f"/v1/objects/1/{cio_object_id}/relationships?id_type=cio_object_id"
    assert len((await caller.ok("GET", path))["cio_relationships"]) == 1

    await caller.ok("POST", ENTITY, of_object("delete"))
    await caller.no(404, "GET", "/v1/objects/1/orbit/attributes")
    assert (await caller.ok("GET", "/v1/customers/u_1003/relationships"))["cio_relationships"] == []


@pytest.mark.anyio
async def test_a_person_is_related_to_objects_and_relieved_of_them(caller: Caller) -> None:
    one = {"identifiers": {"object_type_id": "1", "object_id": "b1"}}
    await caller.ok("POST", ENTITY, of_person("add_relationships", cio_relationships=[one]))
    await caller.ok("POST", ENTITY, of_person("identify", {"id": "n1"}, cio_relationships=[one]))

    members = (await caller.ok("GET", "/v1/objects/1/b1/relationships?limit=1"))["cio_relationships"]
    assert [one["identifiers"]["id"] for one in members] == ["n1"]

    await caller.ok("POST", ENTITY, of_person("delete_relationships", cio_relationships=[one]))
    members = (await caller.ok("GET", "/v1/objects/1/b1/relationships"))["cio_relationships"]
    assert [one["identifiers"]["id"] for one in members] == ["n1"]


@pytest.mark.anyio
async def test_objects_are_found_by_their_attributes(caller: Caller) -> None:
    for name, plan in (("a1", "pro"), ("a2", "free"), ("a3", "pro")):
        await caller.ok("POST", ENTITY, of_object("identify", name, attributes={"plan": plan}))
    pro = {"object_attribute": {"type_id": "1", "field": "plan", "operator": "eq", "value": "pro"}}
    has = {"object_attribute": {"type_id": "1", "field": "plan", "operator": "exists"}}

    async def ids(condition: dict[str, Any], query: str = "") -> Any:
        body = {"object_type_id": "1", "filter": condition}
        return await caller.ok("POST", f"/v1/objects{query}", body)

    assert (await ids({"and": [pro]}))["ids"] == ["a3", "a1"]
    assert (await ids({"not": pro}))["ids"] == ["a2", "acme"]
    first = await ids(has, "?limit=2")
    assert first["ids"] == ["a3", "a2"]
    assert (await ids(has, f"?limit=2&start={first['next']}"))["ids"] == ["a1"]
    wrong = {"object_attribute": pro["object_attribute"] | {"type_id": "2"}}
    await caller.no(400, "POST", "/v1/objects", {"object_type_id": "1", "filter": wrong})


@pytest.mark.anyio
async def test_a_device_reports_what_became_of_a_message(caller: Caller) -> None:
    delivery = caller.sandbox.workspace.rows("SELECT id FROM deliveries ORDER BY number")[0]["id"]
    report = {"type": "delivery", "action": "event", "identifiers": {"id": delivery}, "name": "converted"}
    await caller.ok("POST", ENTITY, report | {"attributes": {"device_token": "t1"}})

    assert "converted" in (await caller.ok("GET", f"/v1/messages/{delivery}"))["message"]["metrics"]


LONG, MUCH = "x" * 151, "x" * 40_000


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("operation", "field", "reason"),
    [
        ({"type": "person", "action": "identify"}, "identifiers", "required"),
        (of_person("identify", {"id": "a", "email": "b@example.com"}), "identifiers.email", "invalid"),
        (of_person("identify", {"phone": "0151 123"}), "identifiers.phone", "invalid"),
        (of_person("identify", {"id": LONG}), "identifiers.id", "invalid"),
        (of_person("identify", attributes={"a": "x" * 1001}), "attributes.a", "invalid"),
        (of_person("identify", attributes={str(n): n for n in range(301)}), "attributes", "invalid"),
        (of_person("event"), "name", "required"),
        (of_person("event", name=" "), "name", "invalid"),
        (of_person("event", name="a", data={}), "data", "invalid"),
        (of_person("event", name="a", timestamp="now"), "timestamp", "invalid"),
        (of_person("event", name="a", attributes={"a": MUCH}), "", "too_large"),
        (of_person("explode"), "action", "invalid"),
        (of_object("add_relationships"), "cio_relationships", "required"),
        ("not an object", "", "invalid"),
    ],
)
async def test_a_batch_tells_what_is_wrong_with_each_operation_and_takes_the_others(
    caller: Caller, operation: Any, field: str, reason: str
) -> None:
    good = of_person("identify", {"id": "good"}, attributes={"a": 1})
    told = await caller.no(207, "POST", BATCH, {"batch": [good, operation]})

    assert [(one["batch_index"], one["field"], one["reason"]) for one in told["errors"]] == [
        (1, field, reason)
    ]
    await caller.profile("good")
    if isinstance(operation, dict):
        alone = await caller.no(400, "POST", ENTITY, operation)
        assert [(one["field"], one["reason"]) for one in alone["errors"]] == [(field, reason)]


@pytest.mark.anyio
@pytest.mark.parametrize("body", [b"[", b"[]", {}, {"batch": []}, {"batch": {}}])
async def test_a_malformed_batch_is_refused_as_a_whole(caller: Caller, body: Any) -> None:
    assert "errors" in await caller.no(400, "POST", BATCH, body)


@pytest.mark.anyio
async def test_a_batch_may_have_500_kilobytes(caller: Caller) -> None:
    event = of_person("event", name="a", attributes={"a": "x" * 30_000})

    await caller.ok("POST", BATCH, {"batch": [event] * 16})
    await caller.no(400, "POST", BATCH, {"batch": [event] * 18})
    answer = await caller.send("POST", BATCH, {"batch": [event]}, headers={"Authorization": "Basic no"})
    assert answer.status_code == 401

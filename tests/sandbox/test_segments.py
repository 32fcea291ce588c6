"""Segments that are made and filled over the APIs, and lists of people by pages."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

EVERYBODY = {"attribute": {"field": "cio_id", "operator": "exists"}}


async def members(caller: Caller, segment: int) -> list[str]:
    ids: list[str] | None = (await caller.ok("GET", f"/v1/segments/{segment}/membership"))["ids"]
    return ids or []


async def change(caller: Caller, act: str, ids: Any, id_type: str = "id", segment: int = 5) -> Any:
    path = f"/api/v1/segments/{segment}/{act}_customers?id_type={id_type}"
    return await caller.send("POST", path, {"ids": ids})


async def test_a_created_segment_is_manual_empty_and_listed(caller: Caller) -> None:
    wanted = {"segment": {"name": "Summit", "description": "Who came."}}
    created = (await caller.ok("POST", "/v1/segments", wanted))["segment"]

    assert wanted["segment"].items() <= created.items()
    assert (created["id"], created["type"], created["state"]) == (6, "manual", "finished")
    assert (await caller.ok("GET", "/v1/segments"))["segments"][-1] == created
    assert await members(caller, 6) == []


@pytest.mark.parametrize("body", [{}, {"segment": None}, {"segment": "Summit"}, {"segment": {"name": " "}}])
async def test_a_segment_needs_a_name(caller: Caller, body: Any) -> None:
    answer = await caller.no(422, "POST", "/v1/segments", body)

    pointer = {"pointer": "/data/attributes/name"}
    assert answer == {"errors": [{"detail": "Name can't be blank", "source": pointer, "status": "422"}]}


async def test_people_are_added_and_removed_by_one_kind_of_identifier(caller: Caller) -> None:
    cio_id = (await caller.profile("u_1001"))["identifiers"]["cio_id"]
    for ids, id_type in (
        (["u_1002", "bruno@example.com", "nobody"], "id"),
        (["LENA@example.org", "u_1005"], "email"),
        ([cio_id], "cio_id"),
    ):
        assert (await change(caller, "add", ids, id_type)).json() == {}
    assert await members(caller, 5) == ["u_1001", "u_1002", "u_1008", ""]

    for _ in range(2):
        await change(caller, "remove", ["u_1002", "u_1008"])
    assert await members(caller, 5) == ["u_1001", ""]


@pytest.mark.parametrize(
    ("ids", "id_type", "fault"),
    [
        ([], "id", "ids must be 1 to 1000 strings"),
        (None, "id", "ids must be 1 to 1000 strings"),
        ([1], "id", "ids must be 1 to 1000 strings"),
        (["x"] * 1001, "id", "ids must be 1 to 1000 strings"),
        (["x"], "phone", "id_type must be id, email or cio_id"),
    ],
)
@pytest.mark.parametrize("act", ["add", "remove"])
async def test_wrong_members_are_refused_at_once(
    caller: Caller, act: str, ids: Any, id_type: str, fault: str
) -> None:
    answer = await change(caller, act, ids, id_type)

    assert (answer.status_code, answer.json()) == (400, {"meta": {"errors": [fault]}})


@pytest.mark.parametrize(("segment", "status"), [("1", 400), ("99", 404), ("x", 404)])
async def test_only_manual_segments_are_filled_by_hand(caller: Caller, segment: str, status: int) -> None:
    await caller.no(status, "POST", f"/api/v1/segments/{segment}/add_customers", {"ids": ["u_1001"]})


async def test_a_deleted_segment_is_gone_and_the_answer_has_no_body(caller: Caller) -> None:
    answer = await caller.send("DELETE", "/v1/segments/5")

    assert (answer.status_code, answer.content) == (204, b"")
    await caller.no(404, "DELETE", "/v1/segments/5")
    assert (await caller.profile("u_1008"))["id"] == "u_1008"
    # The next segment gets the number again, and none of the people.
    await caller.ok("POST", "/v1/segments", {"segment": {"name": "New"}})
    assert await members(caller, 5) == []


@pytest.mark.parametrize(("segment", "words"), [(1, "only manual segments"), (3, "in use")])
async def test_a_segment_by_rules_or_in_use_is_not_deleted(caller: Caller, segment: int, words: str) -> None:
    assert words in str(await caller.no(400, "DELETE", f"/v1/segments/{segment}"))


async def test_a_segment_of_a_broadcast_alone_is_in_use_too(caller: Caller) -> None:
    workspace = caller.sandbox.workspace
    with workspace.transaction():
        broadcast = workspace.thing("broadcast", 10) or {}
        workspace.configure("broadcast", broadcast | {"recipients": {"segment": {"id": 5}}})

    assert "in use" in str(await caller.no(400, "DELETE", "/v1/segments/5"))


async def test_what_uses_a_segment_is_told_by_ids(caller: Caller) -> None:
    uses = await caller.ok("GET", "/v1/segments/4/used_by")

    told = {"campaigns": [1, 2, 3], "sent_newsletters": [20], "draft_newsletters": []}
    assert uses == {"segment_id": 4, "used_by": told}
    assert (await caller.ok("GET", "/v1/segments/3/used_by"))["used_by"]["draft_newsletters"] == [21]
    await caller.no(404, "GET", "/v1/segments/99/used_by")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/v1/segments/4/membership", None), ("POST", "/v1/customers", {"filter": EVERYBODY})],
)
async def test_pages_of_people_follow_each_other_whoever_comes_between(
    caller: Caller, method: str, path: str, body: Any
) -> None:
    seen: list[str] = []
    start = ""
    while True:
        page = await caller.ok(method, f"{path}?limit=5&start={start}", body)
        if not page["ids"]:
            break
        assert len(page["ids"]) == len(page["identifiers"]) <= 5
        seen += [person["email"] for person in page["identifiers"]]
        if not (start := page["next"]):
            break
        if len(seen) <= 10:
            await caller.ok("DELETE", "/api/v1/customers/u_1002")
            await caller.identify(f"late{len(seen)}", email=f"late{len(seen)}@example.com")

    assert not page["next"]
    assert [email.split("@")[0] for email in seen][:12] == [
        *("ada", "bruno", "chidi", "dana", "emil", "fatima"),
        *("goro", "hana", "ines", "jomo", "kim", "lena"),
    ]
    assert "start is not the next" in str(await caller.no(400, method, f"{path}?start=x", body))


async def test_who_leaves_for_good_leaves_manual_segments_too(caller: Caller) -> None:
    await caller.ok("DELETE", "/api/v1/customers/u_1008")
    await caller.identify("u_1008", plan="team")

    assert await members(caller, 5) == []

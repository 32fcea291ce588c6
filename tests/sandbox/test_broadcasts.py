"""API-triggered broadcasts."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

TRIGGER = "/v1/campaigns/10/triggers"
ADA, NOBODY = "ada@example.com", "nobody@example.com"


async def triggered(caller: Caller, **body: Any) -> tuple[list[str], int]:
    """Trigger a broadcast; returns its errors and how many messages it made."""

    async def messages() -> int:
        return sum(message.get("broadcast_id") == 10 for message in await caller.messages())

    caller.clock.now += 10
    before = await messages()
    trigger = (await caller.ok("POST", TRIGGER, body))["id"]
    errors: list[str] = (await caller.ok("GET", f"{TRIGGER}/{trigger}/errors"))["errors"]
    return errors, await messages() - before


async def test_triggers_are_numbered_per_broadcast_and_processed_moments_later(caller: Caller) -> None:
    await triggered(caller, emails=[ADA])
    await triggered(caller, emails=[ADA])

    caller.clock.now += 1
    first, second = (await caller.ok("GET", "/v1/broadcasts/10/triggers"))["triggers"]
    assert (first["id"], second["id"], first["broadcast_id"]) == (1, 2, 10)
    assert first["processed_at"] == first["created_at"] + 3
    assert (await caller.ok("GET", f"{TRIGGER}/2")) | {"processed_at": 0} == second | {"processed_at": 0}
    for path in (f"{TRIGGER}/9", f"{TRIGGER}/9/errors", "/v1/broadcasts/99/triggers", "/v1/broadcasts/99"):
        await caller.no(404, "GET", path)


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({}, 4),
        ({"emails": [ADA]}, 1),
        ({"ids": ["u_1001", "u_1004"]}, 2),
        ({"per_user_data": [{"id": "u_1001", "data": {}}, {"email": "dana@example.net"}]}, 2),
        ({"recipients": {"segment": {"id": 3}}}, 3),
        ({"recipients": {"attribute": {"field": "plan", "operator": "eq", "value": "team"}}}, 2),
        ({"recipients": {"attribute": {"field": "beta", "operator": "exists"}}}, 1),
        ({"recipients": {"not": {"segment": {"id": 4}}}}, 0),
        ({"recipients": {"and": [{"segment": {"id": 1}}, {"segment": {"id": 3}}]}}, 1),
        ({"recipients": {"or": [{"segment": {"id": 1}}, {"segment": {"id": 3}}]}}, 6),
        ({"recipients": {"attribute": {"field": "nope", "operator": "eq", "value": "x"}}}, 0),
    ],
)
async def test_an_audience_gets_a_message_each(caller: Caller, body: dict[str, Any], messages: int) -> None:
    assert await triggered(caller, **body) == ([], messages)


async def test_one_missing_person_fails_the_whole_run_unless_they_are_to_be_ignored(caller: Caller) -> None:
    failed = await triggered(caller, emails=[ADA, NOBODY])
    ignored = await triggered(caller, emails=[ADA, NOBODY], email_ignore_missing=True)

    assert failed == (["line 2: there is no person with email nobody@example.com"], 0)
    assert ignored == ([], 1)


async def test_a_data_file_cannot_be_fetched_and_the_trigger_says_so(caller: Caller) -> None:
    errors, messages = await triggered(caller, data_file_url="https://example.com/a.jsonl")

    assert (errors, messages) == (["the sandbox cannot fetch https://example.com/a.jsonl"], 0)


async def test_a_second_trigger_within_ten_seconds_gets_a_429(caller: Caller) -> None:
    await caller.ok("POST", TRIGGER, {"emails": [ADA]})

    answer = await caller.send("POST", TRIGGER, {"emails": [ADA]})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "9")
    assert answer.json()["errors"][0]["detail"].startswith("rate limited to 1 requests per 10s (reference ")
    await caller.ok("POST", "/v1/campaigns/11/triggers", {"emails": [ADA]})


async def test_a_sixth_trigger_while_five_wait_gets_a_429(caller: Caller) -> None:
    caller.sandbox.workspace.broadcast_seconds = 60
    caller.pause = 10
    for _ in range(5):
        await caller.ok("POST", TRIGGER, {"emails": [ADA]})

    answer = await caller.send("POST", TRIGGER, {"emails": [ADA]})
    # The first of the five is through after a minute.
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
    await caller.ok("POST", TRIGGER, {"emails": [ADA]})
    caller.clock.now += 10
    await caller.ok("POST", TRIGGER, {"emails": [ADA]})


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"recipients": {}}, "empty recipients filter is not valid"),
        ({"emails": [ADA], "ids": ["1"]}, "only one audience is allowed"),
        ({"emails": [ADA], "id_ignore_missing": True}, "id_ignore_missing is not allowed with emails"),
        ({"email_ignore_missing": True}, "email_ignore_missing is not allowed with recipients"),
        ({"emails": []}, "emails must be 1 to 10000 strings"),
        ({"ids": [1]}, "ids must be 1 to 10000 strings"),
        ({"ids": ["1"] * 10_001}, "ids must be 1 to 10000 strings"),
        ({"per_user_data": [{"name": "x"}]}, "per_user_data must be 1 to 10000 entries with id or email"),
        ({"data": {"x": "x" * 52_000}}, "data must be an object of at most 50000 bytes"),
        ({"data": 5}, "data must be an object of at most 50000 bytes"),
        ({"recipients": {"segment": {"id": 99}}}, "segment does not exist"),
        ({"recipients": {"segment": {"id": 1}, "not": {}}}, "exactly one of"),
        ({"recipients": {"and": []}}, "and is not a filter"),
        ({"recipients": {"or": [{"attribute": {"field": "x", "operator": "gt"}}]}}, "operator eq or exists"),
    ],
)
async def test_a_wrong_audience_is_refused_with_a_pointer(
    caller: Caller, body: dict[str, Any], detail: str
) -> None:
    (error,) = (await caller.no(422, "POST", TRIGGER, body))["errors"]

    assert detail in error["detail"]
    assert error["status"] == "422"
    assert error["source"]["pointer"].startswith("/data/attributes/")


async def test_an_unknown_broadcast_is_404_in_the_vendors_words(caller: Caller) -> None:
    body = await caller.no(404, "POST", "/v1/campaigns/1/triggers", {})

    assert body == {"errors": [{"detail": "broadcast with id 1 does not exist", "status": "404"}]}


async def test_broadcasts_have_a_past(caller: Caller) -> None:
    assert [found["id"] for found in (await caller.ok("GET", "/v1/broadcasts"))["broadcasts"]] == [10, 11, 12]
    assert (await caller.ok("GET", "/v1/broadcasts/11"))["broadcast"]["name"] == "Product news"
    (past,) = (await caller.ok("GET", "/v1/broadcasts/11/triggers"))["triggers"]
    assert past["processed_at"] is not None


async def test_the_errors_of_a_trigger_are_counted_in_pages(caller: Caller) -> None:
    await caller.ok("POST", TRIGGER, {"ids": [f"x_{number}" for number in range(5)]})

    first = await caller.ok("GET", f"{TRIGGER}/1/errors?limit=3")
    second = await caller.ok("GET", f"{TRIGGER}/1/errors?limit=3&start=3")

    assert (len(first["errors"]), first["next"]) == (3, 3)
    assert (second["errors"][0], second["next"]) == ("line 4: there is no person with id x_3", 0)
    await caller.no(400, "GET", f"{TRIGGER}/1/errors?start=MDox")


async def test_one_broadcast_of_the_story_failed_on_people_that_are_missing(caller: Caller) -> None:
    (run,) = (await caller.ok("GET", "/v1/broadcasts/12/triggers"))["triggers"]
    failed = await caller.ok("GET", f"/v1/campaigns/12/triggers/{run['id']}/errors")

    assert failed == {
        "errors": ["line 3: there is no person with id u_1900", "line 4: there is no person with id u_1901"],
        "next": 0,
    }
    assert await caller.messages("&action_id=1201") == []

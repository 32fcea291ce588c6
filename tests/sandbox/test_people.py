"""Customers, as Track takes them and App answers them."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio


async def test_every_attribute_reads_back_as_text_and_unsubscribed_as_a_boolean(caller: Caller) -> None:
    await caller.identify("1", seats=5, beta=True, plan="pro", address={"city": "Rio"}, unsubscribed="TRUE")

    profile = await caller.profile("1")

    wanted = {"id": "1", "seats": "5", "beta": "true", "plan": "pro", "address": '{"city": "Rio"}'}
    assert wanted.items() <= profile["attributes"].items()
    assert profile["unsubscribed"] is True
    assert profile["identifiers"]["id"] == "1"


async def test_a_person_is_found_by_id_email_in_any_case_and_bare_cio_id(caller: Caller) -> None:
    await caller.identify("1", email="Some@Example.com")
    cio_id = (await caller.profile("1"))["identifiers"]["cio_id"]

    assert (await caller.profile("some@example.COM", "email"))["id"] == "1"
    assert (await caller.profile(cio_id, "cio_id"))["id"] == "1"
    assert "id_type fax" in str(await caller.no(400, "GET", "/v1/customers/1/attributes?id_type=fax"))
    assert (await caller.ok("GET", "/v1/customers?email=some@example.com"))["results"][0]["id"] == "1"
    assert await caller.ok("GET", "/v1/customers?email=nobody@example.com") == {"results": []}


async def test_an_id_is_case_sensitive(caller: Caller) -> None:
    await caller.identify("Abc", plan="pro")

    await caller.no(404, "GET", "/v1/customers/abc/attributes")


async def test_a_new_id_with_a_known_email_gives_that_person_the_id(caller: Caller) -> None:
    await caller.identify("a@example.com", plan="pro")
    await caller.identify("1", email="a@example.com")

    profile = await caller.profile("1")

    assert (profile["identifiers"]["email"], profile["attributes"]["plan"]) == ("a@example.com", "pro")


async def test_identifiers_of_two_people_change_nothing_and_are_logged(caller: Caller) -> None:
    await caller.identify("1", email="a@example.com")
    await caller.identify("2", email="a@example.com", plan="pro")
    await caller.identify("3", email="c@example.com")
    await caller.identify("2", plan="free")
    await caller.identify("2", email="c@example.com", plan="pro")

    assert (await caller.profile("2"))["attributes"]["plan"] == "free"
    assert (await caller.activities("failed_attribute_change"))[0]["data"] == {
        "reason": "identifiers conflict",
        "identifier": "2",
        "body": {"email": "c@example.com", "plan": "pro"},
    }


async def test_a_set_identifier_changes_only_by_cio_id(caller: Caller) -> None:
    await caller.identify("1", email="a@example.com")
    await caller.identify("1", email="b@example.com")
    profile = await caller.profile("1")
    assert profile["identifiers"]["email"] == "a@example.com"
    assert (await caller.activities("failed_attribute_change"))[0]["name"] == "email"

    await caller.identify(f"cio_{profile['identifiers']['cio_id']}", email="b@example.com", id="one")

    assert (await caller.profile("one"))["identifiers"]["email"] == "b@example.com"


async def test_update_only_and_an_unknown_cio_id_create_nobody(caller: Caller) -> None:
    await caller.identify("1", _update=True, plan="pro")
    await caller.identify("cio_123456", plan="pro")

    await caller.no(404, "GET", "/v1/customers/1/attributes")
    await caller.no(404, "GET", "/v1/customers/123456/attributes?id_type=cio_id")
    assert "no such person" in str(await caller.activities("failed_attribute_change"))


async def test_null_and_empty_text_remove_an_attribute(caller: Caller) -> None:
    await caller.identify("1", plan="pro", city="Rio")
    await caller.identify("1", plan=None, city="")

    assert not {"plan", "city"} & (await caller.profile("1"))["attributes"].keys()
    (latest, *_) = await caller.activities("attribute_change")
    assert latest["data"] == {"city": {"from": "Rio", "to": None}}


async def test_a_deleted_identifier_is_free_and_deleting_nobody_is_no_fault(caller: Caller) -> None:
    await caller.identify("1", plan="pro")
    for _ in range(2):
        assert await caller.ok("DELETE", "/api/v1/customers/1") == {}
    await caller.no(404, "GET", "/v1/customers/1/attributes")
    await caller.identify("1", city="Rio")

    assert "plan" not in (await caller.profile("1"))["attributes"]


async def test_a_suppressed_person_is_gone_and_stays_away_until_unsuppressed(caller: Caller) -> None:
    await caller.identify("1", email="a@example.com")
    await caller.ok("POST", "/api/v1/customers/1/suppress")
    await caller.identify("1", plan="pro")
    await caller.identify("a@example.com", plan="pro")
    await caller.ok("POST", "/api/v1/customers/1/events", {"name": "seen"})

    await caller.no(404, "GET", "/v1/customers/1/attributes")
    await caller.no(404, "GET", "/v1/customers/a@example.com/attributes?id_type=email")

    await caller.ok("POST", "/api/v1/customers/1/unsuppress")
    await caller.no(404, "GET", "/v1/customers/1/attributes")
    await caller.identify("1", plan="pro")
    assert (await caller.profile("1"))["attributes"]["plan"] == "pro"


async def test_devices_come_and_go(caller: Caller) -> None:
    device = {"id": "d/1", "platform": "ios", "last_used": 1514764800}
    await caller.ok("PUT", "/api/v1/customers/1/devices", {"device": device})
    assert (await caller.profile("1"))["devices"] == [device]

    for path in ("1/devices/d%2F1", "nobody/devices/x"):
        await caller.ok("DELETE", f"/api/v1/customers/{path}")
    assert (await caller.profile("1"))["devices"] == []
    await caller.ok("PUT", "/api/v1/customers/cio_unknown/devices", {"device": device})
    assert "platform" in str(
        await caller.no(400, "PUT", "/api/v1/customers/1/devices", {"device": {"id": "1"}})
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({f"a{n}": 1 for n in range(301)}, "cannot identify more than 300 attributes in one request"),
        ({"n" * 151: 1}, "attribute name cannot be longer than 150 bytes"),
        ({"bio": "ü" * 501}, "value for attribute 'bio' cannot be longer than 1000 bytes"),
        ({"id": 5}, "id attribute must be a string value"),
    ],
)
async def test_sizes_are_checked_at_once(caller: Caller, body: dict[str, Any], message: str) -> None:
    assert await caller.no(400, "PUT", "/api/v1/customers/1", body) == {"meta": {"error": message}}


async def test_an_identifier_has_at_most_150_bytes(caller: Caller) -> None:
    await caller.no(400, "PUT", f"/api/v1/customers/{'x' * 151}", {})


async def test_activities_tell_what_became_of_writes(caller: Caller) -> None:
    await caller.identify("1", plan="pro")
    await caller.ok("POST", "/api/v1/customers/1/events", {"name": "seen", "data": {"page": 1}})

    found = (await caller.ok("GET", "/v1/customers/1/activities"))["activities"]
    seen = (await caller.ok("GET", "/v1/customers/1/activities?type=event&name=seen"))["activities"]

    assert {"profile_create", "attribute_change", "event"} <= {activity["type"] for activity in found}
    assert (seen[0]["customer_id"], seen[0]["data"]) == ("1", {"page": 1})
    assert "limit" in str(await caller.no(400, "GET", "/v1/activities?limit=0"))


async def test_the_story_has_people_worth_exploring(caller: Caller) -> None:
    ada, bruno = await caller.profile("u_1001"), await caller.profile("u_1002")

    assert ada["identifiers"]["email"] == "ada@example.com"
    assert (ada["attributes"]["purchases"], ada["attributes"]["total_spent"]) == ("2", "120")
    assert ada["devices"][0]["platform"] == "ios"
    assert bruno["unsubscribed"] is True
    lena = await caller.profile("lena@example.org", "email")
    assert lena["identifiers"]["id"] is None
    assert lena["id"] == lena["identifiers"]["cio_id"]
    await caller.no(404, "GET", "/v1/customers/user_123/attributes")

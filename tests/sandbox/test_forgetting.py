"""Forgetting a person: no byte tells who they were or what they did, and all counts and causes stay."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.forgetting.everywhere import forgetting
from cio_mcp.sandbox.state import copies
from cio_mcp.sandbox.state.steps import finish
from tests.planted import START, a_sandbox
from tests.sandbox.conftest import Caller, Calling, Clock
from tests.sandbox.worlds import why

pytestmark = pytest.mark.anyio

DAY = 86_400

# What nobody but Zoltanka has, is, did or got; in lower case.
SECRETS = (
    *("zq77", "zoltanka", "quux.example", "4930998877", "wuxtru", "plumbago", "xylo-1", "gizmo", "tok-99"),
    *("visitor-5", "/hidden", "987654321", "z\\u00fcrps"),
)


def control(caller: Caller, method: str, path: str, body: Any = None) -> Any:
    return caller.sandbox.control(method, f"/_sandbox/{path}", body)


def forget(caller: Caller, person: str) -> Any:
    return control(caller, "POST", "forget", {"person": person})


def exported(caller: Caller) -> str:
    return copies.written(control(caller, "GET", "export"))


def tables(caller: Caller) -> dict[str, list[dict[str, Any]]]:
    found = json.loads(exported(caller))["tables"]
    return {
        name: [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
        for name, table in found.items()
    }


async def live(caller: Caller) -> None:
    """Let Zoltanka live: all that names her, and all that she does and gets."""
    one, other = "/api/v1/customers/zq77", "/api/v1/customers/u_1001"
    control(caller, "POST", "points", {"name": "before zoltanka@quux.example"})
    await caller.ok("POST", "/api/v1/events", {"name": "looked", "anonymous_id": "visitor-5"})
    about = {
        "email": "old@quux.example",
        "first_name": "Zoltanka",
        "phone": "+4930998877",
        "anonymous_id": "visitor-5",
    }
    await caller.ok("PUT", one, about | {"city": "Wuxtru", "nick": "zürps"})
    (row,) = caller.sandbox.workspace.rows("SELECT cio_id FROM people WHERE id = 'zq77'")
    await caller.ok("PUT", f"/api/v1/customers/cio_{row['cio_id']}", {"email": "zoltanka@quux.example"})
    await caller.ok("PUT", f"{one}/devices", {"device": {"id": "tok-99", "platform": "ios"}})
    await caller.ok(
        "POST", f"{one}/events", {"name": "signed_up", "data": {"said": "Plumbago", "sum": 987654321}}
    )
    await caller.ok("POST", f"{one}/events", {"type": "page", "name": "https://q.example/hidden"})
    send = {
        "transactional_message_id": 1,
        "identifiers": {"id": "zq77"},
        "message_data": {"order_id": "Xylo-1"},
    }
    await caller.ok("POST", "/v1/send/email", send | {"to": "Zoltanka <zoltanka@quux.example>"})
    invited = {"by": "zoltanka@quux.example", "ids": ["zq77"], "text": "Ask zq77, or Zoltanka@quux.example."}
    await caller.ok("POST", f"{other}/events", {"name": "invited", "data": invited})
    await caller.ok("POST", "/api/v1/segments/5/add_customers", {"ids": ["zq77", "u_1002"]})
    related = [
        {"identifiers": {"id": who}, "relationship_attributes": {"role": "gizmo"}} for who in ("zq77",)
    ]
    acme = {"type": "object", "identifiers": {"object_type_id": "1", "object_id": "acme"}}
    await caller.ok(
        "POST", "/api/v2/entity", acme | {"action": "add_relationships", "cio_relationships": related}
    )
    await caller.ok("POST", "/v1/exports/customers", {"filters": {"segment": {"id": 4}}})
    control(caller, "POST", "faults", {"does": "late", "seconds": 9, "recipient": "zoltanka@quux.example"})
    control(caller, "POST", "clock", {"to": "+3d"})
    control(caller, "POST", "points", {"name": "after"})


async def counts(caller: Caller) -> dict[str, Any]:
    """Return what counts deliveries, journeys and entries of the log."""
    now = int(START) + 3 * DAY
    window = f"start={now - 9 * DAY}&end={now}&res=days"
    paths = [f"/v1/campaigns/{path}/metrics?version=2&{window}" for path in ("1", "1/actions/103")]
    told: dict[str, Any] = {path: await caller.ok("GET", path) for path in paths}
    journeys = await caller.ok(
        "GET", f"/v1/campaigns/1/journey_metrics?start={now - 9 * DAY}&end={now}&resolution=days"
    )
    told["journeys"] = {
        name: journeys["journey_metric"][name] for name in ("started", "activated", "messaged", "converted")
    }
    messages = await caller.messages()
    told["messages"] = [(one["id"], one["metrics"], one["created"], one["type"]) for one in messages]
    return told


async def test_no_byte_of_the_file_tells_of_who_was_forgotten_and_all_counts_stay(
    calling: Calling, clock: Clock, tmp_path: Path
) -> None:
    path = tmp_path / "sandbox.db"
    caller = calling(a_sandbox(clock, path=path), clock)
    await live(caller)
    before, held = await counts(caller), _bytes(path)
    with closing(Sandbox(path, clock=clock)):  # another process uses it
        told = forget(caller, "zq77")

    assert [secret for secret in SECRETS if secret.encode() not in held] == []
    assert [secret for secret in SECRETS if secret.encode() in _bytes(path)] == []
    assert [secret for secret in SECRETS if secret in exported(caller).lower()] == []
    assert told["already"] is False
    assert (told["deliveries"], told["points"]) == (3, 1)
    assert await counts(caller) == before


def _bytes(path: Path) -> bytes:
    """Return all that the files hold, points unpacked, in lower case."""
    files = b"".join(found.read_bytes() for found in sorted(path.parent.iterdir()))
    with closing(sqlite3.connect(path)) as db:
        unpacked = [copies.unpacked(row[0]).encode() for row in db.execute("SELECT copy FROM points")]
    return b"".join([files, *unpacked]).lower()


async def test_the_chain_of_causes_is_told_of_a_person_who_was_forgotten(
    calling: Calling, clock: Clock
) -> None:
    caller = calling(a_sandbox(clock), clock)
    await live(caller)
    forget(caller, "zoltanka@quux.example")
    told = why(caller, "zq77", "First note")
    absent = why(caller, "zoltanka@quux.example", "newsletter 20")
    (delivery,) = [one for one in await caller.messages("&campaign_id=1") if one["forgotten"]][:1]
    archived = (await caller.ok("GET", f"/v1/messages/{delivery['id']}/archived_message"))["archived_message"]

    assert "a person who was forgotten had the event signed_up" in told
    assert "a person who was forgotten began campaign 1 (Welcome series)" in told
    assert "it was asked to forget the person" in absent
    assert (delivery["recipient"], delivery["subject"], delivery["customer_id"]) == ("", "", None)
    assert (archived["forgotten"], archived["body"], archived["recipient"]) == (True, "", "")
    assert not [secret for secret in SECRETS if secret in told.lower()]


async def test_going_back_to_a_point_brings_nobody_back_and_a_replay_leaves_them_out(
    calling: Calling, clock: Clock
) -> None:
    caller = calling(a_sandbox(clock), clock)
    await live(caller)
    await caller.identify("other", plan="pro")
    left = control(caller, "POST", "points/1")["left"]
    told = forget(caller, "zq77")
    again = control(caller, "POST", f"points/{left}/replay")
    await caller.no(404, "GET", "/v1/customers/zq77/attributes")
    await caller.profile("other")
    control(caller, "POST", "points/after")
    await caller.no(404, "GET", "/v1/customers/zq77/attributes")

    assert told["points"] == 2
    assert (again["replayed"], again["forgotten"], again["refused"]) == (2, 11, 0)
    assert control(caller, "GET", "points")["points"][0]["name"].startswith("before forgotten-")
    control(caller, "POST", "points/1")
    control(caller, "POST", f"points/{left}/replay")
    with pytest.raises(ValueError, match="is here already, but 11 requests about people who were forgotten"):
        control(caller, "POST", f"points/{left}/replay")


async def test_to_forget_twice_changes_nothing_and_who_was_never_there_is_named(caller: Caller) -> None:
    await live(caller)
    forget(caller, "zq77")
    before = exported(caller)
    again = [forget(caller, name) for name in ("zq77", "zoltanka@quux.example", "old@quux.example")]

    assert [told["already"] for told in again] == [True, True, True]
    assert exported(caller) == before
    with pytest.raises(ValueError, match="there is no person nobody, and there never was"):
        forget(caller, "nobody")
    with pytest.raises(ValueError, match="name the `person`"):
        forget(caller, "")
    assert exported(caller) == before


async def test_who_comes_back_under_the_same_identifiers_is_somebody_new_and_can_be_forgotten_too(
    caller: Caller,
) -> None:
    await live(caller)
    forget(caller, "zq77")
    await caller.identify("zq77", email="zoltanka@quux.example", city="Wuxtru")
    new = await caller.profile("zq77")
    told = forget(caller, "zq77")

    assert {"nick", "phone", "first_name"} & new["attributes"].keys() == set()
    assert await caller.messages("&metric=sent")
    assert told["already"] is False
    assert not [secret for secret in SECRETS if secret in exported(caller).lower()]


async def test_of_others_nothing_changes_but_what_names_the_person(caller: Caller) -> None:
    await live(caller)
    before = tables(caller)
    (zoltanka,) = (row["cio_id"] for row in before["people"] if row["id"] == "zq77")
    forget(caller, "zq77")
    after = tables(caller)

    for name in ("people", "devices", "events", "journeys", "deliveries", "relationships", "members", "log"):
        rows = [row for row in before[name] if row["cio_id"] not in {zoltanka, None}]
        kept = [row for row in after[name] if row["cio_id"] not in {zoltanka, None}]
        changed = [(one, other) for one, other in zip(rows, kept, strict=True) if one != other]
        assert all("zq77" in json.dumps(one) for one, _ in changed)
        assert len(changed) == (name in {"events", "log"})
    invited = json.loads(next(row["data"] for row in after["events"] if row["name"] == "invited"))
    name, address = invited["ids"][0], invited["by"]
    assert invited["text"] == f"Ask {name}, or {address}."
    assert {name[:10], address[:10]} == {"forgotten-"[:10]}
    assert name != address
    members = next(row for row in after["log"] if row["name"] == "members" and "u_1002" in row["data"])
    assert json.loads(members["data"])["ids"] == [name, "u_1002"]


@pytest.mark.parametrize("name", ["pro", "7", "free"])
async def test_an_id_that_is_a_word_takes_no_such_word_from_others(caller: Caller, name: str) -> None:
    await caller.identify(name, email="word@example.com")
    before = tables(caller)
    forget(caller, name)
    after = tables(caller)

    others = [row for row in before["people"] if row["id"] != name]
    assert after["people"] == others
    assert after["things"] == before["things"]
    assert "word@example.com" not in exported(caller)


async def test_what_was_blocked_stays_blocked(caller: Caller) -> None:
    await caller.identify("gone", email="gone@example.com")
    await caller.ok("POST", "/v1/esp/suppression/bounces/gone@example.com")
    await caller.ok("POST", "/api/v1/customers/gone/suppress")
    forget(caller, "gone")
    forget(caller, "mallory@example.com")
    for name in ("gone", "gone@example.com", "mallory@example.com"):
        await caller.identify(name, plan="pro")
    found = await caller.ok("GET", "/v1/esp/search_suppression/gone@example.com")

    assert not [row["id"] for row in caller.sandbox.workspace.rows("SELECT id FROM people WHERE id = 'gone'")]
    assert found["category"] == "bounces"
    for name in ("gone", "gone@example.com", "mallory@example.com"):
        assert forget(caller, name)["entries"] > 0
    assert "gone@" not in exported(caller)
    assert "mallory" not in exported(caller)
    await caller.ok("POST", "/api/v1/customers/gone/unsuppress")
    await caller.identify("gone", plan="pro")
    assert (await caller.profile("gone"))["attributes"]["plan"] == "pro"


async def test_who_was_deleted_or_merged_is_forgotten_with_all_names_they_had(caller: Caller) -> None:
    await caller.identify("first", email="first@quux.example", city="Wuxtru")
    await caller.identify("second", email="second@quux.example", nick="Gizmo")
    sides = {"primary": {"id": "first"}, "secondary": {"id": "second"}}
    await caller.ok("POST", "/api/v1/merge_customers", sides)
    await caller.ok("DELETE", "/api/v1/customers/first")
    forget(caller, "second@quux.example")

    kept = exported(caller).lower()
    assert not [
        name
        for name in ("first@", '\\"first\\"', "second@", '\\"second\\"', "wuxtru", "gizmo")
        if name in kept
    ]


async def test_what_waits_to_be_done_about_them_is_not_done(calling: Calling, clock: Clock) -> None:
    caller = calling(a_sandbox(clock, lag=600), clock)
    await caller.identify("zq77", email="bounces+bounce@quux.example")
    control(caller, "POST", "clock", {"to": "+1h"})
    await caller.ok("POST", "/api/v1/customers/zq77/events", {"name": "signed_up"})
    await caller.ok("POST", "/api/v1/segments/5/add_customers", {"ids": ["zq77", "u_1002"]})
    forget(caller, "zq77")
    happened = control(caller, "POST", "clock", {"to": "+7d"})["happened"]

    assert happened.get("segment_entered") == 1
    assert "profile_create" not in happened
    assert "bounces+" not in exported(caller)
    assert caller.sandbox.workspace.now() > START + 7 * DAY


async def test_a_number_that_somebody_else_has_too_stays_theirs(caller: Caller) -> None:
    for name in ("zq77", "other"):
        await caller.identify(name, email=f"{name}@quux.example", phone="+4930998877")
    await caller.ok(
        "POST", "/api/v1/customers/other/events", {"name": "called", "data": {"of": "+4930998877"}}
    )
    before = await caller.profile("other")
    forget(caller, "zq77")

    assert await caller.profile("other") == before
    assert [json.loads(row["data"]) for row in tables(caller)["events"] if row["name"] == "called"] == [
        {"of": "+4930998877"}
    ]


async def test_an_address_in_a_link_is_found_too(caller: Caller) -> None:
    await caller.identify("zq77", email="zoltanka@quux.example")
    link = "https://example.com/?of=Zoltanka%40quux.example&by=1"
    await caller.ok("POST", "/api/v1/customers/u_1001/events", {"name": "clicked", "data": {"link": link}})
    forget(caller, "zq77")
    (clicked,) = [row for row in tables(caller)["events"] if row["name"] == "clicked"]

    assert "zoltanka" not in exported(caller).lower()
    assert json.loads(clicked["data"])["link"].startswith("https://example.com/?of=forgotten-")


async def test_an_address_that_only_waits_or_bounced_is_forgotten_too(calling: Calling, clock: Clock) -> None:
    caller = calling(a_sandbox(clock, lag=600), clock)
    await caller.ok("POST", "/v1/esp/suppression/bounces/bounced@quux.example")
    await caller.identify("zq77", email="waiting@quux.example")
    for name in ("bounced@quux.example", "zq77"):
        forget(caller, name)
    control(caller, "POST", "clock", {"to": "+1h"})

    assert "quux.example" not in exported(caller)
    await caller.no(404, "GET", "/v1/customers/zq77/attributes")


async def test_a_name_in_the_name_of_their_own_event_or_attribute_is_found_too(caller: Caller) -> None:
    await caller.identify("zq77", **{"email": "zoltanka@quux.example", "of zoltanka@quux.example": 1})
    await caller.ok("POST", "/api/v1/customers/zq77/events", {"name": "mail to zoltanka@quux.example"})
    forget(caller, "zq77")

    assert "zoltanka" not in exported(caller)


async def test_an_id_that_is_the_address_of_somebody_else_stays_theirs(caller: Caller) -> None:
    one = {"type": "person", "action": "identify", "identifiers": {"id": "other@quux.example"}}
    await caller.ok("POST", "/api/v2/entity", one | {"attributes": {"phone": "+4930998877"}})
    await caller.identify("other", email="other@quux.example")
    said = {"name": "said", "data": {"from": "other@quux.example"}}
    await caller.ok("POST", "/api/v1/customers/other/events", said)
    forget(caller, "+4930998877")
    (event,) = [row for row in tables(caller)["events"] if row["name"] == "said"]

    assert json.loads(event["data"]) == said["data"]
    assert "+4930998877" not in exported(caller)


async def test_others_have_their_turn_meanwhile_and_what_they_do_is_forgotten_too(
    calling: Calling, clock: Clock, tmp_path: Path
) -> None:
    path = tmp_path / "sandbox.db"
    caller = calling(a_sandbox(clock, path=path), clock)
    other = calling(Sandbox(path, clock=clock), clock)
    await live(caller)
    steps = forgetting(caller.sandbox.workspace, "zq77")
    next(steps)
    await other.identify("zq77", email="late@quux.example")
    control(other, "POST", "points", {"name": "meanwhile"})
    next(steps)
    control(other, "DELETE", "points/1")
    told = finish(caller.sandbox.workspace, steps)

    assert (told["already"], told["points"]) == (False, 2)
    assert [secret for secret in SECRETS if secret.encode() in _bytes(path)] == []
    control(other, "POST", "points/meanwhile")
    await other.no(404, "GET", "/v1/customers/zq77/attributes")

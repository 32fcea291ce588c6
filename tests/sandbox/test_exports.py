"""Exports: what the sandbox takes, when they are done, and their links."""

from typing import Any

import pytest

from cio_mcp.sandbox import Sandbox
from tests.sandbox.conftest import Caller, Calling, Clock

pytestmark = pytest.mark.anyio


async def started(caller: Caller, kind: str, **body: Any) -> int:
    number: int = (await caller.ok("POST", f"/v1/exports/{kind}", body))["export"]["id"]
    caller.clock.now += 10
    return number


async def total(caller: Caller, kind: str, **body: Any) -> int:
    export = await caller.ok("GET", f"/v1/exports/{await started(caller, kind, **body)}")
    count: int = export["export"]["total"]
    return count


async def test_an_export_is_as_people_were_when_it_was_started(caller: Caller) -> None:
    pro = {"segment": {"id": 1}}
    export = (await caller.ok("POST", "/v1/exports/customers", {"filters": pro}))["export"]
    await caller.identify("u_1002", plan="pro")

    assert (export["status"], export["total"], export["type"]) == ("pending", 0, "customers")
    await caller.no(400, "GET", f"/v1/exports/{export['id']}/download")
    caller.clock.now += 10
    done = (await caller.ok("GET", f"/v1/exports/{export['id']}"))["export"]
    assert (done["status"], done["total"], done["downloads"]) == ("done", 4, 0)
    assert done.keys() == {
        *("id", "user_id", "user_email", "total", "deduplicate_id", "type", "failed", "status"),
        *("description", "downloads", "created_at", "updated_at"),
    }


async def test_a_link_is_counted_and_expires(caller: Caller) -> None:
    link = (await caller.ok("GET", "/v1/exports/1/download"))["link"]

    assert f"expires={int(caller.clock.now) + 900}" in link
    assert (await caller.ok("GET", "/v1/exports/1"))["export"]["downloads"] == 2


async def test_exports_are_listed_and_none_are_null(calling: Calling, caller: Caller, clock: Clock) -> None:
    listed = (await caller.ok("GET", "/v1/exports"))["exports"]
    empty = calling(Sandbox(clock=clock, seed=False), clock)

    assert [(export["id"], export["status"]) for export in listed] == [(1, "done"), (2, "failed")]
    assert await empty.ok("GET", "/v1/exports") == {"exports": None}


async def test_deliveries_are_counted_by_source_metric_and_time(caller: Caller) -> None:
    now = int(caller.clock.now)
    month = 30 * 86400

    assert await total(caller, "deliveries", newsletter_id=20) == 10
    assert await total(caller, "deliveries", newsletter_id=20, metric="bounced") == 1
    assert await total(caller, "deliveries", newsletter_id=20, start=now - month // 6) == 0
    assert await total(caller, "deliveries", newsletter_id=20, end=now - month) == 0
    assert await total(caller, "deliveries", newsletter_id=20, end=now + 13 * month) == 0
    assert await total(caller, "deliveries", newsletter_id=20, start=0, end=now + 13 * month) == 0
    draft = {
        "transactional_message_id": 2,
        "to": "a@example.com",
        "identifiers": {"id": "u_1001"},
        "message_data": {"reset_link": "https://quill.example.com/reset"},
        "queue_draft": True,
    }
    await caller.ok("POST", "/v1/send/email", draft)
    assert await total(caller, "deliveries", transactional_message_id=2) == 0
    assert await total(caller, "deliveries", transactional_message_id=2, drafts=True) == 1


@pytest.mark.parametrize(
    ("kind", "body", "detail"),
    [
        ("customers", {}, "filters is required"),
        ("customers", {"filters": {}}, "a filter has exactly one of and, or, not, segment, attribute"),
        ("customers", {"filters": {"segment": {"id": 1}}, "attributes": "plan"}, "attributes must be a list"),
        (
            "deliveries",
            {"newsletter_id": 20, "campaign_id": 1},
            "exactly one of newsletter_id, campaign_id, transactional_message_id, action_id",
        ),
        ("deliveries", {"newsletter_id": 20, "metric": "read"}, "metric must be one of created, attempted, "),
    ],
)
async def test_a_wrong_export_is_refused(caller: Caller, kind: str, body: object, detail: str) -> None:
    answer = await caller.no(400, "POST", f"/v1/exports/{kind}", body)

    (error,) = answer["errors"]
    assert error.pop("detail").startswith(detail)
    assert error == {"status": "400"}


async def test_an_unknown_export_is_not_found(caller: Caller) -> None:
    await caller.no(404, "GET", "/v1/exports/99")
    await caller.no(404, "GET", "/v1/exports/99/download")
    await caller.no(400, "GET", "/v1/exports/x")

"""Exports: started, waited for, and the link to the file."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from cio_mcp.tools.people.search import EVERYBODY
from tests.agent import Agent, an_agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

PRO = {"segment": {"id": 1}}
LETTER = {"of": "newsletter", "source_id": 20}
DONE, FAILED = 1, 2


@pytest.mark.parametrize(
    ("arguments", "body", "total"),
    [
        ({}, {"filters": EVERYBODY}, 12),
        ({"filter": PRO, "fields": ["plan"]}, {"filters": PRO, "attributes": ["plan"]}, 4),
        ({"filter": json.dumps(PRO)}, {"filters": PRO}, 4),
    ],
)
async def test_customers_are_exported_by_a_filter_or_all(
    agent: Agent, arguments: dict[str, Any], body: object, total: int
) -> None:
    started = await agent.call("start_export", of="customers", **arguments)
    assert agent.last == ("POST /v1/exports/customers", {}, body)
    assert started | {"next": ""} == {"outcome": "created", "export_id": 3, "next": ""}

    export = await agent.call("get_export", export_id=3, wait_seconds=20)
    assert (export["type"], export["status"], export["total"]) == ("customers", "done", total)


@pytest.mark.parametrize(
    ("arguments", "body", "total"),
    [
        ({"of": "newsletter", "source_id": 20}, {"newsletter_id": 20}, 10),
        ({**LETTER, "metric": "clicked"}, {"newsletter_id": 20, "metric": "clicked"}, 1),
        ({**LETTER, "metric": "created"}, {"newsletter_id": 20, "metric": "created"}, 10),
        ({"of": "transactional_message", "source_id": 1}, {"transactional_message_id": 1}, 2),
        ({"of": "campaign", "source_id": 1}, {"campaign_id": 1}, 22),
        ({"of": "action", "source_id": 101}, {"action_id": 101}, 8),
        (
            {**LETTER, "start": "2026-05-01", "end": "2026-05-10", "fields": ["plan"]},
            {"newsletter_id": 20, "start": 1777593600, "end": 1778371200, "attributes": ["plan"]},
            0,
        ),
    ],
)
async def test_deliveries_are_exported_by_their_source(
    agent: Agent, arguments: dict[str, Any], body: object, total: int
) -> None:
    await agent.call("start_export", **arguments)
    assert agent.last == ("POST /v1/exports/deliveries", {}, body)

    export = await agent.call("get_export", export_id=3, wait_seconds=20)
    assert (export["type"], export["total"]) == ("deliveries", total)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"of": "customers", "source_id": 1}, "source_id: not allowed with of=customers"),
        (
            {"of": "customers", "metric": "sent", "start": "2026-05-01"},
            "metric, start: not allowed with of=customers",
        ),
        ({"of": "campaign"}, "source_id: is required with of=campaign"),
        ({**LETTER, "filter": PRO}, "filter: allowed with of=customers only"),
        ({**LETTER, "metric": "read"}, "metric: Input should be 'attempted'"),
        (
            {**LETTER, "start": "2026-05-02", "end": "2026-05-01"},
            "end: must be later than start, by at most 12 months",
        ),
        ({**LETTER, "start": "2024-05-02", "end": "2026-05-01"}, "at most 12 months"),
        ({"of": "people"}, "of: "),
        ({}, "of: is required"),
    ],
)
async def test_a_wrong_choice_is_named_and_nothing_is_started(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("start_export", **arguments)
    assert agent.sent == []


async def test_an_export_that_customer_io_refuses_is_told_in_its_words(agent: Agent) -> None:
    text = await agent.fail("start_export", of="customers", filter={"segment": {"id": 99}})

    assert "segment does not exist" in text
    assert agent.facts["outcome"] == "refused"


async def test_an_export_whose_start_is_unknown_says_where_to_look(agent: Agent) -> None:
    agent.wire.fail(httpx.ReadTimeout, late=True)

    text = await agent.fail("start_export", of="customers")

    assert agent.facts["outcome"] == "unknown"
    assert "list_workspace_items with kind=export" in text


async def test_an_export_is_pending_at_first_and_waited_for_on_request(agent: Agent) -> None:
    export_id = (await agent.call("start_export", of="customers"))["export_id"]

    pending = await agent.call("get_export", export_id=export_id)
    assert (pending["status"], "total" in pending, "link" in pending) == ("pending", False, False)
    assert "wait_seconds" in pending["next"]
    assert agent.sent[1:] == [f"GET /v1/exports/{export_id}"]

    begun = agent.clock()
    done = await agent.call("get_export", export_id=export_id, wait_seconds=20)
    assert (done["status"], done["total"]) == ("done", 12)
    assert 5 <= agent.clock() - begun < 10
    assert agent.sent[-1] == f"GET /v1/exports/{export_id}/download"


async def test_waiting_ends_with_the_seconds_or_the_call(agent: Agent) -> None:
    export_id = (await agent.call("start_export", of="customers"))["export_id"]
    begun = agent.clock()

    assert (await agent.call("get_export", export_id=export_id, wait_seconds=2))["status"] == "pending"
    assert agent.clock() - begun == pytest.approx(2, abs=0.1)

    pending = {"export": {"id": 7, "status": "pending"}}
    async with canned({"exports/7": pending}) as workspace:
        answer = await workspace.call("get_export", export_id=7, wait_seconds=600)

    assert answer["status"] == "pending"


async def test_who_waits_is_told_so(agent: Agent) -> None:
    told: list[str] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append(f"{message} {progress} {total}")

    export_id = (await agent.call("start_export", of="customers"))["export_id"]
    await agent.client.call_tool(
        "get_export", {"export_id": export_id, "wait_seconds": 20}, progress_callback=listen
    )

    assert told[0].startswith("Still being written")


async def test_a_finished_export_has_a_link_that_holds_15_minutes(agent: Agent) -> None:
    export = await agent.call("get_export", export_id=DONE)

    assert export["link"].startswith("https://")
    assert f"expires={int(agent.clock()) + 900}" in export["link"]
    assert "15 minutes" in export["next"]
    assert export | {"link": "", "next": ""} == {
        "id": DONE,
        "name": "Customers with segment filters: in Pro plan",
        "type": "customers",
        "status": "done",
        "total": 4,
        "created": "2026-05-08T20:26:40Z",
        "link": "",
        "next": "",
    }


async def test_a_failed_export_has_no_link(agent: Agent) -> None:
    export = await agent.call("get_export", export_id=FAILED, wait_seconds=20)

    assert (export["status"], "link" in export) == ("failed", False)
    assert "Start the export again" in export["next"]
    assert agent.sent == [f"GET /v1/exports/{FAILED}"]


@pytest.mark.parametrize(
    ("item", "download", "expected"),
    [
        ({"id": "7", "status": "done", "total": 0}, {"link": "https://x.example/7"}, ("done", 0, True)),
        ({"id": 7, "status": "done"}, {"url": "https://x.example/7"}, ("done", None, True)),
        ({"id": 7, "failed": True}, {}, ("failed", None, False)),
        ({"id": 7, "total": 0}, {}, (None, None, False)),
        ({"id": 7, "status": "done"}, {}, ("done", None, False)),
        ({"id": 7, "status": "done"}, httpx.Response(403), ("done", None, False)),
    ],
)
async def test_what_the_api_may_leave_out_of_an_export_is_left_out(
    item: object, download: object, expected: object
) -> None:
    async with canned({"download": download, "exports/7": {"export": item}}) as workspace:
        answer = await workspace.call("get_export", export_id=7)

    assert (answer.get("status"), answer.get("total"), "link" in answer) == expected
    assert ("left_out" in answer) == (answer.get("status") == "done" and "link" not in answer)


async def test_a_finished_export_without_a_link_says_why(agent: Agent) -> None:
    agent.wire.fail(httpx.Response(200, json={"export": {"id": 7, "status": "done"}}))
    agent.wire.fail(httpx.Response(200, json={}))

    answer = await agent.call("get_export", export_id=7)

    assert answer["status"] == "done"
    assert "no link" in answer["left_out"]
    assert "link" not in answer


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"export_id": 0}, "export_id: "),
        ({"export_id": DONE, "wait_seconds": -1}, "wait_seconds: "),
        ({"export_id": DONE, "wait_seconds": 601}, "wait_seconds: "),
        ({"export_id": 99}, "Check export_id"),
    ],
)
async def test_a_wrong_export_is_named(agent: Agent, arguments: dict[str, Any], words: str) -> None:
    assert words in await agent.fail("get_export", **arguments)


async def test_where_people_are_masked_the_link_to_them_is_hidden_too() -> None:
    async with an_agent(pii="mask") as agent:
        export = await agent.call("get_export", export_id=DONE)
        (ada,) = (await agent.call("search_customers", email="ada@example.com"))["customers"]
        who = {"attribute": {"field": "email", "operator": "eq", "value": ada["email"]}}
        await agent.call("start_export", of="customers", filter=who)
        sent = json.loads(agent.wire.requests[-1].content)

    assert (export["link"], export["name"][:9]) == ("[masked]", "Customers")
    assert ada["email"].endswith("@masked.invalid")
    assert sent["filters"]["attribute"]["value"] == "ada@example.com"


async def test_the_file_of_an_export_is_saved_in_the_operators_folder(tmp_path: Path) -> None:
    async with an_agent(downloads=str(tmp_path)) as agent:
        export_id = (await agent.call("start_export", of="customers", fields=["plan"]))["export_id"]
        pending = await agent.call("get_export", export_id=export_id, save_as="all.csv")
        assert (pending["status"], "file" in pending) == ("pending", False)

        answer = await agent.call("get_export", export_id=export_id, wait_seconds=20, save_as="all.csv")

        lines = (tmp_path / "all.csv").read_text().splitlines()
        assert (answer["file"], answer["rows"]) == (str(tmp_path / "all.csv"), 12)
        assert (len(lines), "link" in answer, "notes" in answer) == (13, False, False)
        text = await agent.fail("get_export", export_id=export_id, save_as="all.csv")
        assert "a file of this name exists already" in text


@pytest.mark.parametrize("name", ["../x.csv", "/tmp/x.csv", ".x.csv", "a/b.csv", "a\\b", "..", "CON:", "x. "])
async def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    async with an_agent(downloads=str(tmp_path)) as agent:
        assert "save_as: must be a file name without a folder" in await agent.fail(
            "get_export", export_id=1, save_as=name
        )
        assert agent.sent == []


@pytest.mark.parametrize("name", ["ü" * 150, "a" * 151])
async def test_a_name_too_long_for_a_file_is_refused(tmp_path: Path, name: str) -> None:
    async with an_agent(downloads=str(tmp_path)) as agent:
        text = await agent.fail("get_export", export_id=DONE, save_as=name)
        assert "save_as: must not be longer than 150 bytes" in text
        assert agent.sent == []


@pytest.mark.parametrize("hidden", [False, True])
async def test_nothing_is_saved_without_a_folder_or_where_people_are_hidden(
    tmp_path: Path, hidden: bool
) -> None:
    async with an_agent(pii="mask", downloads=str(tmp_path)) if hidden else an_agent() as agent:
        assert "CIO_DOWNLOADS" in await agent.fail("get_export", export_id=1, save_as="x.csv")
        assert agent.sent == []


async def test_a_file_of_another_length_than_customer_io_counted_is_told(tmp_path: Path) -> None:
    async with an_agent(downloads=str(tmp_path)) as agent:
        answer = await agent.call("get_export", export_id=DONE, save_as="old.csv")

    assert "Customer.io counted" in answer["notes"][0]

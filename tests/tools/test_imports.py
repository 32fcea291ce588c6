"""Imports of files at an address: started once, followed with progress, told with counts and errors."""

from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

AT = "https://files.sandbox.invalid/"
LEADS = {"url": f"{AT}leads.csv", "of": "people", "name": "spring leads", "identifier": "id"}


async def test_a_file_of_people_is_imported_and_its_counts_are_told(agent: Agent) -> None:
    answer = await agent.call("import_file", **LEADS, description="from the fair")

    assert agent.last == (
        "POST /v1/imports",
        {},
        {
            "import": {
                "data_file_url": f"{AT}leads.csv",
                "name": "spring leads",
                "type": "people",
                "identifier": "id",
                "data_to_process": "all",
                "description": "from the fair",
            }
        },
    )
    assert (answer["outcome"], answer["state"]) == ("created", "preprocessing")
    assert "get_import with wait_seconds" in answer["next"]

    done = await agent.call("get_import", import_id=answer["import_id"], wait_seconds=20)
    assert done == {"import_id": answer["import_id"], "state": "imported", "rows": 3, "imported": 2}
    assert (await agent.call("get_customer", customer_id="lead_2"))["attributes"] == {"plan": "trial"}


async def test_an_import_is_followed_with_progress_until_it_ends(agent: Agent) -> None:
    told: list[str] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
        told.append(message or "")

    result = await agent.client.call_tool(
        "import_file", LEADS | {"wait_seconds": 20}, progress_callback=listen
    )

    assert (result.structured_content or {})["state"] == "imported"
    assert any(message.startswith("importing, 0 of 3 rows") for message in told)


async def test_events_objects_and_relationships_are_imported(agent: Agent) -> None:
    objects = {"of": "objects", "name": "o", "object_type_id": 1, "url": f"{AT}companies.csv"}
    staff = {
        "of": "relationships",
        "name": "r",
        "object_type_id": 1,
        "identifier": "id",
        "url": f"{AT}staff.csv",
    }
    events = {"of": "events", "name": "e", "identifier": "id", "url": f"{AT}orders.csv"}
    for arguments in (objects, staff, events):
        answer = await agent.call("import_file", **arguments, wait_seconds=20)
        assert (answer["state"], answer["imported"]) == ("imported", 1)

    assert (await agent.call("get_object", object_type_id=1, object_id="nova"))["attributes"]["plan"] == "pro"
    (member,) = (await agent.call("list_object_members", object_type_id=1, object_id="nova"))["customers"]
    assert member["id"] == "u_1001"
    await agent.fail("get_customer", customer_id="u_9999")


async def test_a_file_that_cannot_be_read_fails_in_customer_ios_words(agent: Agent) -> None:
    answer = await agent.call("import_file", **(LEADS | {"url": f"{AT}none.csv"}), wait_seconds=20)

    assert (answer["state"], answer["error"]) == ("failed", "the file could not be downloaded")
    assert "start it again" in answer["next"]


async def test_a_start_whose_answer_is_lost_is_not_repeated(agent: Agent) -> None:
    agent.wire.fail(httpx.ReadTimeout, late=True)

    text = await agent.fail("import_file", **LEADS)

    assert agent.facts["outcome"] == "unknown"
    assert "The API has no list of imports" in text
    assert agent.sent == ["POST /v1/imports"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"identifier": None}, "identifier: with of=people it must be id or email"),
        ({"identifier": "cio_id"}, "identifier: with of=people it must be id or email"),
        ({"of": "events", "process": "only_new"}, "process: with of=events it must be all or only_existing"),
        ({"of": "objects"}, "identifier: with of=objects it must be nothing"),
        ({"of": "objects", "identifier": None}, "object_type_id: is required with of=objects"),
        ({"object_type_id": 1}, "object_type_id: only with of=objects or of=relationships"),
        ({"url": "http://files.sandbox.invalid/leads.csv"}, "url: must be an https:// URL"),
        ({"url": "https://me:secret@files.sandbox.invalid/leads.csv"}, "url: must be an https:// URL"),
        ({"name": " "}, "name: must not be blank"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("import_file", **(LEADS | arguments))
    assert agent.sent == []


async def test_an_import_is_refused_where_only_some_addresses_are_allowed() -> None:
    async with an_agent(allowed_recipients="example.com") as agent:
        text = await agent.fail("import_file", **LEADS)

        assert "CIO_ALLOWED_RECIPIENTS" in text
        assert "the people named in the file" in text
        assert agent.sent == []


@pytest.mark.parametrize("mask", [False, True])
async def test_addresses_of_reports_are_passed_on_unless_people_are_hidden(mask: bool) -> None:
    found = {
        "import": {
            "id": "7",
            "state": "imported",
            "rows_to_import": 2,
            "rows_imported": 1,
            "error": "",
            "data_file_url": "https://a.example/in.csv",
            "error_report_url": "https://a.example/errors.csv",
        }
    }
    async with canned({"imports/7": found}, CIO_PII="mask" if mask else "show") as workspace:
        answer = await workspace.call("get_import", import_id=7)

    assert answer["imported"] == 1
    assert ("https://a.example/errors.csv" in str(answer["reports"])) is not mask
    assert "in.csv" not in str(answer)

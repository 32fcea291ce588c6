"""Many customers and events at once, as an agent has them: few words, every row's end told."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cio_mcp.server.server import facts
from cio_mcp.toolkit.rows.checks import RowOperation
from cio_mcp.toolkit.rows.table import Row
from tests.agent import Agent, an_agent
from tests.upstream import LATE, Upstream

pytestmark = pytest.mark.anyio


def customers(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"customer_id": f"c{n}", "plan": "pro", **more} for n in range(1, count + 1)]


def orders(count: int) -> list[dict[str, Any]]:
    return [{"customer_id": f"c{n}", "name": "order", "order_id": n, "total": 5} for n in range(count)]


def batches(agent: Agent) -> list[list[dict[str, Any]]]:
    return [
        json.loads(request.content)["batch"]
        for request in agent.wire.requests
        if request.url.path == "/api/v2/batch"
    ]


@pytest.fixture
async def upstream() -> AsyncIterator[tuple[Agent, Upstream]]:
    """Provide an agent whose Track is an upstream that knows nothing of ours."""
    async with an_agent() as agent:
        upstream = Upstream()
        agent.wire.handle_async_request = upstream.handle_async_request  # type: ignore[method-assign]
        yield agent, upstream


async def test_a_list_of_forty_is_one_call_and_one_request(agent: Agent) -> None:
    answer = await agent.call("identify_customers", rows=customers(40, email=None))

    assert "search_customers" in answer.pop("next")
    assert answer == {"outcome": "accepted", "rows": 40, "accepted": 40}
    assert agent.sent == ["POST /api/v2/batch"]
    assert (await agent.call("get_customer", customer_id="c40"))["attributes"] == {"plan": "pro"}


async def test_rows_are_checked_as_single_calls_are_and_the_right_ones_are_sent(agent: Agent) -> None:
    wrong: list[dict[str, Any]] = [
        {"customer_id": "a", "email": "two\nlines"},
        {"customer_id": "b", "created_at": "31.12.2025"},
        {"customer_id": "c", "attributes": {"email": "a@example.com"}},
        {"customer_id": "d", "anonymous_id": ""},
        {"customer_id": "e", "attributes": {"big": "x" * 1001}},
        {"customer_id": "cio_7"},
        {"email": "a@example.com"},
    ]
    alone = [(await agent.fail("identify_customer", **row)).splitlines()[1] for row in wrong]

    answer = await agent.call("identify_customers", rows=[*customers(2), *wrong])

    assert (answer["accepted"], answer["refused"]) == (2, 7)
    assert [len(batch) for batch in batches(agent)] == [2]
    rest = await agent.call("list_row_results", results=answer["results"])
    assert [(row["row"], row["reasons"]) for row in rest["rows"]] == [
        (number, [reason]) for number, reason in enumerate(alone, 3)
    ]


async def test_csv_has_columns_renamed_and_values_typed(agent: Agent) -> None:
    csv = (
        "\ufeffKunde;E-Mail;Sitze;Aktiv;PLZ;Notiz;intern\r\n"
        '1001;eva@example.com;5;TRUE;01067;"sagt ""ja""; oft";x\r\n'
        "\r\n"
        "1002;max@example.com;2.5;false;80331;;y\r\n"
    )
    columns = {"Kunde": "customer_id", "E-Mail": "email", "intern": None}

    await agent.call("identify_customers", csv=csv, columns=columns)

    (batch,) = batches(agent)
    assert [operation["attributes"] for operation in batch] == [
        {"email": "eva@example.com", "Sitze": 5, "Aktiv": True, "PLZ": "01067", "Notiz": 'sagt "ja"; oft'},
        {"email": "max@example.com", "Sitze": 2.5, "Aktiv": False, "PLZ": "80331"},
    ]
    assert [operation["identifiers"] for operation in batch] == [{"id": "1001"}, {"id": "1002"}]


@pytest.mark.parametrize(
    ("csv", "row", "reason"),
    [
        ("customer_id,plan\n1,pro\n2\n", 3, "has 1 cells; the header has 2"),
        ("customer_id,plan\n1,pro\n2,pro,x\n", 3, "has 3 cells; the header has 2"),
        ('customer_id,plan\n1,pro\n2,"pro"x\n3,pro\n', 3, "not CSV"),
        ('customer_id,plan\n1,pro\n2,"pro\n3,pro\n', 3, "lines 3 to 4 are not CSV"),
        ('\n\ncustomer_id,plan\n1,"p\nro"\n,free\n', 6, "customer_id: is required"),
    ],
)
async def test_what_is_no_row_is_told_by_its_line(agent: Agent, csv: str, row: int, reason: str) -> None:
    answer = await agent.call("identify_customers", csv=csv)

    (first,) = answer["first"]
    assert first["row"] == row
    assert reason in first["reasons"][0]
    assert answer["accepted"] >= 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "exactly one"),
        ({"rows": [{"customer_id": "a"}], "csv": "customer_id\na"}, "exactly one"),
        ({"rows": []}, "1 to 10000 rows"),
        ({"rows": [{"customer_id": "a"}] * 10_001}, "1 to 10000 rows"),
        ({"rows": ["a"]}, "is not an object"),
        ({"csv": "a,a\n1,2"}, "two columns are named a"),
        ({"csv": "customer_id\n"}, "1 to 10000 rows"),
        ({"csv": "file:people.csv"}, "CIO_FILES"),
        ({"rows": [{"customer_id": "a"}], "columns": {"x": "y"}}, "there is no column x"),
        ({"rows": [{"customer_id": "a"}], "columns": {"customer_id": 1}}, "must be a name"),
        ({"rows": [{"customer_id": "0151"}], "id_type": "phone"}, "E.164"),
    ],
)
async def test_what_cannot_be_read_at_all_is_refused_and_nothing_is_sent(
    agent: Agent, given: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("identify_customers", **given)
    assert agent.sent == []


async def test_files_are_read_from_the_operators_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "people.csv").write_bytes("customer_id,name\n1,Zoë\n".encode("utf-16"))
    (folder / "old.csv").write_bytes("customer_id,name\n1,Zoë\n".encode("cp1252"))
    (tmp_path / "secret.csv").write_text("customer_id\n1\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    async with an_agent(files=str(folder)) as agent:
        await agent.call("identify_customers", csv="file:people.csv")
        assert batches(agent)[0][0]["attributes"] == {"name": "Zoë"}
        assert "line 2 is not UTF-8" in await agent.fail("identify_customers", csv="file:old.csv")
        for name in ("../secret.csv", str(tmp_path / "secret.csv"), "link.csv", "none.csv", "", ".", "a\0b"):
            assert "no such file" in await agent.fail("identify_customers", csv=f"file:{name}")
        assert len(agent.sent) == 1


@pytest.mark.parametrize("dry_run", [False, True])
async def test_all_rows_are_judged_before_the_first_batch_leaves(dry_run: bool) -> None:
    rows = [*customers(1000), {"customer_id": "last", "email": "boss@corp.example"}]
    async with an_agent(allowed_recipients="example.com") as agent:
        text = await agent.fail("identify_customers", rows=rows, dry_run=dry_run)

        assert "CIO_ALLOWED_RECIPIENTS" in text
        assert batches(agent) == []


async def test_no_file_is_read_where_people_are_hidden(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("customer_id,first_name\n1,Grace\n")
    async with an_agent(files=str(tmp_path), pii="mask") as agent:
        call = {"csv": "file:people.csv", "columns": {"first_name": "shown"}, "dry_run": True}

        assert "CIO_FILES" in await agent.fail("identify_customers", **call)


async def test_two_columns_are_not_taken_for_one(agent: Agent) -> None:
    csv = "customer_id,email,Mail\n1,a@example.com,b@example.com\n"

    text = await agent.fail("identify_customers", csv=csv, columns={"Mail": "email"})

    assert "columns email and Mail both hold it" in text
    assert agent.sent == []


async def test_a_number_that_is_nothing_elsewhere_is_an_id_here(agent: Agent) -> None:
    assert (await agent.call("identify_customers", rows=[{"id": 0, "plan": "pro"}]))["accepted"] == 1
    assert batches(agent)[0][0]["identifiers"] == {"id": "0"}


async def test_a_long_value_is_cut_between_words(agent: Agent) -> None:
    note = f"{'x' * 70} ada.lovelace@example.com"

    await agent.fail("identify_customers", rows=[{"note": note}])
    (row,) = (await agent.call("list_row_results", results=agent.facts["results"]))["rows"]

    assert row["values"] == {"note": f"{'x' * 70}…"}


async def test_a_dry_run_checks_all_rows_and_tells_what_is_odd(agent: Agent) -> None:
    csv = (
        "customer_id,email,age,since,note\n"
        "U1,ann@example.com,31,2026-01-31,=1+1\n"
        "u1,ann@example.com,old,x,\n"
        "2,nobody@,33,,\n"
        "2,,34,,\n"
        ",x@example.com,35,,\n"
    )

    answer = await agent.call("identify_customers", csv=csv, columns={"since": "created_at"}, dry_run=True)

    assert batches(agent) == []
    checked = answer["checked"]
    assert (checked["rows"], checked["operations"], checked["refused"]) == (5, 2, 2)
    assert "POST" in answer["request"]["method"]
    assert len(answer["request"]["body"]["batch"]) == 2
    odd = " | ".join(checked["odd"])
    for words in (
        "no email can be sent to this address (row 4)",
        "merged in their order: rows 4-5",
        "2026-01-31 as 2026-01-31T00:00:00Z (row 2, UTC)",
        "note: a formula is sent as text, not computed (row 2)",
    ):
        assert words in odd
    assert "refused rows are not sent: correct them" in checked["next"]
    assert "Look at odd" in checked["next"]
    assert "without dry_run" in answer["next"]


async def test_a_dry_run_of_events_tells_their_ages_names_and_types(agent: Agent) -> None:
    now = int(agent.clock())
    rows = [
        {"customer_id": "U1", "name": "Order", "timestamp": now - 3600, "total": 5},
        {"customer_id": "u1", "name": "order", "timestamp": now - 4 * 86400, "total": "5"},
        {"customer_id": "u2", "name": "order", "timestamp": now + 86400, "total": 6},
    ]

    odd = " | ".join((await agent.call("track_events", rows=rows, dry_run=True))["checked"]["odd"])

    for words in (
        "2 of 3 events are younger than 72 hours and can start automations: rows 1, 3",
        "1 event lies in the future",
        "U1 (row 1) and u1 (row 2)",
        "Order (row 1) and order (rows 2-3)",
        "total is of several types: number, text; text in row 2",
    ):
        assert words in odd


async def test_rows_of_one_customer_are_merged_in_their_order(agent: Agent) -> None:
    rows = [
        {"customer_id": "a", "plan": "free", "seats": 1},
        {"customer_id": "b", "plan": "pro"},
        {"customer_id": "a", "plan": "pro", "gone": None},
    ]

    assert (await agent.call("identify_customers", rows=rows))["accepted"] == 3

    (batch,) = batches(agent)
    assert batch[0]["attributes"] == {"plan": "pro", "seats": 1, "gone": None}
    assert len(batch) == 2


async def test_rows_that_cannot_be_merged_follow_a_second_later_with_rising_timestamps(agent: Agent) -> None:
    rows = [
        {"customer_id": "a", "anonymous_id": "v1", "plan": "free"},
        {"customer_id": "a", "anonymous_id": "v2", "plan": "pro"},
        {"customer_id": "a", "attributes": {f"x{n}": n for n in range(299)}, "plan": "team"},
    ]
    called = agent.clock()

    answer = await agent.call("identify_customers", rows=rows)

    assert answer["accepted"] == 3
    stamps = [batch[0]["timestamp"] for batch in batches(agent)]
    assert stamps == sorted(set(stamps))
    assert called - 1 <= stamps[0]
    assert stamps[-1] <= agent.clock()
    assert (await agent.call("get_customer", customer_id="a"))["attributes"]["plan"] == "team"


async def test_a_dry_run_names_the_rows_that_give_a_customer_another_address(agent: Agent) -> None:
    rows = [{"customer_id": "c1", "email": "a@example.com"}, {"customer_id": "c1", "email": "b@example.com"}]

    preview = await agent.call("identify_customers", rows=rows, dry_run=True)

    assert [note for note in preview["checked"]["odd"] if note.startswith("row 2 cannot be merged")]
    assert "c1" in str(preview["checked"]["odd"])


async def test_a_repeated_call_doubles_no_event(agent: Agent) -> None:
    rows = [*orders(5), {"customer_id": "c1", "name": "login"}, {"customer_id": "c1", "name": "login"}]
    for _ in range(2):
        answer = await agent.call("track_events", rows=rows)
        assert answer["accepted"] == 7

    found = agent.wire.sandbox.workspace.rows("SELECT name FROM events WHERE name IN ('login', 'order')")
    assert sorted(row["name"] for row in found if row["name"] == "order") == ["order"] * 5
    assert sum(batch["name"] == "login" for batch in batches(agent)[0]) == 2
    assert {one["id"] for one in batches(agent)[0]} == {one["id"] for one in batches(agent)[1]}
    assert "same rows" in answer["notes"][0]


async def test_events_are_told_apart_by_what_the_caller_names(agent: Agent) -> None:
    first = {"customer_id": "a", "name": "order", "order_id": "o1", "total": 5}
    rows = [first, dict(reversed(first.items())), first | {"total": 6}, first | {"order_id": ""}]

    answer = await agent.call("track_events", rows=rows, unique=["order_id"])
    again = await agent.call("track_events", rows=[first | {"total": 7}], unique="order_id")

    assert (answer["accepted"], answer["repeated"], answer["refused"]) == (1, 1, 2)
    reasons = [one["reason"] for one in answer["refusals"]]
    assert any("row 1" in reason for reason in reasons)
    assert any("order_id: is required" in reason for reason in reasons)
    assert again["accepted"] == 1
    assert batches(agent)[0][0]["id"] == batches(agent)[1][0]["id"]


async def test_past_orders_in_local_time_are_read_across_a_change_of_clocks(agent: Agent) -> None:
    csv = "who,when\na,2026-10-25T01:30\nb,2026-10-25T02:30\nc,2026-10-25T03:30\n"

    await agent.call(
        "track_events",
        csv=csv,
        columns={"who": "customer_id", "when": "timestamp"},
        name="order",
        timezone="Europe/Berlin",
    )

    (batch,) = batches(agent)
    assert [one["timestamp"] for one in batch] == [1792884600, 1792888200, 1792895400]


async def test_only_a_column_that_is_named_so_says_when_it_happened(agent: Agent) -> None:
    await agent.call("track_events", csv="customer_id,name,date,created_at\na,order,2026-01-31,2026-01-31\n")

    (batch,) = batches(agent)
    assert "timestamp" not in batch[0]
    assert set(batch[0]["attributes"]) == {"date", "created_at"}


async def test_what_customer_io_refuses_is_told_for_its_row(upstream: tuple[Agent, Upstream]) -> None:
    agent, there = upstream
    there.refuses = lambda one: "no such plan" if one["identifiers"]["id"] in {"c7", "c3000"} else None

    answer = await agent.call("identify_customers", rows=customers(4000))

    assert (answer["accepted"], answer["refused"]) == (3998, 2)
    assert answer["refusals"] == [{"reason": "a: no such plan", "count": 2, "rows": "7, 3000"}]
    assert [one["row"] for one in answer["first"]] == [7, 3000]


@pytest.mark.repeating
@pytest.mark.parametrize("fault", [(500, False), (503, LATE), (httpx.ReadError, LATE), (429, False)])
async def test_after_any_fault_the_same_call_leaves_exactly_what_was_meant(
    upstream: tuple[Agent, Upstream], fault: Any
) -> None:
    agent, there = upstream
    there.faults = [None, *[fault] * 30]

    first = await agent.client.call_tool("track_events", {"rows": orders(1100), "unique": ["order_id"]})
    there.faults = []
    await asyncio.sleep(60)
    answer = await agent.call("track_events", rows=orders(1100), unique=["order_id"])

    assert not first.is_error
    told = first.structured_content or {}
    assert told["accepted"] < 1100
    assert "counts once" in told["next"]
    assert answer["accepted"] == 1100
    assert len(there.events) == 1100


@pytest.mark.repeating
async def test_progress_is_told_and_a_cancelled_call_ends_between_batches(
    upstream: tuple[Agent, Upstream],
) -> None:
    agent, there = upstream
    there.latency = 2.0
    told: list[str] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
        told.append(message or "")

    arguments = {"rows": orders(3000)}
    await agent.client.call_tool("track_events", arguments, progress_callback=tell)
    assert any("of 3000 rows sent" in message for message in told)

    there.requests.clear()
    calling = asyncio.create_task(agent.client.call_tool("track_events", arguments))
    await asyncio.sleep(1)
    calling.cancel()
    await asyncio.sleep(10)
    assert 0 < len(there.requests) <= 8


@pytest.mark.repeating
async def test_an_operators_stop_ends_a_call_between_batches(tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    async with an_agent(stop_file=str(stop), track_rate="5") as agent:
        there = Upstream(latency=1.5)
        agent.wire.handle_async_request = there.handle_async_request  # type: ignore[method-assign]
        calling = asyncio.create_task(agent.call("track_events", rows=orders(3000)))
        await asyncio.sleep(1)
        stop.touch()

        answer = await calling

    assert 0 < answer["accepted"] < 3000
    assert answer["accepted"] + answer["not_sent"] == 3000
    assert "has stopped all writes" in answer["next"]
    assert len(there.events) == answer["accepted"]


async def test_recipients_in_rows_are_bound_as_those_of_single_events_are() -> None:
    rows = [{"customer_id": "a", "name": "order", "recipient": "ann@example.com"}]
    async with an_agent(allowed_recipients="*@example.com", max_recipients="1") as agent:
        answer = await agent.call("track_events", rows=rows)
        assert "emails that this event triggers go to that address" in answer["notes"][0]
        outside = [*rows, {"customer_id": "b", "name": "order", "recipient": "eve@example.org"}]
        assert "CIO_" in await agent.fail("track_events", rows=outside)
        assert "CIO_MAX_RECIPIENTS" in await agent.fail("track_events", rows=[*rows, rows[0] | {"name": "b"}])
        assert len(batches(agent)) == 1


async def test_pseudonyms_identify_people_in_rows_and_go_nowhere_else() -> None:
    async with an_agent(pii="mask") as agent:
        hidden = (await agent.call("get_customer", customer_id="u_1001"))["email"]
        await agent.call("identify_customers", rows=[{"email": hidden, "plan": "x"}], id_type="email")
        assert batches(agent)[0][0]["identifiers"] == {"email": "ada@example.com"}

        text = await agent.fail("identify_customers", rows=[{"customer_id": "a", "note": f"ask {hidden}"}])
        assert "pseudonym" in text
        answer = await agent.call(
            "identify_customers", rows=[{"customer_id": "a"}, {"email": "b@example.com"}]
        )
        assert "b@example.com" not in json.dumps(answer)


async def test_results_are_for_whoever_made_the_call(agent: Agent) -> None:
    rows = [*customers(1), *[{"plan": n} for n in range(250)]]
    answer = await agent.call("identify_customers", rows=rows)

    pages, cursor = [], None
    while True:
        page = await agent.call("list_row_results", results=answer["results"], cursor=cursor)
        pages += page["rows"]
        if (cursor := page.get("next_cursor")) is None:
            break
    assert [row["row"] for row in pages] == list(range(2, 252))
    assert len(json.dumps(answer)) < 2000

    async with an_agent(beside=agent) as other:
        assert "not kept" in await other.fail("list_row_results", results=answer["results"])
    assert "not kept" in await agent.fail("list_row_results", results="0123456789ab")


@pytest.mark.repeating
async def test_ten_thousand_rows_are_one_call_and_a_short_answer(upstream: tuple[Agent, Upstream]) -> None:
    agent, there = upstream
    result = await agent.client.call_tool("identify_customers", {"rows": customers(10_000)})

    assert len(json.dumps([content.model_dump() for content in result.content])) < 2000
    assert len(there.people) == 10_000


@pytest.mark.parametrize("tool", ["identify_customers", "track_events"])
async def test_an_operator_can_have_calls_of_many_rows_confirmed(tool: str) -> None:
    rows = [{"customer_id": "a", "name": "order"}, {"customer_id": "b", "name": "order"}]
    async with an_agent(confirm="preview", confirm_also="bulk") as agent:
        preview = await agent.call(tool, rows=rows)
        assert (preview["outcome"], preview["checked"]["rows"]) == ("preview", 2)
        assert preview["would"].endswith("2 customers.")
        text = await agent.fail(tool, rows=rows[:1], confirmation=preview["confirmation"])
        assert "Nothing was done" in text
        assert batches(agent) == []

        answer = await agent.call(tool, rows=rows, confirmation=preview["confirmation"])
        assert answer["accepted"] == 2


def each(name: str, *values: Any) -> list[dict[str, Any]]:
    return [{"customer_id": "a", name: value} for value in values]


# Rows with values that are equal or alike and mean something else, or nothing at all.
ALIKE = [
    *each("customer_id", 1, True, 1.0, "1", " 1 ", "", None, 1.5, ["1"], "ü" * 76, "cio_1"),
    *each(
        "timestamp", 1780000000, "1780000000", 1780000000.0, True, "2026-03-01", "2026-03-01 ", "1 March", ""
    ),
    *each("name", "a", "", None, 1, "a\nb", "x" * 101),
    *each("id_type", "id", "email", None, ""),
    *each("recipient", "x@example.com", "x@example.com, y", 1, None, ""),
    *each("data", {"x": 1}, "{}", "{", None, "", []),
    *each("x", 1, True, 1.0, "1", None, "", [1], {"y": "2026-03-01"}),
    *({"id": "b"}, {"id": None}, {"id": ""}, {"event_id": "x", "customer_id": "a"}, {}),
]


async def test_a_row_is_taken_among_others_as_it_is_alone(agent: Agent) -> None:
    rows = [{"n": n, **row} for n, row in enumerate(ALIKE)]
    call = {"name": "order", "unique": ["n"]}
    sent, refused = dict[int, Any](), dict[int, list[str]]()
    for n, row in enumerate(rows):
        result = await agent.client.call_tool("track_events", {"rows": [row], **call})
        if result.is_error:
            told = await agent.call("list_row_results", results=facts(result)["results"])
            refused[n] = told["rows"][0]["reasons"]
        else:
            sent[n] = batches(agent)[-1][0]

    for several in (rows, rows[::-1]):
        answer = await agent.call("track_events", rows=several, **call)
        told = await agent.call("list_row_results", results=answer["results"])
        assert {op["attributes"]["n"]: op for op in batches(agent)[-1]} == sent
        assert {several[row["row"] - 1]["n"]: row["reasons"] for row in told["rows"]} == refused


@pytest.mark.repeating
async def test_a_call_that_has_ended_holds_none_of_its_rows(agent: Agent) -> None:
    await agent.call("identify_customers", rows=customers(20))
    gc.collect()
    gc.disable()
    try:
        await agent.call("track_events", rows=orders(50))
        await agent.call("identify_customers", rows=customers(50))
        await agent.call("identify_customers", rows=customers(50), dry_run=True)
        assert not [one for one in gc.get_objects() if isinstance(one, (Row, RowOperation))]
    finally:
        gc.enable()

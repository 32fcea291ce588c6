"""Rows as they come: deep, wide, large, repeated, alike; what is wrong is known before anything leaves."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from cio_mcp.client.batches import OperationEnd
from cio_mcp.toolkit.rows.outcomes import RowEnd
from cio_mcp.toolkit.rows.results import KEPT, Results
from cio_mcp.toolkit.rows.table import Row
from tests.agent import Agent, an_agent
from tests.tools.test_bulk import customers

pytestmark = pytest.mark.anyio


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels else 1


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("tool", ["identify_customers", "track_events"])
async def test_a_row_that_is_nested_too_deeply_ends_the_call_before_any_leaves(
    agent: Agent, tool: str, as_text: bool
) -> None:
    deep = {"customer_id": "last", "name": "n", "attributes": nested(150), "data": nested(150)}
    rows: Any = [*customers(1001, name="n"), deep]

    text = await agent.fail(tool, rows=json.dumps(rows) if as_text else rows)

    assert "rows: item 1002 is nested too deeply" in text
    assert agent.sent == []


async def test_what_is_nested_within_the_limit_is_sent(agent: Agent) -> None:
    rows = json.dumps([{"customer_id": "a", "name": "n", "data": nested(90)}])

    assert (await agent.call("track_events", rows=rows))["accepted"] == 1


async def test_a_header_of_any_width_is_read_and_one_name_twice_is_found(agent: Agent) -> None:
    header = ",".join(f"c{number}" for number in range(60_000))

    text = await agent.fail("identify_customers", csv=f"{header},c59999\n1\n")

    assert "two columns are named c59999" in text


async def test_a_row_of_too_many_cells_is_told_in_few_words(agent: Agent) -> None:
    header, cells = ",".join(f"c{number}" for number in range(2000)), ",".join(["x" * 10] * 2000)

    await agent.fail("identify_customers", csv=f"customer_id,{header}\n1,{cells}\n")
    (row,) = (await agent.call("list_row_results", results=agent.facts["results"]))["rows"]
    text = await agent.fail(
        "identify_customers", csv=f"customer_id,{header}\n1,{cells}\n", columns={"a": "b"}
    )

    assert "at most 300 attributes are allowed; these are 2000" in row["reasons"][0]
    assert len(json.dumps(row)) < 2000
    assert len(text) < 1000


async def test_too_many_rows_are_not_all_read(agent: Agent) -> None:
    text = "customer_id\n" + "1\n" * 10_001 + '"a\n'

    assert "1 to 10000 rows; these are more" in await agent.fail("identify_customers", csv=text)


@pytest.mark.parametrize("rows", [1, 2])
async def test_a_row_above_the_limit_of_an_operation_is_refused_before_any_leaves(
    agent: Agent, rows: int
) -> None:
    wide = {"customer_id": "w", "name": "n", **{f"k{number}": "x" * 900 for number in range(40)}}
    given = [wide, {"customer_id": "a", "name": "n"}][:rows]
    for tool in ("identify_customers", "track_events"):
        if rows == 1:
            assert "bytes; at most 32000 fit" in await agent.fail(tool, rows=given)
            continue
        checked = (await agent.call(tool, rows=given, dry_run=True))["checked"]
        answer = await agent.call(tool, rows=given)
        assert (checked["operations"], checked["refused"]) == (1, 1)
        assert (answer["accepted"], answer["refusals"]) == (1, checked["refusals"])
        assert "bytes; at most 32000 fit" in answer["refusals"][0]["reason"]


async def test_a_time_that_orders_rows_counts_with_the_size_of_an_operation(agent: Agent) -> None:
    full = {f"k{number}": "x" * 990 for number in range(32)}
    size = len(
        json.dumps(
            {
                "type": "person",
                "action": "identify",
                "identifiers": {"id": "w"},
                "attributes": {"anonymous_id": "v1", **full},
            },
            separators=(",", ":"),
        )
    )
    full["k31"] = full["k31"][: 990 - (size - 31_990)]
    rows = [
        {"customer_id": "w", "anonymous_id": "v1", **full},
        {"customer_id": "a", "anonymous_id": "v1"},
        {"customer_id": "a", "anonymous_id": "v2"},
    ]

    checked = (await agent.call("identify_customers", rows=rows, dry_run=True))["checked"]
    answer = await agent.call("identify_customers", rows=rows)

    assert checked["refused"] == answer["refused"] == 1


async def test_a_loop_of_links_in_the_operators_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    async with an_agent(files=str(tmp_path)) as agent:
        for name in ("loop.csv", "loop.csv/a", "a" * 5000):
            assert "no such file" in await agent.fail("identify_customers", csv=f"file:{name}")


async def test_dry_runs_push_out_no_results_of_calls(agent: Agent) -> None:
    answer = await agent.call("identify_customers", rows=[*customers(1), {"plan": "none"}])
    for number in range(KEPT + 1):
        rows = [*customers(1), {"plan": number}]
        checked = (await agent.call("identify_customers", rows=rows, dry_run=True))["checked"]

    for results in (answer["results"], checked["results"]):
        assert (await agent.call("list_row_results", results=results))["total"] == 1


@pytest.mark.repeating
async def test_what_is_kept_of_results_is_bound_in_bytes() -> None:
    results, chance = Results(), random.Random(1)
    first = results.keep([RowEnd(Row(1, {"plan": "none"}), OperationEnd.REFUSED, ("no",))])
    rows = [Row(n, {f"k{k}": chance.randbytes(38).hex() for k in range(30)}) for n in range(1800)]
    for number in range(5):
        name = results.keep([RowEnd(row, OperationEnd.REFUSED, (f"reason {number}",)) for row in rows])

    kept = results.read(name)
    assert kept
    assert len(kept) == 1800
    assert kept[0].values
    assert kept[-1].values is None, "those of the last rows are left out"
    assert results.read(first) is None


async def test_at_the_shell_the_way_to_all_refused_rows_is_told(agent: Agent) -> None:
    text = await agent.fail("list_row_results", results="0123456789ab")

    assert "In a shell they are kept for a day, or not at all with CIO_PII=mask" in text
    assert "cio-mcp load writes all that are refused to a file" in text


async def test_an_event_that_an_earlier_call_sent_with_other_values_is_told(agent: Agent) -> None:
    rows = [{"customer_id": "a", "name": "order", "order_id": n, "total": 5} for n in range(3)]
    await agent.call("track_events", rows=rows, unique=["order_id"])
    same = await agent.call("track_events", rows=[dict(reversed(rows[0].items()))], unique=["order_id"])
    rows[1]["total"] = 6

    preview = await agent.call("track_events", rows=rows, unique=["order_id"], dry_run=True)
    answer = await agent.call("track_events", rows=rows, unique=["order_id"])

    told = "row 2 is an event that was sent before with other values: those stay"
    assert "notes" not in same
    assert told in preview["checked"]["odd"][0]
    assert told in answer["notes"][0]


async def test_a_dry_run_tells_who_is_unknown_and_what_the_events_start(agent: Agent) -> None:
    rows = [{"customer_id": "u_1001", "plan": "x"}, {"customer_id": "u_none", "plan": "x"}]
    customers_ = await agent.call("identify_customers", rows=rows, dry_run=True)
    passed = await agent.call("identify_customers", rows=rows, dry_run=True, update_only=True)
    named = [row | {"name": "order_completed"} for row in rows]
    events = await agent.call("track_events", rows=named, dry_run=True)

    assert '1 of 2 customers are unknown and will be created: row 2, as "u_none"' in customers_["sets_off"]
    assert any("are skipped (update_only): row 2" in told for told in passed["sets_off"])
    assert any("unknown and will be created: row 2" in told for told in events["sets_off"])


async def test_near_duplicates_and_dates_in_several_spellings_are_told_with_their_rows(agent: Agent) -> None:
    csv = (
        "customer_id,plan,Day\n1,Pro,2026-01-31\n2,pro,31.01.2026\n3, PRO ,31 Jan 2026\n"
        "4,free,2026-02-01\n5,pro,\n"
    )

    odd = (await agent.call("identify_customers", csv=csv, dry_run=True))["checked"]["odd"]

    assert (
        "plan: values differ only in case or blanks: Pro (row 2) and PRO (row 4) and pro (rows 3, 6)" in odd
    )
    assert any(
        "Day is in several spellings of dates" in note
        and "2026-01-31 (rows 2, 5)" in note
        and "31 Jan 2026 (row 4)" in note
        for note in odd
    )


async def test_the_audit_log_says_whom_and_how_many_a_call_of_many_rows_is_about(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with an_agent(audit_log=str(path)) as agent:
        await agent.call("identify_customers", rows=[*customers(3), {"plan": "x"}])
        await agent.call("identify_customer", customer_id="c2")

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    many, end, one, _ = lines
    assert (many["rows"], len(many["about"])) == (4, 3)
    assert set(one["about"]) < set(many["about"])
    assert (end["accepted"], end["refused"]) == (3, 1)

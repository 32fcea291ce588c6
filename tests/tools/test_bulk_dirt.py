"""Dirty rows in one call: read as their writer meant them, or told with what to do."""

import json
from typing import Any

import pytest

from tests.agent import Agent, an_agent
from tests.tools.test_bulk import batches

pytestmark = pytest.mark.anyio

GERMAN = (
    "Kundennr;Mail;Name;Seit;Plan;Umsatz;Brief\n"
    "7001;ann@example.com;Ann;20.05.2026;PRO;1.629,88;ja\n"
    "7002;bob @example.com;Bob;31.02.2026;pro;12,50;nein\n"
    '7003;cy@example.com;"=HYPERLINK(""http://x"")";2026-03-04;free;7;ja\n'
    "007004;;Dee;01.06.2026;Free;0,00;nein\n"
    "7003;cy@example.com;Cy;04.03.2026;free;7;ja\n"
)
NAMES = {"Kundennr": "customer_id", "Mail": "email"}
MEANT = NAMES | {
    "Seit": "created_at:date(dayfirst)",
    "Umsatz": "umsatz:number(comma)",
    "Brief": ":boolean",
}


async def test_a_german_table_is_read_as_it_is_by_what_is_told_of_its_columns(agent: Agent) -> None:
    answer = await agent.call("identify_customers", csv=GERMAN, columns=MEANT, timezone="Europe/Berlin")

    assert (answer["accepted"], answer["refused"]) == (4, 1)
    assert answer["refusals"][0]["reason"] == "Seit: '31.02.2026' is not a complete date"
    first, *_ = batches(agent)[0]
    assert first["attributes"] == {
        "email": "ann@example.com",
        "created_at": 1779228000,  # midnight in Berlin
        "Name": "Ann",
        "Plan": "PRO",
        "umsatz": 1629.88,
        "Brief": True,
    }


async def test_one_dry_run_tells_every_fault_and_oddity_though_each_row_has_another_fault(
    agent: Agent,
) -> None:
    checked = (
        await agent.call(
            "identify_customers", csv=GERMAN, columns=NAMES | {"Seit": "created_at"}, dry_run=True
        )
    )["checked"]

    odd = " | ".join(checked["odd"])
    assert (checked["operations"], checked["refused"]) == (1, 4)
    for words in (
        "email: no email can be sent to this address (row 3)",
        "1 customer has several rows, merged in their order: rows 4, 6",
        "Plan: values differ only in case or blanks: PRO (row 2) and pro (row 3), Free (row 5) and free",
        "Umsatz: numbers are sent as text (7, 0,00, 12,50; rows 2-6); "
        '"Umsatz:number(comma)" in columns reads them',
        '"Brief:boolean" in columns reads them',
        "customer_id: only some have leading zeros, which count: 007004 (row 5)",
        "Name: a formula is sent as text, not computed (row 4)",
        "Name: links lead to x (row 4)",
    ):
        assert words in odd
    assert '20.05.2026 is read with "Seit": "created_at:date(dayfirst)" in columns' in checked["next"]
    assert checked["numbered"] == "Rows are numbered as the lines of the CSV; its header is line 1."


async def test_all_faults_of_a_row_are_told_at_once(agent: Agent) -> None:
    row = {"customer_id": "a\nb", "email": "two\nlines", "Seit": "soon", "anonymous_id": "v" * 151}

    await agent.fail("identify_customers", rows=[row], columns={"Seit": "created_at:date(dayfirst)"})
    (told,) = (await agent.call("list_row_results", results=agent.facts["results"]))["rows"]

    assert [reason.partition(":")[0] for reason in told["reasons"]] == [
        *("customer_id", "email", "Seit", "anonymous_id")
    ]


async def test_a_column_of_json_for_the_rest_and_other_columns_go_together(agent: Agent) -> None:
    csv = 'customer_id,attributes,plan\n1,"{""city"": ""Bonn"", ""at"": ""14.03.2026""}",pro\n2,none,free\n'

    told = await agent.call("identify_customers", csv=csv)

    assert batches(agent)[0][0]["attributes"] == {"city": "Bonn", "at": "14.03.2026", "plan": "pro"}
    assert [(one["rows"], one["reason"]) for one in told["refusals"]] == [
        ("3", "attributes: must be a JSON object")
    ]
    assert sum("attributes.at: this is a date" in note for note in told["notes"]) == 1


async def test_what_a_row_leaves_null_is_as_the_call_says(agent: Agent) -> None:
    row = {"customer_id": "1", "id_type": None, "name": None}

    await agent.call("track_events", rows=[row], id_type="cio_id", name="order")

    assert batches(agent)[0][0]["identifiers"] == {"cio_id": "1"}
    assert batches(agent)[0][0]["name"] == "order"


@pytest.mark.parametrize("blank", [None, "", "  "])
async def test_a_row_that_leaves_its_id_type_blank_names_its_customer_as_the_call_says(
    agent: Agent, blank: str | None
) -> None:
    rows = [{"id_type": blank, "email": "a@example.com", "n": 1}, {"id_type": blank, "n": 2}]

    told = await agent.call("track_events", rows=rows, id_type="email", name="order")

    (event,) = batches(agent)[0]
    assert (event["identifiers"], event["attributes"]) == ({"email": "a@example.com"}, {"n": 1})
    assert [(one["rows"], one["reason"]) for one in told["refusals"]] == [("2", "customer_id: is required")]


async def test_zeros_with_a_sign_are_read_as_they_are_written(agent: Agent) -> None:
    rows = [{"customer_id": "a", "t": 0.0}, {"customer_id": "b", "t": -0.0}]

    await agent.call("identify_customers", rows=rows, columns={"t": ":text"})

    assert [one["attributes"]["t"] for one in batches(agent)[0]] == ["0.0", "-0.0"]


async def test_a_wrong_id_is_told_and_another_column_never_names_the_customer_instead(agent: Agent) -> None:
    row = {"Kunde": "soon", "email": "a@example.com"}

    text = await agent.fail(
        "identify_customers", rows=[row], id_type="email", columns={"Kunde": "customer_id:number"}
    )

    assert text.count("row 1:") == 1
    assert "Kunde: 'soon' is not a number" in text


@pytest.mark.parametrize("tool", ["identify_customers", "track_events"])
async def test_a_dry_run_of_rows_that_are_all_wrong_is_a_preview_of_nothing(tool: str) -> None:
    async with an_agent(confirm="preview", confirm_also="bulk") as agent:
        preview = await agent.call(tool, csv="name,plan\na,\nb,x\n", dry_run=True)

        assert preview["would"] == "Nothing: every row is refused."
        assert preview["checked"]["refusals"] == [
            {"reason": "customer_id: is required", "count": 2, "rows": "2-3"}
        ]
        assert preview["request"]["body"] == {"batch": []}
        assert not {"confirmation", "next", "sets_off"} & preview.keys()
        text = await agent.fail(tool, csv="name,plan\na,\nb,x\n")
        assert "rows 2-3: customer_id: is required" in text
        assert "numbered as the lines" in text
        assert agent.sent == []


async def test_the_same_oddities_are_told_without_columns_of_a_table(agent: Agent) -> None:
    rows = [
        {"customer_id": "1", "email": "a@example.com", "sum": "1,234.50", "vip": "Oui", "day": "3/14/2026"},
        {"customer_id": "2", "email": "b@example.com", "sum": "7.25", "vip": "non", "day": "1/2/2026"},
        {"customer_id": "3", "sum": "1", "vip": "non", "day": "1/2/2026"},
    ]

    told = await agent.call("identify_customers", rows=rows, dry_run=True)
    columns = {"sum": ":number(point)", "vip": ":boolean", "day": ":date(monthfirst)"}
    await agent.call("identify_customers", rows=rows, columns=columns)

    odd = " | ".join(told["checked"]["odd"])
    for words in (
        '"sum:number(point)"',
        '"vip:boolean"',
        '"day:date(dayfirst)"',
        "1 customer with no email: row 3",
    ):
        assert words in odd
    assert told["checked"]["numbered"] == "Rows are numbered from 1."
    assert batches(agent)[0][0]["attributes"] == {
        "email": "a@example.com",
        "sum": 1234.5,
        "vip": True,
        "day": 1773446400,
    }


@pytest.mark.parametrize(
    ("meaning", "cell", "value"),
    [
        (":number", "12.5", 12.5),
        (":number", "1,5", "is not a number; number(comma) and number(point) read separators"),
        (":number(comma)", "1 234,5", 1234.5),
        (":number(comma)", "1\u202f234", 1234),
        (":number(comma)", "-0,5", -0.5),
        (":number(comma)", "1629.88", "is not a number with a decimal comma"),
        (":number(comma)", "01,5", "is not a number with a decimal comma"),
        (":number(point)", "1'234'567.25", 1234567.25),
        (":number(point)", "1,23.5", "is not a number with a decimal point"),
        (":boolean", "Nein", False),
        (":boolean", "vielleicht", "is neither true nor false"),
        (":text", "007 ", "007"),
        (":json", '["a"]', ["a"]),
        (":date(dayfirst)", "20.05.26 9:05", 1779267900),
        (":date(dayfirst)", "2026/05/20", 1779235200),
        (":date(monthfirst)", "5/20/2026 09:05:10 +02:00", 1779260710),
        (":date(yearfirst)", "26-05-20", 1779235200),
        (":date(yearfirst)", "202/05/20", "is not a complete date"),
        (":date(dayfirst)", "2026-2-1", 1769904000),
        (":date(dayfirst)", "1/2/2026 5:00 PM", 1769965200),
        (":date(monthfirst)", "13/01/2026 5:00 PM", "is not a complete date"),
        (":date(monthfirst)", "13 01 2026", "is not a complete date"),
        (":date(dayfirst)", "3 Mar 75", 163036800),
        (":date(dayfirst)", "Tue 3 Mar 2026 10:30", 1772533800),
        (":date(dayfirst,Europe/Berlin)", "20.05.2026", 1779228000),
        (":date(dayfirst)", "05/20/2026", "is not a complete date"),
        (
            ":date",
            "20.05.2026",
            "must have its order of day and month stated: date(dayfirst) or date(monthfirst)",
        ),
        (":date", "2026-05-20T00:00+02:00", 1779228000),
        ("utm:as_is", "x", "x"),
    ],
)
async def test_a_cell_is_read_as_its_column_is_told(
    agent: Agent, meaning: str, cell: str, value: Any
) -> None:
    csv = f'customer_id;x\n1;"{cell.replace(chr(34), chr(34) * 2)}"\n2;\n'

    answer = await agent.call("identify_customers", csv=csv, columns={"x": meaning})

    if isinstance(value, str) and value.startswith(("is ", "must ", "needs ")):
        assert answer["accepted"] == 1
        assert value in answer["refusals"][0]["reason"]
        assert repr(cell) in answer["refusals"][0]["reason"]
    else:
        name = meaning.partition(":")[0] or "x"
        assert batches(agent)[0][0]["attributes"] == {name: value}
        assert batches(agent)[0][1]["attributes"] == {}, "a blank cell changes nothing"


@pytest.mark.parametrize(
    ("meaning", "cell", "value"),
    [
        (":date", 1769904000, 1769904000),
        (":date(dayfirst)", 1769904000000, "is in milliseconds"),
        (":date", 45678, "in the year 1970"),
        (":date", True, "must be ISO 8601"),
        (":number(comma)", 1.5, 1.5),
        (":number", True, "is not a number"),
        (":number", [1], "is not a number"),
        (":boolean", 1, True),
        (":boolean", 2, "is neither true nor false"),
        (":text", True, "true"),
        (":text", {"a": 1}, '{"a": 1}'),
        (":json", {"a": 1}, {"a": 1}),
        (":text", None, None),
    ],
)
async def test_values_that_are_no_texts_are_read_as_their_column_is_told_too(
    agent: Agent, meaning: str, cell: Any, value: Any
) -> None:
    rows = [{"customer_id": "1", "x": cell}, {"customer_id": "2"}]

    answer = await agent.call("identify_customers", rows=rows, columns={"x": meaning})

    if isinstance(value, str) and value.startswith(("is ", "in ", "must ")):
        assert value in answer["refusals"][0]["reason"]
    else:
        found = batches(agent)[0][0]["attributes"]
        assert (found, type(found["x"])) == ({"x": value}, type(value))


@pytest.mark.parametrize(
    ("cells", "sent", "told"),
    [
        (
            ("1.234", "2.500", "7"),
            [1.234, 2.5, 7],
            "x: 1.234 and similar cells are sent with decimals (rows 2-3)",
        ),
        (
            ("1,234", "-2,500", "7"),
            ["1,234", "-2,500", "7"],
            "x: 1,234 and similar cells are sent as text (rows 2-3)",
        ),
        (("1.234", "2.345", "1.234.567"), ["1.234", "2.345", "1.234.567"], '"x:number(comma)" in columns'),
        (("1.234", "2.345", "2.5"), [1.234, 2.345, 2.5], None),
        (("1.234", "2.345", "12,50"), ["1.234", "2.345", "12,50"], '"x:number(comma)" in columns'),
    ],
)
async def test_numbers_that_can_be_read_in_two_ways_are_told(
    agent: Agent, cells: tuple[str, ...], sent: list[Any], told: str | None
) -> None:
    csv = "customer_id;x\n" + "".join(f"{number};{cell}\n" for number, cell in enumerate(cells))

    answer = await agent.call("identify_customers", csv=csv, dry_run=True)

    odd = answer["checked"].get("odd", [])
    assert odd == [] if told is None else any(told in note for note in odd)
    await agent.call("identify_customers", csv=csv)
    assert [one["attributes"]["x"] for one in batches(agent)[0]] == sent


@pytest.mark.parametrize(
    "meaning",
    [
        *(":colour", "x:datum(dayfirst)", "x:date(dayfirst,Mars)", ":number(semicolon)"),
        *("x:date(dayfirst", "x: date dayfirst", "a:b c", ":"),
    ],
)
async def test_a_column_that_is_told_wrongly_is_refused_with_the_kinds(agent: Agent, meaning: str) -> None:
    text = await agent.fail("identify_customers", csv="customer_id,x\n1,2\n", columns={"x": meaning})

    assert "columns: x: the kinds are text, number, boolean, date, json" in text
    assert agent.sent == []


@pytest.mark.parametrize(
    ("tool", "required", "other"),
    [
        ("identify_customers", "customer_id", {}),
        ("track_events", "name", {"customer_id": "c1"}),
        ("set_objects", "object_id", {"object_type_id": 1}),
    ],
)
async def test_a_row_with_a_blank_cell_for_what_is_required_is_refused_alone(
    agent: Agent, tool: str, required: str, other: dict[str, Any]
) -> None:
    rows = [{required: "a", **other}, {required: " ", **other}]
    answer = await agent.call(tool, rows=rows, columns={required: f"{required}:text"})

    assert [len(batch) for batch in batches(agent)] == [1]
    assert answer["refusals"] == [{"reason": f"{required}: is required", "count": 1, "rows": "2"}]


@pytest.mark.parametrize("meaning", ["n: number(comma)", " n :number (comma) ", "n:number( comma )"])
async def test_blanks_in_what_a_column_means_change_nothing(agent: Agent, meaning: str) -> None:
    await agent.call("identify_customers", csv='customer_id,x\na,"1,5"\n', columns={"x": meaning})

    assert batches(agent)[0][0]["attributes"] == {"n": 1.5}


async def test_a_local_time_that_occurs_twice_says_how_to_choose(agent: Agent) -> None:
    csv = "who,when\na,25.10.2026 02:30\nb,25.10.2026 02:30 +01:00\n"
    columns = {"who": "customer_id", "when": "timestamp:date(dayfirst)"}
    call = {"csv": csv, "columns": columns, "name": "order", "timezone": "Europe/Berlin"}

    preview = await agent.call("track_events", **call, dry_run=True)
    await agent.call("track_events", **call)

    (note,) = [note for note in preview["checked"]["odd"] if "occurs twice" in note]
    assert note.endswith("(row 2)")
    assert "give an offset, such as +01:00, to choose, before it is sent" in note
    assert [one["timestamp"] for one in batches(agent)[0]] == [1792888200, 1792891800]


async def test_a_preview_shows_two_requests_of_many_and_the_odd_ones_first(agent: Agent) -> None:
    rows: list[dict[str, Any]] = [{"customer_id": f"c{n}", "email": f"c{n}@example.com"} for n in range(40)]
    rows[17]["email"] = "nobody@"
    rows[30]["note"] = "=1+1"

    preview = await agent.call("identify_customers", rows=rows, dry_run=True)

    *shown, more = preview["request"]["body"]["batch"]
    assert [one["identifiers"]["id"] for one in shown] == ["c17", "c30"]
    assert more == "… and 38 more"
    assert preview["would"] == "Create or update 40 customers."
    assert "links" not in preview
    assert len(json.dumps(preview)) < 2500

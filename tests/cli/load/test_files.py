"""Files as they come: whatever is in them, each row is accepted or rejected with a reason that names it."""

import csv
import gzip
import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cio_mcp.cli import main
from cio_mcp.cli.load.journal import only_here
from cio_mcp.cli.load.source import LoadFile

Loading = Callable[..., tuple[int, str]]


@pytest.fixture
def loading(folder: Path, capsys: pytest.CaptureFixture[str]) -> Loading:
    """Provide a function that loads a file of this content; returns the exit status and what was told."""

    def load(content: str | bytes, *options: str, name: str = "rows.csv") -> tuple[int, str]:
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
        status = main(["load", name, *options])
        return status, capsys.readouterr().err

    return load


def people(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the attributes of those who were loaded, by id."""
    if not (folder / "sandbox.sqlite").exists():
        return {}
    db = sqlite3.connect(folder / "sandbox.sqlite")
    found = db.execute(
        "SELECT id, email, attributes FROM people WHERE id NOT LIKE 'u\\_%' ESCAPE '\\'"
    ).fetchall()
    db.close()
    return {str(id_): {"email": email} | json.loads(attributes) for id_, email, attributes in found if id_}


def rejected(folder: Path, name: str = "rows.csv.rejected.csv") -> list[dict[str, str]]:
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


TABLE = "customer_id,email,plan,seats\na1,a1@example.com,pro,5\na2,a2@example.com,free,7\n"

ROWS = list(csv.DictReader(io.StringIO(TABLE)))


@pytest.mark.repeating
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", TABLE.encode()),
        ("rows.tsv", TABLE.replace(",", "\t").encode()),
        ("rows.csv", TABLE.replace(",", ";").replace("\n", "\r\n").encode("utf-8-sig")),
        ("rows.txt", TABLE.replace(",", "|").encode("utf-16")),
        ("rows.csv", TABLE.encode("utf-16-le")),
        ("rows.csv", TABLE.encode("utf-16-be")),
        ("rows.csv", ("\n\n" + TABLE.replace("\n", "\n\n")).encode()),
        ("rows.csv.gz", gzip.compress(TABLE.encode(), mtime=0)),
        ("rows.csv", gzip.compress(TABLE.encode(), mtime=0)),
        ("rows.json", json.dumps(ROWS, indent=1).encode()),
        ("rows.ndjson", "\n\n".join(map(json.dumps, ROWS)).encode()),
        ("rows.jsonl.gz", gzip.compress("\n".join(map(json.dumps, ROWS)).encode())),
        ("rows", json.dumps(ROWS).encode("utf-8-sig")),
    ],
)
def test_every_form_of_file_is_read_alike(folder: Path, loading: Loading, name: str, content: bytes) -> None:
    status, told = loading(content, "--yes", name=name)

    assert status == 0, told
    assert "2 accepted" in told
    assert people(folder)["a2"] == {"email": "a2@example.com", "plan": "free", "seats": 7}


def test_what_is_guessed_is_shown_and_nothing_is_sent_before_it_is_accepted(
    folder: Path, loading: Loading
) -> None:
    german = "Kundennummer;E-Mail;Angemeldet am;Sitze;Aktiv\n7;e@example.com;31.03.2026 09:30;5;true\n"

    status, told = loading(german, "--timezone", "Europe/Berlin")

    assert status == 2
    assert "Kundennummer   ->  customer_id  (guessed)" in told
    assert "created_at:date(dayfirst, Europe/Berlin)  (guessed)" in told
    assert "31.03.2026 09:30 is 2026-03-31T07:30:00Z" in told
    assert people(folder) == {}
    assert not (folder / "rows.csv.journal").exists()

    assert loading(german, "--timezone", "Europe/Berlin", "--yes")[0] == 0
    assert people(folder)["7"] == {
        "email": "e@example.com",
        "created_at": 1774942200,
        "Sitze": 5,
        "Aktiv": True,
    }


def test_columns_mean_what_map_says_and_then_nothing_is_asked(folder: Path, loading: Loading) -> None:
    status, told = loading(
        'Nr,Sign up=x,Zip,Tags,secret,ok\n1,3/4/2026,1067,"[1, 2]",x,yes\n',
        *("--map", "Nr=customer_id", "--map", "Sign up=x=created_at:date(monthfirst,America/New_York)"),
        *("--map", "Zip=postal code:text", "--map", "Tags=tags:json", "--map", "secret=-"),
        *("--map", "ok=ok:boolean"),
    )

    assert status == 0, told
    assert people(folder)["1"] == {
        "email": None,
        "created_at": 1772600400,
        "postal code": "1067",
        "tags": [1, 2],
        "ok": True,
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--map", "x"), "write it as"),
        (("--map", "plan=x:colour"), "the kinds are"),
        (("--map", "plan=x:date(dayfirst,Nowhere/City)"), "the kinds are"),
        (("--map", "none=x"), "there is no column none"),
        (("--format", "json"), "not a JSON list"),
        (("--journal", "."), "directory"),
        (("--encoding", "foo"), "--encoding foo: it is not a known text encoding"),
        (("--encoding", "rot13"), "--encoding rot13: it is not a known text encoding"),
        (("--encoding", "undefined"), "it is not a known text encoding"),
        (("--delimiter", "||"), "--delimiter '||': must be one character"),
        (("--delimiter", '"'), "must be one character"),
        (("--timezone", "Nowhere/City"), "Nowhere"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read_on(
    folder: Path, loading: Loading, options: tuple[str, ...], words: str
) -> None:
    status, told = loading(TABLE, "--yes", *options)

    assert (status, words in told) == (2, True), told
    assert people(folder) == {}


@pytest.mark.parametrize("kind", ["people", "events"])
def test_a_table_in_which_nothing_names_the_customer_is_refused_with_the_way_out(
    loading: Loading, kind: str
) -> None:
    table = "Email,plan\na1@example.com,pro\n"
    more = ("--as", kind, "--name", "bought", "--yes")
    status, told = loading(table, *more)
    by_email, _ = loading(table, *more, "--id-type", "email")
    user = table.replace("Email", "User")
    mapped, _ = loading(user, *more, "--map", "User=customer_id", name="users.csv")

    assert (status, by_email, mapped) == (2, 0, 0)
    assert "no column names the customer; use --map COLUMN=customer_id, or --id-type email" in told


def test_dates_whose_order_is_unclear_are_not_guessed(loading: Loading) -> None:
    status, told = loading("customer_id,created at\n1,03/04/2026\n2,05/06/2026\n", "--yes")

    assert status == 2
    assert "it is unclear how 03/04/2026 is read" in told
    assert "--map" in told


DATES = {
    "31.12.2025": "2025-12-31T00:00:00",
    "31.12.25 9:30": "2025-12-31T09:30:00",
    "31/12/2025 09:30:15": "2025-12-31T09:30:15",
    "Wed, 31 Dec 2025 10:00 +0100": "2025-12-31T09:00:00",
    "31 December 2025": "2025-12-31T00:00:00",
    "2025-12-31T09:30Z": "2025-12-31T09:30:00",
    "12/2025": "",
    "December": "",
    "31.02.2025": "",
    "soon": "",
    "=TODAY()": "",
    "31.12.2025 25:00": "",
}


def test_dates_in_many_spellings_are_read_whole_or_rejected(folder: Path, loading: Loading) -> None:
    rows = "".join(f'{number},"{date}"\n' for number, date in enumerate(DATES))
    status, told = loading(f"customer_id,since\n{rows}", "--yes", "--map", "since=created_at:date(dayfirst)")

    assert status == 1, told
    db = sqlite3.connect(folder / "sandbox.sqlite")
    read = {
        id_: db.execute(
            "SELECT strftime('%Y-%m-%dT%H:%M:%S', ?, 'unixepoch')", [found["created_at"]]
        ).fetchone()[0]
        for id_, found in people(folder).items()
    }
    db.close()
    assert read == {str(number): meant for number, meant in enumerate(DATES.values()) if meant}
    reasons = {row["since"]: row["cio_mcp_reason"] for row in rejected(folder)}
    assert reasons.keys() == {date for date, meant in DATES.items() if not meant}
    assert "since: '31.02.2025' is not a complete date" in reasons["31.02.2025"]


DIRT = (
    b"customer_id,email,note,created_at\r\n"
    b"g1,g1@example.com,fine,2026-01-31\r\n"
    b"\r\n"
    b",,,\r\n"
    b"b1,two@example.com,too few\r\n"
    b"b2,x@example.com,too,2026-01-31,many\r\n"
    b"b3,x@example.com,Zo\xeb,2026-01-31\r\n"
    b"b4,x@example.com,when,31.13.2026\r\n"
    b'g2,,"a ""quoted""\r\nline, with comma",2026-02-31T\r\n'
    b'b5,"x"y,z,2026-01-31\r\n'
    b"g3,g3@example.com,=HYPERLINK(1),2026-01-31 10:00\r\n"
    b"b6," + b"x" * 200 + b"@example.com,long id," + b"2026-01-31\r\n"
    b"b7,x@example.com," + b"h" * 1200 + b",2026-01-31\r\n"
    b"cio_8,x@example.com,looks like a cio_id,2026-01-31\r\n"
    b",x@example.com,nobody,2026-01-31\r\n"
    b"g4,g4@example.com,\xf0\x9f\x8e\x89,1769817600\r\n"
    b'b9,x@example.com,"never closed,2026-01-31\r\n'
    b"b10,x@example.com,swallowed,2026-01-31\r\n"
)


def test_dirt_stops_nothing_and_each_reason_names_its_row(folder: Path, loading: Loading) -> None:
    status, told = loading(DIRT, "--yes", "--encoding", "utf-8")

    assert status == 1, told
    assert people(folder).keys() == {"g1", "g3", "g4", "b6"}
    reasons = [row["cio_mcp_reason"] for row in rejected(folder)]
    for number, words in {
        5: "has 3 cells; the header has 4",
        6: "has 5 cells; the header has 4; more cells: ['many']",
        7: "is not in the file's encoding",
        8: "created_at: '31.13.2026'",
        9: "created_at: '2026-02-31T'",
        11: "not CSV",
        14: "note: a value must have at most 1000 bytes",
        15: "starts with cio_",
        16: "customer_id: is required",
        18: "lines 18 to 19 are not CSV",
    }.items():
        assert any(f"row {number}: " in reason and words in reason for reason in reasons), (number, reasons)
    assert len(reasons) == 10


def test_rejected_rows_can_be_mended_and_loaded_again(folder: Path, loading: Loading) -> None:
    loading('customer_id,seats,plan\n1,5,pro\n2,6,"a, b"\n,7,free\n', "--yes")
    broken = (folder / "rows.csv.rejected.csv").read_text()

    status, told = loading(broken.replace("\n,7", "\n3,7"), "--yes", name="mended.csv")

    assert status == 0, told
    assert people(folder)["3"]["plan"] == "free"
    assert "cio_mcp_reason  ->  -" in told


def test_a_dry_run_reads_all_rows_and_sends_and_leaves_nothing(folder: Path, loading: Loading) -> None:
    status, told = loading(TABLE + ",x@example.com,,\n", "--dry-run")

    assert status == 1
    assert "2 right, 1 rejected" in told
    assert "1 x customer_id: is required" in told
    assert people(folder) == {}
    assert {path.name for path in folder.glob("rows*")} == {"rows.csv"}


def test_rows_are_told_by_their_lines_in_the_file(loading: Loading) -> None:
    table = "customer_id,name,n,plan\n\na,order,1,Pro\n\n,order,2,\nb,order,3,pro\na,order,1,x\n"

    status, told = loading(table, "--as", "events", "--unique", "n", "--dry-run")

    assert status == 1
    assert "plan: values differ only in case or blanks: Pro (row 3) and pro (row 6)" in told
    assert "has the same unique values as row 3, and other values differ" in told


def test_a_file_is_loaded_once_unless_it_is_asked_again(folder: Path, loading: Loading) -> None:
    events = "customer_id,name,n\nv1,order,1\nv1,order,1\nv2,order,2\n"
    assert loading(events, "--yes", "--as", "events")[0] == 0
    assert "loaded already" in loading(events, "--yes", "--as", "events")[1]
    assert loading(events, "--yes", "--as", "events", "--again")[0] == 0
    assert "an earlier version of the file" in loading(events + "v3,order,3\n", "--yes", "--as", "events")[1]

    db = sqlite3.connect(folder / "sandbox.sqlite")
    (count,) = db.execute("SELECT count(*) FROM events WHERE name = 'order'").fetchone()
    db.close()
    assert count == 3


def test_the_same_rows_are_other_events_under_another_name_and_in_another_file(
    folder: Path, loading: Loading
) -> None:
    rows = "customer_id,plan\n1,pro\n2,pro\n"
    for file, name in (("mon.csv", "invited"), ("tue.csv", "invited"), ("wed.csv", "reminded")):
        assert loading(rows, "--yes", "--as", "events", "--name", name, name=file)[0] == 0

    db = sqlite3.connect(folder / "sandbox.sqlite")
    found = db.execute("SELECT name, count(*) FROM events WHERE name LIKE '%ed' GROUP BY name").fetchall()
    db.close()
    assert {"invited": 4, "reminded": 2}.items() <= dict(found).items()


@pytest.mark.parametrize("content", [b"", b"\n\n", b"customer_id,plan\n", b"[]", b"\x1f\x8bbroken"])
def test_a_file_without_rows_is_told_apart_from_one_that_is_loaded(loading: Loading, content: bytes) -> None:
    status, told = loading(content, "--yes")

    assert status == 2
    assert "cio-mcp: rows.csv" in told


def test_a_file_that_ends_in_its_middle_is_loaded_as_far_as_it_goes_and_that_is_told(
    folder: Path, loading: Loading
) -> None:
    rows = "".join(f"c{number},{number * 7919 % 10007}\n" for number in range(4000))
    packed = gzip.compress(f"customer_id,x\n{rows}".encode())

    status, told = loading(packed[: len(packed) // 2], "--yes", name="rows.csv.gz")

    assert status == 1
    assert "the file is cut off here" in told
    assert len(people(folder)) > 500


def test_two_loads_of_one_file_at_once_are_one_too_many(folder: Path, loading: Loading) -> None:
    with only_here(folder / "rows.csv.journal"):
        status, told = loading(TABLE, "--yes")
        assert status == 2
        assert "another cio-mcp load of it is running" in told
        assert loading(TABLE, "--dry-run")[0] == 0

    assert people(folder) == {}
    assert loading(TABLE, "--yes")[0] == 0
    assert {path.name for path in folder.glob("rows*")} == {"rows.csv", "rows.csv.journal"}


def test_what_json_cannot_hold_is_rejected_with_its_row(folder: Path, loading: Loading) -> None:
    deep = "[" * 150 + "]" * 150
    rows = [
        '{"customer_id": "g"}',
        '{"customer_id": "a", "x": NaN}',
        f'{{"customer_id": "b", "x": {deep}}}',
        '{"customer_id": "c", "x": "\\ud800"}',
        '{"customer_id": "d", "\\ud800": "x"}',
    ]

    status, told = loading("\n".join(rows), "--yes", name="rows.ndjson")
    assert status == 1, told
    table = f'customer_id,x\nh,"[1]"\ni,"{deep}"\nj,"[NaN]"\n'
    status, told = loading(table, "--yes", "--map", "x=x:json")

    assert status == 1, told
    assert people(folder).keys() == {"g", "h"}
    assert "1 x x: '[[[" in told
    assert "is nested too deeply" in told
    assert "1 x x: '[NaN]' numbers must be finite" in told


def test_the_most_frequent_of_very_many_reasons_are_told(loading: Loading) -> None:
    rows = [f"c{n},{'?' if n % 2 else f'x{n}'}" for n in range(2400)]

    _, told = loading("customer_id,n\n" + "\n".join(rows), "--yes", "--map", "n=n:number")

    assert "1,200 x n: '?' is not a number" in told
    assert "x others" in told
    assert (
        sum(int(line.split(" x ")[0].replace(",", "")) for line in told.splitlines() if " x " in line) > 1900
    )


def test_stdin_is_read_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(TABLE.encode()))
    monkeypatch.setattr("sys.stdin", stdin)

    assert main(["load", "-", "--yes"]) == 0
    assert "2 accepted" in capsys.readouterr().err
    assert people(folder).keys() == {"a1", "a2"}


def test_numbers_with_a_decimal_comma_and_times_that_occur_twice_are_told_before_anything_is_sent(
    loading: Loading,
) -> None:
    table = "customer_id;name;timestamp;sum\na;order;25.10.2026 02:30;1.234,50\nb;order;25.10.2026 03:30;7\n"

    _, told = loading(table, "--as", "events", "--timezone", "Europe/Berlin", "--dry-run")
    status, _ = loading(table, "--as", "events", "--timezone", "Europe/Berlin", "--yes")

    assert "sum          ->  sum:number(comma)  (guessed)" in told
    assert "occurs twice in Europe/Berlin" in told
    assert "(row 2)" in told
    assert status == 0


def test_two_columns_never_fill_the_same_place(folder: Path, loading: Loading) -> None:
    table = "id,Mail,email\n1,other@example.com,own@example.com\n"

    clash, told = loading(table, "--yes", "--map", "Mail=email")
    assert (clash, people(folder)) == (2, {})
    assert "email: columns Mail and email both hold it; leave one out, as with --map 'email=-'" in told

    assert loading(table, "--yes")[0] == 0
    assert people(folder)["1"] == {"email": "own@example.com", "Mail": "other@example.com"}


def test_a_later_row_with_a_clash_is_rejected(folder: Path, loading: Loading) -> None:
    first = [{"id": str(number), "Mail": f"{number}@example.com"} for number in range(1000)]
    rows = [*first, {"id": "1000", "Mail": "a@example.com", "email": "b@example.com"}]

    status, told = loading(json.dumps(rows), "--yes", name="rows.json")

    assert (status, "1000" in people(folder)) == (1, False)
    assert "email: columns Mail and email both hold it" in told


def test_numbers_that_can_be_read_in_two_ways_are_shown(loading: Loading) -> None:
    _, told = loading("id;a;b;c\n1;1.234;1,234;1.234\n2;2.500;2,500;1.234.567\n", "--dry-run")

    assert "a   ->  a:number  (guessed)  1.234 is 1.234" in told
    assert "b   ->  b  (guessed)  1,234 is '1,234'" in told
    assert "c   ->  c:number(comma)  (guessed)  1.234 is 1234" in told


def test_a_null_is_no_example_of_how_a_column_is_read(loading: Loading) -> None:
    rows = '{"id": "1", "on": null, "at": null}\n{"id": "2", "on": "ja", "at": "2026-04-03"}\n'

    _, told = loading(rows, "--dry-run", "--map", "on=:boolean", "--map", "at=:date", name="rows.ndjson")

    assert "on  ->  on:boolean  ja is true\n" in told
    assert "at  ->  at:date(UTC)  2026-04-03 is 2026-04-03T00:00:00Z\n" in told


def test_lines_above_the_header_are_skipped_and_what_separates_cells_is_told(
    folder: Path, loading: Loading
) -> None:
    table = "Customers, of March\n\nid;Joined;plan\n1;3.4.2026;a\n\n ; ;\n2;14.03.2026 09:15;b\n"

    _, wrong = loading(table, "--yes")
    status, told = loading(
        table, *("--yes", "--skip-rows", "2", "--map", "Joined=created_at:date(dayfirst)", "--again")
    )

    assert "The header was read as ['Customers', 'of March'], separated by commas" in wrong
    assert status == 0, told
    assert people(folder).keys() == {"1", "2"}
    assert "csv, utf-8, as people, separated by semicolons" in told
    assert "3.4.2026 is 2026-04-03T00:00:00Z  14.03.2026 09:15 is 2026-03-14T09:15:00Z" in told
    assert "note: 2 lines are blank and were skipped; the first is line 5" in told
    for name in ("rows.json", "rows.ndjson"):
        status, told = loading("[]", "--yes", "--skip-rows", "1", name=name)
        assert status == 2
        assert "--skip-rows: " in told
    assert loading(table, "--yes", "--skip-rows", "-1")[0] == 2


def test_a_title_of_one_cell_is_shown_as_the_header_that_was_read(loading: Loading) -> None:
    status, told = loading("March\nid,plan\n1,pro\n", "--yes")

    assert status == 2
    assert "The header was read as ['March'], separated by commas; if it is further down, use" in told


def test_a_table_whose_first_rows_are_all_wrong_is_read_by_its_header(folder: Path, loading: Loading) -> None:
    status, told = loading("id,plan\n" + "1,pro,\n" * 1000 + "2,free\n", "--yes")

    assert (status, people(folder)) == (1, {"2": {"email": None, "plan": "free"}}), told
    assert "1,000 x has 3 cells; the header has 2" in told
    assert (folder / "rows.csv.rejected.csv").read_text().startswith("id,plan,cio_mcp_reason\n1,pro,")


@pytest.mark.parametrize("name", ["rows.csv", "rows.ndjson"])
def test_a_line_without_an_end_takes_no_more_memory_than_another_and_is_told(
    folder: Path, loading: Loading, name: str
) -> None:
    first = {"rows.csv": "customer_id,plan\na,pro\n", "rows.ndjson": '{"customer_id": "a", "plan": "pro"}\n'}

    status, told = loading(first[name] + "x" * 10_000_001 + "\nb,free\n", "--yes", name=name)

    assert status == 1, told
    assert people(folder).keys() == {"a"}
    assert "is not read, nor is what follows: a line has more than 10,000,000 characters" in told


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.json", '[{"id": "1"}]'),
        ("rows.ndjson", '{"id": "1", "done": true}\n'),
        ("rows.ndjson", '{"id": "1", "load": {"kg": 5}}\n'),
        ("rows.csv", "id"),
        ("rows.csv", '{"begins"'),
    ],
)
def test_a_file_that_is_no_journal_stays_as_it_is(
    folder: Path, loading: Loading, name: str, content: str
) -> None:
    status, told = loading(content, "--yes", "--journal", name, name=name)

    assert status == 2
    assert f"{name}: line 1 does not belong to a journal of this program" in told
    assert (folder / name).read_text() == content


def test_a_file_that_changes_while_it_is_read_is_told(folder: Path) -> None:
    (folder / "rows.csv").write_text("id,plan\n1,a\n2,b\n")
    still, grows = LoadFile.open(str(folder / "rows.csv")), LoadFile.open(str(folder / "rows.csv"))

    assert [row.fault for row in still.rows()] == ["", ""]
    rows = grows.rows()
    next(rows)
    with (folder / "rows.csv").open("a") as file:
        file.write("3,c\n")
    assert [row.fault.partition(":")[0] for row in rows][-1] == "the file changed while it was read"
    for source in (still, grows):
        source.close()


def test_without_a_stdin_nothing_is_asked_and_nothing_sent(
    folder: Path, loading: Loading, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)

    status, told = loading(TABLE)
    assert status == 2
    assert "--yes accepts the guesses" in told
    assert main(["load", "-", "--yes"]) == 2
    assert "-: stdin is closed" in capsys.readouterr().err
    assert people(folder) == {}

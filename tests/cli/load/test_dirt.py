"""A hundred kinds of dirt: each row is loaded as it was meant, or rejected with a reason that names it."""

import codecs
import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.cli.load.test_files import Loading, loading, people, rejected

__all__ = ["loading"]

OPTIONS = (
    *("--yes", "--encoding", "utf-8", "--timezone", "Europe/Berlin"),
    *("--map", "seats=seats:number", "--map", "since=created_at:date(dayfirst)", "--map", "on=on:boolean"),
)
HEADER = "customer_id,email,plan,seats,since,on\r\n"
DAY = 1774994400  # 2026-04-01 in Berlin


def cell(column: str, value: str | bytes) -> bytes:
    """Return a row with this value in one column; ID stands for its id."""
    data = value if isinstance(value, bytes) else value.encode()
    cells = {"customer_id": b"ID", "email": b"", "plan": b"", "seats": b"", "since": b"", "on": b""}
    return b",".join((cells | {column: data}).values()) + b"\r\n"


def many(column: str, values: dict[str, Any]) -> dict[str, tuple[bytes, Any]]:
    """Return a kind of dirt for each value of a column, and what becomes of it."""
    target = {"since": "created_at"}.get(column, column)
    return {
        f"{column} {value!r}"[:40]: (
            cell(column, value),
            what if isinstance(what, str) else {target: what[0]},
        )
        for value, what in values.items()
    }


# What becomes of a value: itself in a list, or words of the reason.
NO_NUMBER, NEITHER, NO_DATE = "is not a number", "is neither true nor false", "is not a complete date"
KINDS: dict[str, tuple[bytes, Any]] = {
    "plain": (
        b"ID,a@example.com,pro,5,2026-04-01,true\r\n",
        {"email": "a@example.com", "plan": "pro", "seats": 5, "created_at": DAY, "on": True},
    ),
    "all quoted": (b'"ID","b@example.com","pro","5","2026-04-01","true"\r\n', {"seats": 5}),
    "another line end": (b"ID,,pro,,,\n", {"plan": "pro"}),
    "a comma in quotes": (cell("plan", '"a, b"'), {"plan": "a, b"}),
    "quotes in quotes": (cell("plan", '"say ""hi"""'), {"plan": 'say "hi"'}),
    "a quote inside": (cell("plan", '5" disk'), {"plan": '5" disk'}),
    "a line break in quotes": (cell("plan", '"a\nb"'), {"plan": "a\nb"}),
    "a CRLF in quotes": (cell("plan", '"a\r\nb"'), {"plan": "a\r\nb"}),
    "blank lines": (b"\r\n   \r\n" + cell("plan", "after blanks"), {"plan": "after blanks"}),
    "commas alone": (b",,,,,\r\n" + cell("plan", "after commas"), {"plan": "after commas"}),
    "too few cells": (b"ID,x\r\n", "has 2 cells; the header has 6"),
    "one cell": (b"ID\r\n", "has 1 cells; the header has 6"),
    "too many cells": (b"ID,,,,,,more\r\n", "more cells: ['more']"),
    "text behind a quote": (b'"ID"x,,,,,\r\n', "are not CSV"),
    "not of the encoding": (cell("plan", b"Zo\xeb"), "is not in the file's encoding"),
    "half a character": (cell("plan", b"\xf0\x9f"), "is not in the file's encoding"),
    "an overlong NUL": (cell("plan", b"\xc0\x80"), "is not in the file's encoding"),
    "a huge cell": (cell("plan", "x" * 140_000), "field larger than field limit"),
    "no id": (b",c@example.com,,,,\r\n", "customer_id: is required"),
    "a blank id": (b"  ,d@example.com,,,,\r\n", "customer_id: is required"),
    "an id like a cio_id": (b"cio_8,,,,,\r\n", "starts with cio_"),
    "a long id": (b"x" * 151 + b",,,,,\r\n", "at most 150 bytes"),
    "a control character in an id": (b"ID\x07,,,,,\r\n", "control characters"),
    "a line break in an id": (b'"ID\nx",,,,,\r\n', "line breaks"),
    "a NUL in an id": (b"ID\0,,,,,\r\n", "control characters"),
    "the same row twice": (cell("plan", "twice") * 2, {"plan": "twice"}),
    "a row that changes another": (cell("plan", "old") + cell("plan", "new"), {"plan": "new"}),
    "an address for two rows": (cell("email", "e@example.com") + cell("email", "f@example.com"), {}),
    **many(
        "email",
        {
            "g@example.com": ["g@example.com"],
            " h@example.com ": ["h@example.com"],
            "J@Example.COM": ["J@Example.COM"],
            "nobody@": ["nobody@"],
            "no address": ["no address"],
            "mailto:k@example.com": ["mailto:k@example.com"],
            "l@example.com;m@example.com": ["l@example.com;m@example.com"],
            '"n@example.com\nBcc: x@example.com"': "line breaks",
            "o@exämple.com": ["o@exämple.com"],
            "   ": [None],
        },
    ),
    **many(
        "plan",
        {
            "  pro  ": ["pro"],
            "\u00a0pro\u00a0": ["pro"],
            "\tpro": ["pro"],
            "NULL": ["NULL"],
            "N/A": ["N/A"],
            "#REF!": ["#REF!"],
            "=1+1": ["=1+1"],
            "=HYPERLINK(1)": ["=HYPERLINK(1)"],
            "@SUM(1)": ["@SUM(1)"],
            "+49 151": ["+49 151"],
            "-": ["-"],
            "01067": ["01067"],
            "1.2E+11": ["1.2E+11"],
            "🎉": ["🎉"],
            "שלום": ["שלום"],
            "e\u0301": ["e\u0301"],
            "<b>x</b>": ["<b>x</b>"],
            "{{ customer.email }}": ["{{ customer.email }}"],
            "'; DROP TABLE people": ["'; DROP TABLE people"],
            "${HOME}": ["${HOME}"],
            "x" * 1000: ["x" * 1000],
            "x" * 1001: "at most 1000 bytes",
            "ä" * 501: "at most 1000 bytes",
            "\ufdd0": ["\ufdd0"],
            "Ã¤": ["Ã¤"],
            "true": ["true"],
            "5": ["5"],
        },
    ),
    **many(
        "seats",
        {
            "5.50": [5.5],
            " 7 ": [7],
            "-3": [-3],
            "0": [0],
            '"1,000"': NO_NUMBER,
            "1.000.000": NO_NUMBER,
            "1e3": NO_NUMBER,
            "NaN": NO_NUMBER,
            "Infinity": NO_NUMBER,
            "٣": NO_NUMBER,
            "+5": NO_NUMBER,
            "007": NO_NUMBER,
            "12345678901234567890": NO_NUMBER,
            "$5": NO_NUMBER,
            "five": NO_NUMBER,
            "5 %": NO_NUMBER,
            "--": NO_NUMBER,
        },
    ),
    **many(
        "since",
        {
            "01.04.2026": [DAY],
            "1/4/2026": [DAY],
            "1.4.26": [DAY],
            "2026-04-01T00:00:00+02:00": [DAY],
            "1 Apr 2026": [DAY],
            '"Wed, 01 Apr 2026 00:00"': [DAY],
            "2026-03-31T22:00Z": [DAY],
            "1-4-2026": [DAY],
            "31.02.2026": NO_DATE,
            "32.1.2026": NO_DATE,
            "0000-00-00": "must be ISO 8601",
            "4/2026": NO_DATE,
            "2026": NO_DATE,
            "soon": NO_DATE,
            "01.04.2026 25:00": NO_DATE,
            "=TODAY()": NO_DATE,
            "46113": NO_DATE,
            "1.4.": NO_DATE,
            "--.--.----": NO_DATE,
            "29.03.2026 02:30": [1774747800],
        },
    ),
    **many(
        "on",
        {
            "TRUE": [True],
            "yes": [True],
            "1": [True],
            "No": [False],
            "0": [False],
            "ja": [True],
            "on": [True],
            "2": NEITHER,
            "wahr": [True],
        },
    ),
    "a quote that is never closed": (b'ID,"never\r\nz1,,,,,\r\n', "are not CSV"),
}


def test_each_of_a_hundred_kinds_of_dirt_is_loaded_as_meant_or_rejected_with_its_row(
    folder: Path, loading: Loading
) -> None:
    content, begins = HEADER.encode(), {}
    for number, (kind, (rows, _)) in enumerate(KINDS.items()):
        begins[kind] = content.count(b"\n") + 1
        content += rows.replace(b"ID", f"d{number}".encode())

    status, told = loading(content, *OPTIONS)

    assert len(KINDS) >= 100
    assert status == 1, told
    loaded, wrong = people(folder), []
    reasons = {int(row["cio_mcp_reason"].split()[1][:-1]): row["cio_mcp_reason"] for row in rejected(folder)}
    for number, (kind, (_, what)) in enumerate(KINDS.items()):
        person, reason = loaded.pop(f"d{number}", None), reasons.pop(begins[kind], None)
        if isinstance(what, str):
            fits = person is None and what in (reason or "")
        else:
            fits = (
                reason is None
                and person is not None
                and what.items() <= (person | {"email": person["email"]}).items()
            )
        if not fits:
            wrong.append((kind, what, person, reason))
    assert not wrong, "\n".join(map(str, wrong))
    assert (loaded, reasons) == ({}, {})


ROWS = "customer_id,plan\nf1,a\nf2,ü\n"
FILES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "UTF-8": (ROWS.encode(), ()),
    "UTF-8 with a mark": (codecs.BOM_UTF8 + ROWS.encode(), ()),
    "UTF-16": (ROWS.encode("utf-16"), ()),
    "UTF-16, big end first": (codecs.BOM_UTF16_BE + ROWS.encode("utf-16-be"), ()),
    "Windows, told": (ROWS.encode("cp1252"), ("--encoding", "cp1252")),
    "DOS, told": (ROWS.encode("cp850"), ("--encoding", "cp850")),
    "semicolons": (ROWS.replace(",", ";").encode(), ()),
    "tabs": (ROWS.replace(",", "\t").encode(), ()),
    "bars": (ROWS.replace(",", "|").encode(), ()),
    "a delimiter that is told": (ROWS.replace(",", "^").encode(), ("--delimiter", "^")),
    "a spreadsheet's hint": (b"sep=;\r\n" + ROWS.replace(",", ";").encode(), ()),
    "lines of an old Mac": (ROWS.replace("\n", "\r").encode(), ()),
    "lines of Windows": (ROWS.replace("\n", "\r\n").encode(), ()),
    "no end of the last line": (ROWS.rstrip().encode(), ()),
    "blank lines before": (b"\n \n" + ROWS.encode(), ()),
    "blanks around names": (ROWS.replace("customer_id,plan", ' customer_id , "plan"').encode(), ()),
    "a German header": (ROWS.replace("customer_id", "Kundennummer").encode(), ()),
    "a Spanish header": (ROWS.replace("customer_id", "ID cliente").encode(), ()),
    "a header in capitals": (ROWS.replace("customer_id", "CUSTOMER ID").encode(), ()),
    "a column without a name": (
        ROWS.replace("plan\n", "plan,\n").replace("a\n", "a,\n").replace("ü\n", "ü,\n").encode(),
        (),
    ),
    "gzip": (gzip.compress(ROWS.encode()), ()),
    "gzip in two parts": (gzip.compress(ROWS[:20].encode()) + gzip.compress(ROWS[20:].encode()), ()),
}


@pytest.mark.repeating
@pytest.mark.parametrize("kind", FILES)
def test_each_kind_of_file_is_read_as_it_was_meant(folder: Path, loading: Loading, kind: str) -> None:
    content, options = FILES[kind]

    status, told = loading(content, "--yes", *options)

    assert status == 0, told
    assert {who: found["plan"] for who, found in people(folder).items()} == {"f1": "a", "f2": "ü"}

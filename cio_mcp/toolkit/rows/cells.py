"""What is odd about values in rows: several types or notations, and what spreadsheets leave."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cio_mcp.toolkit.answers.quoting import hosts
from cio_mcp.toolkit.arguments.times import utc
from cio_mcp.toolkit.arguments.values import is_date
from cio_mcp.toolkit.rows.checks import Oddity, RowReading
from cio_mcp.toolkit.rows.columns import BOOLEANS, LIKE_NUMBER, Column, decimal_of
from cio_mcp.toolkit.rows.oddities import NAMED, Spelled, some, variants
from cio_mcp.toolkit.rows.ranges import of_rows

# Names of attributes that hold times.
_OF_TIMES = re.compile(
    r"(_at|date|time|datum|since|signe?d?.?up|created|registered|birthday)$", re.IGNORECASE
)

# A time that is the same in every time zone, and so many times that are told as they were read.
_WITH_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)\s*$|^\s*\d{9,}", re.IGNORECASE)
READ = 5

# What spreadsheets leave in cells.
_OF_SPREADSHEETS = {
    "a formula is sent as text, not computed": re.compile(r"=|[@+-]\w+\("),
    "holds an error of a spreadsheet": re.compile(r"#(REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)"),
    "numbers are rounded, as spreadsheets do": re.compile(r"\d([.,]\d+)?E\+\d+$"),
}


def values(seen: Sequence[RowReading], argument: str) -> Iterator[Oddity]:
    """Yield what is odd about attributes or data, which the argument holds, and about cells of any kind."""
    found: defaultdict[str, list[tuple[Any, int]]] = defaultdict(list)
    for one in seen:
        for name, value in (one.arguments.get(argument) or {}).items():
            if value is not None:
                found[name].append((value, one.row.number))
    for name, told in found.items():
        yield from _mixed(name, told)
        yield from variants(told, f"{name}: values")
        yield from _dates(name, told)
        yield from _notations(name, told)
    yield from _cells(seen)


def _dates(name: str, found: list[tuple[Any, int]]) -> Iterator[Oddity]:
    """Yield a note on an attribute that seems to hold times, and has some in another spelling than most.

    As text in any spelling they are no times to Customer.io, which the notes on single values tell.
    """
    if not (_OF_TIMES.search(name) or any(is_date(value) for value, _ in found)):
        return
    spelled: Spelled = defaultdict(list)
    for value, row in found:
        if value != "":
            spelled[spelling(value)].append(row)
    if len(spelled) > 1:
        read = {spelling(value): value for value, _ in reversed(found)}
        told = [f"{read[kind]} ({of_rows(rows)})" for kind, rows in spelled.items()]
        yield Oddity(
            f"{name} is in several spellings of dates, of which segments compare none: {some(told)}; "
            f"{_how(_as_date(name))}",
            [rows[0] for rows in sorted(spelled.values(), key=len)],
        )


def read_times(seen: Iterable[RowReading], timezone: str) -> Iterator[Oddity]:
    """Yield how times were read, the first one of each column and spelling."""
    first: dict[tuple[Column | None, str], str] = {}
    for one in seen:
        for written, at, column in one.times:
            key = column, spelling(written)
            if key not in first and isinstance(written, str):
                order, zone = (column.order, column.zone) if column else ("", "")
                local = "" if _WITH_ZONE.search(written) else zone or timezone
                how = ", ".join(filter(None, (f"row {one.row.number}", order, local)))
                first[key] = f"{written} as {utc(at)} ({how})"
    if first:
        yield Oddity(f"times are read as follows: {some(list(first.values()), READ)}")


def _mixed(name: str, found: list[tuple[Any, int]]) -> Iterator[Oddity]:
    """Yield a note on an attribute whose values are of several types."""
    kinds: defaultdict[str, list[int]] = defaultdict(list)
    for value, row in found:
        kinds[_kind(value)].append(row)
    if len(kinds) > 1:
        rare, rows = min(kinds.items(), key=lambda kind: len(kind[1]))
        yield Oddity(f"{name} is of several types: {', '.join(kinds)}; {rare} in {of_rows(rows)}", rows)


def _notations(name: str, found: list[tuple[Any, int]]) -> Iterator[Oddity]:
    """Yield how texts are read that look like numbers, dates, or yes and no."""
    texts = {value.strip(): row for value, row in reversed(found) if isinstance(value, str) and value.strip()}
    rows = [row for value, row in found if isinstance(value, str)]
    numbers = list(filter(LIKE_NUMBER.fullmatch, texts))
    decimal = decimal_of(numbers) if len(numbers) * 2 > len(texts) else ""
    shown = f"({', '.join(list(texts)[:NAMED])}; {of_rows(rows)})" if texts else ""
    if decimal:
        yield Oddity(f"{name}: numbers are sent as text {shown}; {_how(f'{name}:number({decimal})')}", rows)
    elif {BOOLEANS.get(text.casefold()) for text in texts} == {True, False}:
        yield Oddity(f"{name}: yes and no are sent as text {shown}; {_how(f'{name}:boolean')}", rows)
    elif sum(map(is_date, texts)) * 2 > len(texts) and len(set(map(spelling, texts))) == 1:
        yield Oddity(f"{name}: dates are sent as text {shown}; {_how(_as_date(name))}", rows)


def _as_date(name: str) -> str:
    return f"{name}:date(dayfirst)"


def _how(meaning: str) -> str:
    return f'"{meaning}" in columns reads them'


def _cells(seen: Iterable[RowReading]) -> Iterator[Oddity]:
    """Yield notes on cells that a spreadsheet would compute or has spoilt, and on where links lead."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for one in seen:
        for name, value in one.row.values.items():
            if not isinstance(value, str):
                continue
            for what, form in _OF_SPREADSHEETS.items():
                if form.match(value):
                    found[f"{name}: {what}"].append(one.row.number)
            for host in hosts(value) if "/" in value or "\\" in value or "&" in value else ():
                found[f"{name}: links lead to {host}"].append(one.row.number)
    for what, rows in list(found.items())[: NAMED * NAMED]:
        yield Oddity(f"{what} ({of_rows(rows)})", rows)


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return kinds.get(type(value), "other")


def spelling(value: Any) -> str:
    """Return how a time is spelled: its digits as 0, its words as a."""
    if isinstance(value, (int, float)):
        return "number"
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d{1,2}", "0", str(value)))

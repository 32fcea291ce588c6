"""What is odd about rows that are right: what their writer may not have meant."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cio_mcp.toolkit.rows.checks import Checked
from cio_mcp.toolkit.rows.ranges import ranges
from cio_mcp.toolkit.times import iso
from cio_mcp.toolkit.values import is_date

# Seconds for which an event can start campaigns (automations): older ones only fill in the past.
YOUNG = 72 * 3600

# Names of attributes that hold times.
_OF_TIMES = re.compile(
    r"(_at|date|time|datum|since|signe?d?.?up|created|registered|birthday)$", re.IGNORECASE
)

# What spreadsheets leave in cells.
_OF_SPREADSHEETS = {
    "formulas are sent as text, not computed": re.compile("[=@]"),
    "cells hold an error of a spreadsheet": re.compile(r"#(REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)"),
    "numbers are rounded, as spreadsheets do": re.compile(r"\d([.,]\d+)?E\+\d+$"),
}

# So many names of one kind of oddity are told, and so many times as they were read.
NAMED, READ = 3, 3


def alike(checked: Iterable[Checked], of: Callable[[Checked], Any], what: str) -> Iterator[str]:
    """Yield a note on names that differ in case or blanks alone."""
    spelled: defaultdict[str, _Spelled] = defaultdict(lambda: defaultdict(list))
    for one in checked:
        _note(spelled, of(one), one.row.number)
    near = [_variants(found) for found in spelled.values() if len(found) > 1]
    if near:
        yield f"{len(near)} {what} differ in case or blanks alone: {some(near)}"


def variants(checked: Iterable[Checked], argument: str) -> Iterator[str]:
    """Yield a note on each attribute with values that differ in case or blanks alone."""
    spelled: defaultdict[str, defaultdict[str, _Spelled]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for one in checked:
        for name, value in (one.arguments.get(argument) or {}).items():
            _note(spelled[name], value, one.row.number)
    for name, values in spelled.items():
        if near := [_variants(found) for found in values.values() if len(found) > 1]:
            yield f"{name}: values differ in case or blanks alone: {some(near)}"


# The rows of each spelling of a text.
_Spelled = defaultdict[str, list[int]]


def _note(spelled: Mapping[str, _Spelled], value: Any, row: int) -> None:
    if isinstance(value, str):
        # What is invisible, such as a zero-width space, is as good as a blank.
        folded = "".join(char for char in value if char.isprintable() and not char.isspace()).casefold()
        spelled[folded][value].append(row)


def _variants(found: _Spelled) -> str:
    rare_first = sorted(found.items(), key=lambda spelling: len(spelling[1]))
    return " and ".join(f"{value} (rows {ranges(rows)})" for value, rows in rare_first[:NAMED])


def shared(checked: Iterable[Checked]) -> Iterator[str]:
    """Yield a note on addresses that several customers have."""
    owners: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for one in checked:
        if email := one.arguments.get("email"):
            owners[email.casefold()][one.arguments["customer_id"]] = one.row.number
    several = [
        f"{email} (rows {ranges(list(ids.values()))})" for email, ids in owners.items() if len(ids) > 1
    ]
    if several:
        yield f"{len(several)} addresses have several customers, and only one can have it: {some(several)}"


def dates(checked: Iterable[Checked], argument: str) -> Iterator[str]:
    """Yield a note on each attribute that seems to hold times, and has some in another spelling than most.

    As text in any spelling they are no times to Customer.io, which the notes on single values tell.
    """
    values: defaultdict[str, list[tuple[int, Any]]] = defaultdict(list)
    for one in checked:
        for name, value in (one.arguments.get(argument) or {}).items():
            if value not in (None, ""):
                values[name].append((one.row.number, value))
    for name, found in values.items():
        if not (_OF_TIMES.search(name) or any(is_date(value) for _, value in found)):
            continue
        spelled: _Spelled = defaultdict(list)
        for row, value in found:
            spelled[spelling(value)].append(row)
        if len(spelled) > 1:
            read = {spelling(value): value for _, value in reversed(found)}
            told = [f"{read[kind]} (rows {ranges(rows)})" for kind, rows in spelled.items()]
            yield f"{name} is in several spellings of dates, of which segments compare none: {some(told)}"


def mixed(checked: Iterable[Checked], argument: str) -> Iterator[str]:
    """Yield a note on each attribute whose values are of several types."""
    kinds: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for one in checked:
        for name, value in (one.arguments.get(argument) or {}).items():
            if value is not None:
                kinds[name][_kind(value)].append(one.row.number)
    for name, found in kinds.items():
        if len(found) > 1:
            rare, rows = min(found.items(), key=lambda kind: len(kind[1]))
            yield f"{name} is of several types: {', '.join(found)}; {rare} in rows {ranges(rows)}"


def formulas(checked: Iterable[Checked]) -> Iterator[str]:
    """Yield a note on cells that a spreadsheet would compute, and on those that one has spoilt."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for one in checked:
        for value in one.row.values.values():
            for what, form in _OF_SPREADSHEETS.items():
                if isinstance(value, str) and form.match(value):
                    found[what].append(one.row.number)
    for what, rows in found.items():
        yield f"{what}: rows {ranges(rows)}"


def times(checked: list[Checked]) -> Iterator[str]:
    """Yield how the first times were read."""
    read = [
        f"{one.written[name]} as {at} (row {one.row.number})"
        for one in checked[:READ]
        for name, at in one.times.items()
    ]
    if read:
        yield f"times are read so: {', '.join(read[:READ])}"


def young(checked: list[Checked], now: float) -> Iterator[str]:
    """Yield how many events can start campaigns, and how many lie in the future."""
    at = {one.row.number: one.arguments.get("timestamp") or now for one in checked}
    recent = [row for row, moment in at.items() if moment > now - YOUNG]
    ahead = [row for row, moment in at.items() if moment > now + 60]
    rows = f": rows {ranges(recent)}" if recent else ""
    yield f"{len(recent)} of {len(at)} events are younger than 72 hours and can start automations{rows}"
    if ahead:
        yield f"{len(ahead)} events lie in the future, up to {iso(max(at.values()))}: rows {ranges(ahead)}"


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return kinds.get(type(value), "other")


def spelling(value: Any) -> str:
    """Return how a time is spelled: its digits as 0, its words as a."""
    if isinstance(value, (int, float)):
        return "number"
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d{1,2}", "0", str(value)))


def some(names: list[str]) -> str:
    """Return the first of many names."""
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")

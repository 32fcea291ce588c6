"""What is odd about rows: what their writer may not have meant. Rows that are refused are looked at, too."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cio_mcp.toolkit.arguments.times import iso
from cio_mcp.toolkit.people.automations import YOUNG
from cio_mcp.toolkit.rows.checks import Oddity, RowOperation, RowReading
from cio_mcp.toolkit.rows.columns import OPPOSITE, Meanings
from cio_mcp.toolkit.rows.ranges import counted, of_rows

# So many names of one kind of oddity are told.
NAMED = 3

# The rows of each spelling of a text.
Spelled = defaultdict[str, list[int]]


def alike(seen: Iterable[RowReading], of: Callable[[RowReading], Any], what: str) -> Iterator[Oddity]:
    """Yield a note on names that differ only in case or blanks."""
    yield from variants(((of(one), one.row.number) for one in seen), f"{what}s")


def variants(found: Iterable[tuple[Any, int]], what: str) -> Iterator[Oddity]:
    """Yield a note on texts that differ only in case or blanks."""
    spelled: defaultdict[str, Spelled] = defaultdict(lambda: defaultdict(list))
    for value, row in found:
        if isinstance(value, str):
            # What is invisible, such as a zero-width space, is as good as a blank.
            folded = "".join(char for char in value if char.isprintable() and not char.isspace()).casefold()
            spelled[folded][value].append(row)
    near = [_spellings(one) for one in spelled.values() if len(one) > 1]
    if near:
        rows = [row for each in near for row in each.rows]
        told = some([each.told for each in near])
        yield Oddity(f"{what} differ only in case or blanks: {told}", rows)


def _spellings(spelled: Spelled) -> Oddity:
    rare_first = sorted(spelled.items(), key=lambda spelling: len(spelling[1]))
    told = " and ".join(f"{value} ({of_rows(rows)})" for value, rows in rare_first[:NAMED])
    return Oddity(told, [rows[0] for _, rows in rare_first])


def repeated(seen: Iterable[RowReading], late: list[RowOperation]) -> Iterator[Oddity]:
    """Yield a note on customers who have several rows, and on rows that go later than the others."""
    apart = {row.number for planned in late for row in planned.rows}
    rows: defaultdict[tuple[Any, Any], list[int]] = defaultdict(list)
    for one in seen:
        who = one.arguments.get("id_type"), one.arguments.get("customer_id")
        if who[1] and one.row.number not in apart:
            rows[who].append(one.row.number)
    if several := [numbers for numbers in rows.values() if len(numbers) > 1]:
        every = [number for numbers in several for number in numbers]
        whose = counted(len(several), "customer has", "customers have")
        yield Oddity(f"{whose} several rows, merged in their order: {of_rows(every)}", every)
    if late:
        names = some([name for planned in late for name in planned.operation["identifiers"].values()])
        first = [planned.rows[0].number for planned in late]
        yield Oddity(
            f"{of_rows(first)} cannot be merged with an earlier row of the same customer ({names}): sent a "
            f"second later, so that it counts; an email other than the customer's own may be dropped",
            first,
        )


def shared(seen: Iterable[RowReading]) -> Iterator[Oddity]:
    """Yield a note on addresses that several customers have."""
    owners: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for one in seen:
        if email := one.arguments.get("email"):
            owners[email.casefold()][one.arguments.get("customer_id") or ""] = one.row.number
    several = {email: list(rows.values()) for email, rows in owners.items() if len(rows) > 1}
    if several:
        told = some([f"{email} ({of_rows(rows)})" for email, rows in several.items()])
        many = counted(len(several), "address has", "addresses have")
        rows = [row for rows in several.values() for row in rows]
        yield Oddity(f"{many} several customers, and only one can have it: {told}", rows)


def zeros(seen: Iterable[RowReading], of: str) -> Iterator[Oddity]:
    """Yield a note on numbers as ids with zeros in front, among others that have none."""
    ids = {value: one.row.number for one in seen if str(value := one.arguments.get(of) or "").isdecimal()}
    lengths = {len(value) for value in ids if not value.startswith("0")}
    padded = {value: row for value, row in ids.items() if value.startswith("0") and len(value) not in lengths}
    if padded and lengths:
        told = some([f"{value} ({of_rows([row])})" for value, row in padded.items()])
        yield Oddity(f"{of}: only some have leading zeros, which count: {told}", list(padded.values()))


def unaddressed(operations: Sequence[RowOperation]) -> Iterator[Oddity]:
    """Yield a note on the few customers who get no address, where most do."""
    lacking = [one.rows[0].number for one in operations if not _addressed(one.operation)]
    if 0 < len(lacking) * 2 < len(operations):
        yield Oddity(f"{counted(len(lacking), 'customer')} with no email: {of_rows(lacking)}", lacking)


def _addressed(operation: Mapping[str, Any]) -> bool:
    return bool(operation["attributes"].get("email")) or "email" in operation["identifiers"]


def subscribed(seen: Iterable[RowReading], columns: Meanings) -> Iterator[Oddity]:
    """Yield how a column of another name is read as `unsubscribed`: it may mean the opposite."""
    for name, column in columns.items():
        if not column or column.target != "unsubscribed" or name.strip().casefold() == "unsubscribed":
            continue
        rows: defaultdict[tuple[str, bool], list[int]] = defaultdict(list)
        for one in seen:
            if isinstance(value := one.arguments.get("unsubscribed"), bool) and name in one.row.values:
                rows[str(one.row.values[name]).strip(), value].append(one.row.number)
        if rows:
            told = some([f"{cell} is {json.dumps(no)} ({of_rows(of)})" for (cell, no), of in rows.items()])
            other = "boolean" if column.opposite else f"boolean({OPPOSITE})"
            how = f'"unsubscribed:{other}" in columns reads the opposite'
            yield Oddity(
                f"{name} as unsubscribed: {told}; {how}", [row for of in rows.values() for row in of]
            )


def young(operations: Sequence[RowOperation], now: float) -> Iterator[Oddity]:
    """Yield how many events can start campaigns, and how many lie in the future."""
    at = {one.rows[0].number: one.operation.get("timestamp", now) for one in operations}
    recent = [row for row, moment in at.items() if moment > now - YOUNG]
    ahead = [row for row, moment in at.items() if moment > now + 60]
    rows = f" and can start automations: {of_rows(recent)}" if recent else ": none can start automations"
    yield Oddity(f"{len(recent)} of {len(at)} events are younger than 72 hours{rows}")
    if ahead:
        lie = counted(len(ahead), "event lies", "events lie")
        yield Oddity(f"{lie} in the future, up to {iso(max(at.values()))}: {of_rows(ahead)}", ahead)


def some(names: list[str], most: int = NAMED) -> str:
    """Return the first of many names."""
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")

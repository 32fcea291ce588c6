"""What is odd about rows that are right: what their writer may not have meant."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cio_mcp.toolkit.rows.checks import Checked
from cio_mcp.toolkit.rows.outcomes import ranges
from cio_mcp.toolkit.times import iso

# Seconds for which an event can start campaigns (automations): older ones only fill in the past.
YOUNG = 72 * 3600

# So many names of one kind of oddity are told, and so many times as they were read.
NAMED, READ = 3, 3


def alike(checked: Iterable[Checked], of: Callable[[Checked], Any], what: str) -> Iterator[str]:
    """Yield a note on values that differ in case or blanks alone."""
    spelled: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in checked:
        if isinstance(value := of(one), str):
            spelled["".join(value.split()).casefold()][value] += 1
    near = [" and ".join(variants) for variants in spelled.values() if len(variants) > 1]
    if near:
        yield f"{len(near)} {what} differ in case or blanks alone: {some(near)}"


def shared(checked: Iterable[Checked]) -> Iterator[str]:
    """Yield a note on addresses that several customers have."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for one in checked:
        if email := one.arguments.get("email"):
            owners[email.casefold()].add(one.arguments["customer_id"])
    if several := [email for email, ids in owners.items() if len(ids) > 1]:
        yield f"{len(several)} addresses have several customers, and only one can have it: {some(several)}"


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
    """Yield a note on cells that a spreadsheet would compute."""
    rows = [
        one.row.number
        for one in checked
        if any(isinstance(value, str) and value.startswith(("=", "@")) for value in one.row.values.values())
    ]
    if rows:
        yield f"formulas are sent as text, not computed: rows {ranges(rows)}"


def times(checked: list[Checked]) -> Iterator[str]:
    """Yield how the first times were read."""
    read = [f"{one.written[name]} as {at}" for one in checked[:READ] for name, at in one.times.items()]
    if read:
        yield f"times are read so: {', '.join(read[:READ])}"


def young(checked: list[Checked], now: float) -> Iterator[str]:
    """Yield how many events can start campaigns, and how many lie in the future."""
    at = [one.arguments.get("timestamp") or now for one in checked]
    recent, ahead = sum(moment > now - YOUNG for moment in at), sum(moment > now + 60 for moment in at)
    yield f"{recent} of {len(checked)} events are younger than 72 hours and can start campaigns (automations)"
    if ahead:
        yield f"{ahead} events lie in the future, up to {iso(max(at))}"


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return kinds.get(type(value), "other")


def some(names: list[str]) -> str:
    """Return the first of many names."""
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")

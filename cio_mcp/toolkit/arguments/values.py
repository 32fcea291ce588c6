"""Values that Customer.io stores as they are, and that may not mean there what was meant."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo

from cio_mcp.toolkit.arguments.addresses import parsed_address
from cio_mcp.toolkit.arguments.parse_context import context_of
from cio_mcp.toolkit.arguments.sizes import size_of
from cio_mcp.toolkit.arguments.times import FIRST, LAST, unix_seconds
from cio_mcp.toolkit.arguments.types import Address, JsonObject

_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d([T ].*)?)|((19|20)\d\d[./]\d\d?[./]\d\d?|\d\d?[./-]\d\d?[./-](19|20)\d\d)( .*)?"
)

# Track API, "identify" and "entity": how many attributes there are, bytes of a name, and of a value.
MOST_ATTRIBUTES, LONGEST_NAME, LARGEST_VALUE = 300, 150, 1000

# Characters of 1/1/2026.
SHORTEST_DATE = 8

# What a text may be of another type than text to Customer.io, whose App API tells all values as text.
_OTHER = re.compile(r"-?\d+(\.\d+)?(E[+-]?\d+)?|true|false", re.ASCII | re.IGNORECASE)
AS_TEXT = "Customer.io returns all values as text, so it does not show whether they are stored as numbers."

# So many values of one argument are told of.
TOLD = 5


def tell_times(values: dict[str, Any], asked: ValidationInfo) -> dict[str, Any]:
    """Return attributes or event data; the answer tells of what looks like a time in another form."""
    context = context_of(asked)
    if any(map(_may_be_a_time, values.values())):
        notes = [
            f"{name}: {why}"
            for name, value in _inside(asked.field_name or "", values)
            if (why := _another_form(value, context.timezone))
        ]
        more = [f"{asked.field_name}: and {len(notes) - TOLD} more such values"] if len(notes) > TOLD else []
        context.notes += notes[:TOLD] + more
    return values


def _may_be_a_time(value: Any) -> bool:
    """Say whether a value must be looked at: most begin as no time does."""
    if isinstance(value, str):
        return len(value) >= SHORTEST_DATE and value.lstrip()[:1].isdigit()
    return isinstance(value, (dict, list)) or (isinstance(value, (int, float)) and value >= FIRST * 1000)


def _tell_address(address: str, asked: ValidationInfo) -> str:
    """Return an address; the answer tells if no email can be sent to it."""
    try:
        parsed_address(address)
    except ValueError:
        context_of(asked).notes.append(f"{asked.field_name}: no email can be sent to this address")
    return address


Email = Annotated[Address, AfterValidator(_tell_address)]

# Attributes or event data.
Values = Annotated[JsonObject, AfterValidator(tell_times)]


def _inside(name: str, value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    """Yield each value inside another one, with the name that leads there."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, (dict, list)):
            yield from _inside(f"{name}.{key}", inner)
        else:
            yield f"{name}.{key}", inner


def within_limits(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return attributes of a person or an object; raises ValueError for what Customer.io does not take."""
    faults = []
    if len(attributes) > MOST_ATTRIBUTES:
        faults.append(f"at most {MOST_ATTRIBUTES} attributes are allowed; these are {len(attributes)}")
    for name, value in attributes.items():
        if not 0 < len(name.encode()) <= LONGEST_NAME:
            faults.append(f"{name[:40]!r}: a name must have 1 to {LONGEST_NAME} bytes")
        elif (len(value.encode()) if isinstance(value, str) else size_of(value)) > LARGEST_VALUE:
            faults.append(f"{name}: a value must have at most {LARGEST_VALUE} bytes")
    if faults:
        more = [f"and {len(faults) - TOLD} more"] if len(faults) > TOLD else []
        raise ValueError("; ".join([*faults[:TOLD], *more]))
    return attributes


def text_values_note(values: Iterable[Any]) -> list[str] | None:
    """Return a note for an answer that holds numbers, or true and false, as text; None if it holds none."""
    return [AS_TEXT] if any(isinstance(value, str) and _OTHER.fullmatch(value) for value in values) else None


def is_date(value: Any) -> bool:
    """Say whether a value is text that looks like a date."""
    return isinstance(value, str) and bool(_DATE.fullmatch(value.strip()))


def _another_form(value: Any, timezone: str) -> str:
    """Say how a value would be a time to Customer.io, if it looks like one in another form."""
    if isinstance(value, (int, float)) and FIRST * 1000 <= value < LAST * 1000:
        return f"if this is a time in milliseconds, write seconds instead: {int(value) // 1000}"
    if is_date(value):
        try:
            seconds = f": {unix_seconds(value, timezone)}"
        except ValueError:
            seconds = ""
        return f"this is a date as text; to be a time in Customer.io it must be unix seconds{seconds}"
    return ""

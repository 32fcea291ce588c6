"""The one rule for reading Customer.io's answers: what is missing, null or of another type is no value.

The documents and the live API differ, and both change without notice. A number that comes as text is still a
number, and an object is read with its envelope or without. Nothing that an answer holds makes a tool fail or
becomes a fact that Customer.io did not state. An answer without its main content is reported as unusable.
"""

import json
import math
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from cio_mcp.errors import Refused, UnknownOutcome

_Value = TypeVar("_Value")

# What is longer is no id and no count.
_WHOLE, LARGEST = re.compile(r"\s*-?\d{1,18}\s*"), 10**18

# Unix seconds from 1973 to 2100. Any other number is a time in another unit or a date written as a number.
FIRST, LAST = 100_000_000, 4_102_444_800

# Deeper values are answered as JSON text: serializers and hosts give up on deep nesting.
DEPTH = 40

UNUSABLE = (
    "Nothing was changed. `cio-mcp doctor --answers` shows which answers have an unknown form; please report "
    "its output in an issue."
)


def whole(value: object) -> int | None:
    """Return a whole number, which may be written as text."""
    if isinstance(value, str):
        return int(value) if _WHOLE.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < LARGEST:
        return None
    return int(value) if value == int(value) else None


def text(value: object) -> str | None:
    """Return a text that is not empty; a number is taken as text."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def flag(value: object) -> bool | None:
    """Return a boolean, which may be written as text."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def time(value: object) -> str | None:
    """Return a time: unix seconds as ISO 8601 in UTC, anything else as it is. 0 stands for no time."""
    number = _number(value)
    if number is not None and FIRST <= number < LAST:
        return datetime.fromtimestamp(number, UTC).isoformat().replace("+00:00", "Z")
    return None if number == 0 else text(value)


def seconds(value: object) -> float | None:
    """Return a time in unix seconds, to compare it: it may come in milliseconds or as ISO 8601."""
    if (number := _number(value)) is not None:
        unit = next((unit for unit in (1, 1e3, 1e6, 1e9) if FIRST <= number / unit < LAST), None)
        return number / unit if unit else None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(value: object) -> float | None:
    try:
        found = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return found if found is None or math.isfinite(found) else None


def plain_value(value: Any, depth: int = DEPTH) -> Any:
    """Return a value of any type, with what is nested too deeply as JSON text."""
    if not depth and isinstance(value, (dict, list)):
        return written(value)
    if isinstance(value, dict):
        return {
            name: plain_value(item, depth - 1) if isinstance(item, (dict, list)) else item
            for name, item in value.items()
        }
    return [plain_value(item, depth - 1) for item in value] if isinstance(value, list) else value


def written(value: object) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def wholes(value: object) -> list[int] | None:
    """Return the numbers in a list, or the ids of the objects in it; None for no list."""
    if not isinstance(value, list):
        return None
    found = (whole(item.get("id") if isinstance(item, dict) else item) for item in value)
    return [number for number in found if number is not None]


class Fields:
    """The fields of an object in an answer. Each method returns None if the field has no value."""

    def __init__(self, answer: object) -> None:
        self.raw: dict[str, Any] = answer if isinstance(answer, dict) else {}
        self._bare = answer if isinstance(answer, list) else None

    def whole(self, name: str) -> int | None:
        """Return a field that holds a whole number."""
        return whole(self.raw.get(name))

    def text(self, *names: str) -> str | None:
        """Return the first of some fields that holds a text."""
        return self._first(text, names)

    def flag(self, name: str) -> bool | None:
        """Return a field that holds a boolean."""
        return flag(self.raw.get(name))

    def time(self, *names: str) -> str | None:
        """Return the first of some fields that holds a time."""
        return self._first(time, names)

    def _first(self, read: Callable[[object], str | None], names: Iterable[str]) -> str | None:
        for name in names:
            if found := read(self.raw.get(name)):
                return found
        return None

    def seconds(self, name: str) -> float | None:
        """Return a field that holds a time, in unix seconds."""
        return seconds(self.raw.get(name))

    def value(self, name: str) -> Any:
        """Return a field of any type."""
        return plain_value(self.raw.get(name))

    def mapping(self, name: str) -> dict[str, Any] | None:
        """Return a field that holds values by name."""
        found = self.value(name)
        return found if isinstance(found, dict) else None

    def fields(self, name: str) -> "Fields":
        """Return a field that holds an object; one without a value has no fields."""
        return Fields(self.raw.get(name))

    def objects(self, name: str) -> "list[Fields] | None":
        """Return a field that holds a list of objects. null is an empty list, and null items are none.

        An item of another type is an object without fields: it is there, and nothing is known of it.
        """
        if name in self.raw and self.raw[name] is None:
            return []
        found = self.raw.get(name, self._bare)
        return [Fields(item) for item in found if item is not None] if isinstance(found, list) else None

    def texts(self, name: str) -> list[str] | None:
        """Return a field that holds a list of texts. null is an empty list, and what is no text is JSON."""
        if name in self.raw and self.raw[name] is None:
            return []
        if not isinstance(found := self.raw.get(name), list):
            return None
        return [text(item) or written(item) for item in found if item not in (None, "")]

    def wholes(self, name: str) -> list[int] | None:
        """Return a field that holds a list of numbers. null is an empty list."""
        return [] if name in self.raw and self.raw[name] is None else wholes(self.raw.get(name))

    def empty(self, name: str) -> bool:
        """Say whether a field is there and says that there is no value."""
        return name in self.raw and self.raw[name] in (None, "", 0) and self.raw[name] is not False

    def listed(self, name: str) -> "list[Fields]":
        """Return the list that an answer is about; raises Refused if it has none."""
        if (found := self.objects(name)) is None:
            raise unusable(f"it has no list of {name}")
        return found

    def wrapped(self, envelope: str) -> "Fields":
        """Return the object in an envelope, or this one where there is none.

        Documents put objects into envelopes, and the live API does not always.
        """
        return Fields(inner) if isinstance(inner := self.raw.get(envelope), dict) else self

    def inside(self, envelope: str, *holds: str) -> "Fields":
        """Return the object that an answer is about, wrapped or not; raises Refused if it holds nothing."""
        found = self.wrapped(envelope)
        if all(found.raw.get(name) is None for name in holds):
            raise unusable(f"it has no {envelope}")
        return found

    def following(self, name: str = "next") -> str | None:
        """Return the cursor of the next page, which may be a number; the last page has none."""
        return None if whole(self.raw.get(name)) == 0 else self.text(name)


def unusable(why: str) -> Refused:
    """Return the error for an answer to a read that lacks its main content."""
    return Refused(f"Customer.io answered, but its answer cannot be used: {why}.", do=UNUSABLE)


def needed(value: _Value | None, name: str) -> _Value:
    """Return what an answer to a read must hold; raises Refused if it does not."""
    if value is None:
        raise unusable(f"it has no {name}")
    return value


def made(value: _Value | None, name: str, do: str) -> _Value:
    """Return what the answer to an act must hold; raises UnknownOutcome, with what to do, if it does not."""
    if value is None:
        message = f"Unknown outcome: Customer.io answered with a success that has no {name}."
        raise UnknownOutcome(message, do=do, status=200)
    return value


async def beside(what: str, read: Awaitable[_Value]) -> tuple[_Value | None, str | None]:
    """Return what a read beside a tool's main one found, or None and why it is left out.

    Customer.io's refusal of it says nothing against the rest of the answer.
    """
    try:
        return await read, None
    except Refused as refused:
        return None, f"{what}: {refused.what}"

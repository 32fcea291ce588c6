"""Ids of events that follow from what they say, so that a repeated call doubles nothing."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pydantic_core import to_json
from ulid import base32

from cio_mcp.errors import InvalidArgument

# Fields of an event that can tell it apart beside those of its data.
OWN = {"timestamp", "name"}


class EventIds:
    """Derives an id for each event of a call.

    It follows from the event's name, its customer and the values of `unique`. Without those it follows from
    all of the event, and equal events are counted: none of them is lost, and the next call gives them the
    same ids. `from_content` counts those that are not told apart by a time either.
    """

    def __init__(self, unique: Sequence[str]) -> None:
        self.unique = unique
        self._seen: dict[str, tuple[int, dict[str, Any]]] = {}
        self._equal: Counter[bytes] = Counter()
        self.from_content = 0

    def of(self, event: dict[str, Any], row: int, given: str | None) -> str | None:
        """Return the id of an event, None for one that repeats an earlier one of the call.

        Raises InvalidArgument if it lacks what is unique, or if it differs from another one of its id.
        """
        if not given and not self.unique:
            content = _digest(in_order(event))
            self._equal[content] += 1
            self.from_content += "timestamp" not in event
            return _ulid(event, _digest([content.hex(), self._equal[content]]))
        event_id = given or _ulid({}, _digest([event["name"], event["identifiers"], self._values(event)]))
        first, same = self._seen.setdefault(event_id, (row, event))
        if first == row:
            return event_id
        if same != event:
            raise InvalidArgument(f"has the same unique values as row {first}, and other values differ")
        return None

    def _values(self, event: dict[str, Any]) -> list[Any]:
        data = event.get("attributes", {})
        found = []
        for name in self.unique:
            value = event.get(name) if name in OWN else data.get(name)
            if value is None or value == "":
                raise InvalidArgument(f"{name}: is required, since unique names it")
            found.append(value)
        return found


def _digest(value: Any) -> bytes:
    return hashlib.sha256(to_json(value)).digest()


def _ulid(event: dict[str, Any], digest: bytes) -> str:
    """Return a ULID of the event's time, if it has one that is part of what it says, and of a digest."""
    return _moment(int(event.get("timestamp", 0))) + base32.encode_randomness(digest[:10])


@lru_cache(1000)
def _moment(seconds: int) -> str:
    """Return the part of a ULID that says when it was made."""
    return base32.encode_timestamp((seconds * 1000).to_bytes(6))


def in_order(value: Any) -> Any:
    """Return a value with its names in alphabetical order, at any depth: what is equal is written alike."""
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value


def id_of_row(file: str, event: str, number: int, values: dict[str, Any]) -> str:
    """Return the id of the event that one row of a file stands for: of what it says, and where."""
    return _ulid({}, _digest([file, event, number, values]))

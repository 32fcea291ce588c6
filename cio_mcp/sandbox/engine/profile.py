"""A person as conditions see them; what no condition asks for is not read."""

import json
from functools import cached_property
from typing import Any

from cio_mcp.sandbox.state import computed, people
from cio_mcp.sandbox.state.workspace import Row, Workspace


class Profile:
    """A person's attributes, events and manual segments. With `after` only later events count."""

    def __init__(self, workspace: Workspace, person: Row, *, after: int | None = None) -> None:
        self._workspace = workspace
        self.person = person
        self.cio_id: str = person["cio_id"]
        self._after = after
        self._read: dict[tuple[str, int], list[Row]] = {}

    @cached_property
    def _set(self) -> dict[str, Any]:
        known = {name: self.person[name] for name in ("id", "email", "cio_id") if self.person[name]}
        return known | dict(json.loads(self.person["attributes"]))

    @cached_property
    def unsubscribed(self) -> bool:
        """Whether the person is unsubscribed."""
        return people.unsubscribed(self._set)

    def attribute(self, field: str) -> Any:
        """Return the value of an attribute, computed or set; None for none."""
        for definition in self._workspace.things("computed_attribute"):
            if definition["name"] == field:
                found = computed.value(self._workspace, self.cio_id, definition)
                return self._set.get(field) if found is None else found
        return self._set.get(field)

    def times(self, asked: dict[str, Any], since: int | None) -> list[int]:
        """Return when the person did something since a time, the latest last."""
        key = (asked["name"], max(since or 0, self._after + 1 if self._after is not None else 0))
        if (rows := self._read.get(key)) is None:
            found = "SELECT timestamp, data FROM events WHERE cio_id = ? AND name = ? AND timestamp >= ?"
            rows = self._read[key] = self._workspace.rows(f"{found} ORDER BY timestamp", self.cio_id, *key)
        where: dict[str, Any] = asked.get("where", {})
        return [row["timestamp"] for row in rows if not where or has(json.loads(row["data"]), where)]

    def is_member(self, number: int) -> bool:
        """Say whether the person was put into a manual segment."""
        member = "SELECT 1 FROM members WHERE segment_id = ? AND cio_id = ?"
        return self._workspace.row(member, number, self.cio_id) is not None


def has(data: dict[str, Any], where: dict[str, Any]) -> bool:
    """Say whether an event's data have all these values."""
    return all(name in data and people.as_text(data[name]) == people.as_text(where[name]) for name in where)

"""Conditions on a person, of segments, filters, branches and goals: do they fit, and until when.

A condition has one key: `and` and `or` (lists), `not`, `segment` (`id`), `attribute` (`field`, `operator`,
`value`) or `event` (`name`; `times`, 1 by default; `within_days`; `where`, which has values of its data).
Operators of attributes: `eq`, `exists`, and, which filters of the App API do not have, `gt`, `lt`,
`contains`, and for a time `within_days` (in the last so many days) and `older_than_days`.
"""

from collections.abc import Callable, Iterator
from operator import ge, gt, le, lt
from typing import Any

from cio_mcp.sandbox.engine.profile import Profile
from cio_mcp.sandbox.state.people import as_text
from cio_mcp.sandbox.state.workspace import Workspace

DAY = 86_400

COMPARED: dict[str, Callable[[float, float], bool]] = {
    "gt": gt,
    "lt": lt,
    "within_days": ge,
    "older_than_days": le,
}

# What fits everybody.
ALWAYS: dict[str, Any] = {"and": []}


def fits(workspace: Workspace, person: Profile, condition: dict[str, Any]) -> bool:
    """Say whether a person fits a condition now."""
    ((key, value),) = condition.items()
    match key:
        case "and":
            return all(fits(workspace, person, part) for part in value)
        case "or":
            return any(fits(workspace, person, part) for part in value)
        case "not":
            return not fits(workspace, person, value)
        case "segment":
            return in_segment(workspace, person, segment(workspace, int(value["id"])))
        case "event":
            since = workspace.now() - value["within_days"] * DAY if "within_days" in value else None
            return len(person.times(value, since)) >= int(value.get("times", 1))
    return _attribute_fits(workspace, value, person.attribute(value["field"]))


def segment(workspace: Workspace, number: int) -> dict[str, Any]:
    """Return a segment; one that is gone has nobody in it."""
    return workspace.thing("segment", number) or {"type": "manual", "id": number}


def in_segment(workspace: Workspace, person: Profile, found: dict[str, Any]) -> bool:
    """Say whether a person is in a segment: by hand, by attributes, or by what they did."""
    if found["type"] == "manual":
        return person.is_member(found["id"])
    return fits(workspace, person, rule(found))


def rule(found: dict[str, Any]) -> dict[str, Any]:
    """Return the condition of a segment that has rules."""
    return {"event": found["performed"]} if "performed" in found else dict(found["conditions"])


def asked_of(workspace: Workspace, condition: dict[str, Any]) -> Iterator[str]:
    """Yield what a condition asks for: names of attributes and events, numbers of manual segments."""
    ((key, value),) = condition.items()
    match key:
        case "and" | "or":
            for part in value:
                yield from asked_of(workspace, part)
        case "not":
            yield from asked_of(workspace, value)
        case "segment":
            found = segment(workspace, int(value["id"]))
            if found["type"] == "manual":
                yield str(found["id"])
            else:
                yield from asked_of(workspace, rule(found))
        case _:
            yield str(value["name"] if key == "event" else value["field"])


def _attribute_fits(workspace: Workspace, asked: dict[str, Any], has: Any) -> bool:
    operator, value = asked["operator"], asked.get("value")
    if operator == "exists" or has is None:
        return has is not None
    if operator in {"eq", "contains"}:
        one, other = as_text(has), as_text(value)
        return one == other if operator == "eq" else other in one
    at, edge = _number(has), _number(value)
    if at is None or edge is None:
        return False
    if operator in {"within_days", "older_than_days"}:
        edge = workspace.now() - edge * DAY
    return bool(COMPARED[operator](at, edge))


def next_change(workspace: Workspace, person: Profile, condition: dict[str, Any]) -> int | None:
    """Return the next time (unix seconds) at which time alone may change whether a person fits."""
    ((key, value),) = condition.items()
    match key:
        case "and" | "or":
            return earliest(next_change(workspace, person, part) for part in value)
        case "not":
            return next_change(workspace, person, value)
        case "segment":
            found = segment(workspace, value["id"])
            return None if found.get("type") == "manual" else next_change(workspace, person, rule(found))
    now = workspace.now()
    if key == "event":
        days, times = value.get("within_days"), value.get("times", 1)
        at = person.times(value, now - days * DAY) if days else []
        # Time alone makes too few of them when the oldest that is still needed leaves the window.
        return int(at[-times]) + days * DAY + 1 if days and len(at) >= times else None
    at_time = _number(person.attribute(value["field"]))
    if at_time is None or value["operator"] not in {"within_days", "older_than_days"}:
        return None
    edge = int(at_time) + value["value"] * DAY + (value["operator"] == "within_days")
    return edge if edge > now else None


def earliest(times: Any) -> int | None:
    """Return the earliest time that there is."""
    return min((at for at in times if at is not None), default=None)


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None

"""Conditions on people in words: the rules of a segment, the filters and triggers of a campaign."""

import json
from collections.abc import Iterator
from typing import Any

from cio_mcp.toolkit.answers.reading import Fields, text, written

# What an attribute is of, besides the person.
OF = {"object_attribute": "object's ", "relationship_attribute": "relationship's "}

# How operators read, and how they read if they are inverted.
OPERATORS = {"eq": ("is", "is not"), "exists": ("is set", "is not set")}

GROUPS = {"and": " and ", "or": " or "}


def in_words(condition: Any) -> str | None:
    """Return a condition in words; what is not known of it is quoted as JSON. None for no condition.

    The API documents conditions as objects and exemplifies them as JSON text.
    """
    if isinstance(condition, str):
        try:
            condition = json.loads(condition)
        except (ValueError, RecursionError):
            return condition or None
    return _said(condition) if condition else None


def _said(condition: Any, *, nested: bool = False) -> str:
    if isinstance(condition, list):
        condition = {"and": condition}
    if not isinstance(condition, dict):
        return written(condition)
    for group, word in GROUPS.items():
        if condition.keys() == {group} and isinstance(parts := condition[group], list):
            said = word.join(_said(part, nested=len(parts) > 1) for part in parts)
            return f"({said})" if nested and len(parts) > 1 else said
    if condition.keys() == {"not"}:
        return f"not ({_said(condition['not'])})"
    return _one(condition) or written(condition)


def _one(condition: dict[str, Any]) -> str | None:
    fields = Fields(condition)
    if condition.keys() == {"segment"} and (number := fields.fields("segment").whole("id")) is not None:
        inverse = fields.fields("segment").flag("inverse")
        return f"not in segment {number}" if inverse else f"in segment {number}"
    if isinstance(condition.get("event"), dict):
        return _event(fields)
    for kind in ("attribute", *OF):
        if condition.keys() == {kind} and isinstance(condition[kind], dict):
            return _attribute(Fields(condition[kind]), OF.get(kind, ""))
    return _attribute(fields, "") if "field" in condition else None


def _attribute(fields: Fields, of: str) -> str | None:
    name, operator, value = fields.text("field"), fields.text("operator"), fields.value("value")
    if name is None or operator is None or not fields.raw.keys() <= _KNOWN:
        return None
    said = OPERATORS.get(operator, (operator, f"not {operator}"))[fields.flag("inverse") is True]
    compared = [] if operator == "exists" else [text(value) or written(value)]
    return " ".join((f"{of}{name}", said, *compared))


_KNOWN = {"field", "operator", "value", "inverse", "type_id"}


def _event(fields: Fields) -> str | None:
    """Return what a person did; how often, and within how long, come beside the event or in it."""
    event = fields.fields("event")
    if (name := event.text("name")) is None:
        return None
    inverse = fields.flag("inverse") or event.flag("inverse")
    return " ".join((f"did not do {name}" if inverse else f"did {name}", *_bounds(fields, event)))


def _bounds(*places: Fields) -> Iterator[str]:
    for place in places:
        if filters := in_words(place.value("filters")):
            yield f"with {filters}"
    for name, word in (("times", "times"), ("within", "within")):
        for place in places:
            if place.raw.get(name) not in (None, "", 0):
                value = place.raw[name]
                yield f"{word} {text(value) or written(value)}"

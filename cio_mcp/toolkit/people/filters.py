"""Filters of people and objects, as broadcasts and searches take them: what counts people is what is sent."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo

from cio_mcp.toolkit.arguments.parse_context import context_of
from cio_mcp.toolkit.arguments.types import JsonObject, Naming, comparison_value, integer, meant

CONDITIONS = (
    '{"segment": {"id": 7}}, {"attribute": {"field": "plan", "operator": "eq" or "exists", "value": "pro"}}, '
    '{"and" or "or": [...]} or {"not": {...}}.'
)

EMPTY = "has an empty group or condition; fill it in or remove it"


@dataclass(frozen=True)
class Grammar:
    """What a filter may consist of: the kinds of conditions, and the fields of one on an attribute.

    Anything else is refused: it could turn a filter into its opposite, and nobody could count whom it is for.
    """

    kinds: tuple[str, ...]
    fields: Set[str]

    def checked(self, condition: dict[str, Any], asked: ValidationInfo) -> dict[str, Any]:
        """Return a filter with the pseudonyms among its attribute values replaced; raises ValueError."""
        if not condition:
            message = "is empty; name a condition, or leave it out"
            raise ValueError(message)
        return self._condition(condition, asked)

    def _condition(self, node: Any, asked: ValidationInfo) -> dict[str, Any]:
        kinds = ", ".join(self.kinds)
        if not isinstance(node, dict) or len(node) != 1:
            keys = f", and not {', '.join(node)}" if isinstance(node, dict) and node else ""
            message = f"each condition must be an object with one of {kinds}{keys}" if node else EMPTY
            raise ValueError(message)
        ((kind, inner),) = node.items()
        if inner in ({}, [], None, ""):
            raise ValueError(EMPTY)
        if kind not in self.kinds:
            message = f"{kind}: is not a condition; use one of {kinds}"
            raise ValueError(message)
        if kind == "segment":
            return {kind: {"id": _segment(inner)}}
        if kind.endswith("attribute"):
            return {kind: self._attribute(kind, inner, asked)}
        if kind == "not":
            return {kind: self._condition(inner, asked)}
        if not isinstance(inner, list):
            message = f"{kind}: must be a list of conditions"
            raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors
        return {kind: [self._condition(each, asked) for each in inner]}

    def _attribute(self, kind: str, inner: Any, asked: ValidationInfo) -> dict[str, Any]:
        fits = isinstance(inner, dict) and {"field", "operator"} <= inner.keys() <= self.fields
        fits = fits and (inner["operator"] == "exists" or (inner["operator"] == "eq" and "value" in inner))
        if not fits:
            message = f"{kind}: takes field, operator (eq or exists) and, with eq, value, and nothing else"
            raise ValueError(message)
        if inner["field"] in ("", None) or inner.get("value", 0) in ("", None, [], {}):
            raise ValueError(EMPTY)
        if not isinstance(inner["field"], str) or not isinstance(inner.get("value", 0), (str, int, float)):
            message = f"{kind}: field must be text, and value text, a number or a boolean"
            raise ValueError(message)  # noqa: TRY004 - as below
        found: dict[str, Any] = dict(inner)
        if "value" in found:
            context_of(asked).check_guess(found["field"], found["value"])
            found["value"] = comparison_value(meant(found["value"], asked))
        return found


def _segment(inner: Any) -> int:
    try:
        if not isinstance(inner, dict) or inner.keys() != {"id"}:
            raise ValueError  # noqa: TRY301 - one message for all that is no segment
        return integer(inner["id"])
    except ValueError:
        message = (
            'segment: must be {"id": N}, with a whole number and nothing else; list_segments has the ids'
        )
        raise ValueError(message) from None


# App API, "getPeopleFilter" and "triggerBroadcast"; and "getObjectsFilter".
OF_PEOPLE = Grammar(("and", "or", "not", "segment", "attribute"), {"field", "operator", "value"})
OF_OBJECTS = Grammar(("and", "or", "not", "object_attribute"), {"field", "operator", "value", "type_id"})

Filter = Annotated[JsonObject, AfterValidator(OF_PEOPLE.checked), Naming, Field(description=CONDITIONS)]
ObjectFilter = Annotated[JsonObject, AfterValidator(OF_OBJECTS.checked), Naming]

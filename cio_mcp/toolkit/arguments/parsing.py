"""How the raw arguments of a call become those that a tool takes."""

import difflib
from collections.abc import Iterable
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from typing_extensions import TypedDict

from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments.parse_context import ParseContext
from cio_mcp.toolkit.arguments.sizes import size_of
from cio_mcp.toolkit.arguments.times import EASTERN, Days, is_zone
from cio_mcp.toolkit.arguments.types import Naming


def parsed_arguments(
    model: type[BaseModel], arguments: dict[str, Any], context: ParseContext
) -> dict[str, Any]:
    """Return checked and converted arguments; raises InvalidArgument with one line per fault.

    A null counts as absent, since agents send it for what they leave out; and so does blank text for an
    optional argument, unless it names somebody or something: left out, the call could reach more. The
    argument `timezone` replaces the context's; without any, days are counted in Eastern time, and other times
    are in UTC.
    """
    fields = model.model_fields
    given = {
        name: value
        for name, value in arguments.items()
        if name not in fields or not (value is None or (_blank(value) and name in _may_be_blank(model)))
    }
    if not context.is_json:
        context.is_json = True
        _refuse_what_json_cannot_hold(given)
    try:
        if "timezone" in fields and is_zone(zone := given.get("timezone")):
            context.timezone = zone.strip()
        context.timezone = context.timezone or (EASTERN if _marked(model, Days) else "UTC")
        found = model.model_validate(given, context=context)
    except ValidationError as error:
        raise _wrong(error, list(fields)) from None
    return dict(vars(found))


class Single:
    """Checks one argument as `parsed_arguments` does, where a table has many values of it.

    JSON must be able to hold them.
    """

    def __init__(self, name: str, hint: Any, default: Any) -> None:
        self._name = name
        self._may_be_blank = default is not ... and not has_mark(hint, Naming)
        # A dictionary costs less than a model, of which each value would make an instance.
        one: Any = TypedDict(name, {name: hint})  # type: ignore[misc]
        self._validate = TypeAdapter(one).validator.validate_python

    def is_absent(self, given: object) -> bool:
        """Say whether a value counts as none."""
        return given is None or (self._may_be_blank and _blank(given))

    def value(self, given: object, context: ParseContext) -> Any:
        """Return the value of an argument; raises InvalidArgument."""
        try:
            return self._validate({self._name: given}, context=context)[self._name]
        except ValidationError as error:
            raise _wrong(error, [self._name]) from None


def _refuse_what_json_cannot_hold(given: dict[str, Any]) -> None:
    for name, value in given.items():
        try:
            size_of(name)
            size_of(value)
        except ValueError as error:
            shown = name.encode(errors="backslashreplace").decode()
            raise InvalidArgument(f"{shown}: {error}") from None


def _blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


@cache
def _may_be_blank(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of the arguments that count as absent if they are blank."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if not field.is_required() and not _has(field, Naming)
    )


@cache
def _marked(model: type[BaseModel], mark: type) -> bool:
    return any(_has(field, mark) for field in model.model_fields.values())


def _has(field: FieldInfo, mark: type) -> bool:
    return mark in field.metadata or has_mark(field.annotation, mark)


def has_mark(hint: Any, mark: type) -> bool:
    """Say whether the annotations of a type, at any depth, hold a mark."""
    parts = get_args(hint)
    return mark in getattr(hint, "__metadata__", ()) or any(has_mark(part, mark) for part in parts)


def _wrong(error: ValidationError, names: list[str]) -> InvalidArgument:
    return InvalidArgument(*(_fault(fault, names) for fault in error.errors(include_url=False)))


def _fault(fault: Any, known: list[str]) -> str:
    name = ".".join(str(part) for part in fault["loc"])
    match fault["type"]:
        case "extra_forbidden":
            hint = near_miss(name, known) or f"the arguments are {', '.join(known)}"
            return f"{name}: unknown argument; {hint}"
        case "missing":
            return f"{name}: is required"
        case _:
            return f"{name}: {fault['msg'].removeprefix('Value error, ')}"


def near_miss(name: str, known: Iterable[str]) -> str:
    """Return "did you mean X?" for the most similar of `known`, or "" if none is similar."""
    nearest = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {nearest[0]}?" if nearest else ""

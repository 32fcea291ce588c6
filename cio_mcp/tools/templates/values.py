"""The values of a message's variables: their types, and where in the data of a send they belong."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from cio_mcp.toolkit.answers.shapes import Anything
from cio_mcp.toolkit.arguments.lists import listed
from cio_mcp.toolkit.arguments.sizes import size_of
from cio_mcp.toolkit.arguments.types import JsonObject

# A variable as Liquid writes it behind `trigger`: order.id, ["home city"].
_PATH = re.compile(r"(?:\w[\w-]*|\[\"[^\"]+\"\])(?:\.\w[\w-]*|\[\"[^\"]+\"\])*")
_STEP = re.compile(r"\[\"([^\"]+)\"\]|[^.\[]+")


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        message = "must be text"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors, and lets TypeErrors escape
    if not (text := str(value)).strip():
        message = "must not be blank"
        raise ValueError(message)
    return text


def _number(value: object) -> int | float:
    try:
        if isinstance(value, str):
            value = float(value) if not value.strip().lstrip("-").isdecimal() else int(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError  # noqa: TRY004, TRY301 - one message for all that is not a number
    except ValueError:
        message = "must be a number"
        raise ValueError(message) from None
    size_of(value)
    return value


def _whole(value: int | float) -> int:
    if value != int(value):
        message = "must be a whole number"
        raise ValueError(message)
    return int(value)


def _list(value: list[Any]) -> list[Any]:
    if not value:
        message = "must not be empty"
        raise ValueError(message)
    return value


# What a variable can be, by the name of its type in the file.
TYPES: dict[str, Any] = {
    "string": Annotated[str, BeforeValidator(_text)],
    "number": Annotated[Any, BeforeValidator(_number), WithJsonSchema({"type": "number"})],
    "integer": Annotated[int, BeforeValidator(_whole), BeforeValidator(_number)],
    "boolean": bool,
    "list": Annotated[list[Anything], BeforeValidator(listed), AfterValidator(_list)],
    "object": JsonObject,
}


# Where in the data of a send a value belongs: the names on the way to it.
VariablePath = tuple[str, ...]


def variable_path(variable: str) -> VariablePath:
    """Return where a variable is in the data; raises ValueError for one that Liquid would not read so."""
    if not _PATH.fullmatch(variable):
        message = 'must be written as behind trigger in Liquid, such as order.id or ["home city"]'
        raise ValueError(message)
    return tuple(step[1] or step[0] for step in _STEP.finditer(variable))


def filled(values: Mapping[VariablePath, Any]) -> dict[str, Any]:
    """Return the data of a send that has values at these places."""
    data: dict[str, Any] = {}
    for (*outer, last), value in values.items():
        inner = data
        for step in outer:
            inner = inner.setdefault(step, {})
        inner[last] = value
    return data

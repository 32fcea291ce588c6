"""Lists, as agents write them: JSON text, a single value, or text with commas."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from cio_mcp.toolkit.arguments.parse_context import context_of
from cio_mcp.toolkit.arguments.sizes import size_of
from cio_mcp.toolkit.arguments.types import CustomerKey, Line, Naming, ObjectId


def listed(value: object, asked: ValidationInfo) -> object:
    """Return a list of values that can hold commas: a list, JSON text of one, or a single value."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            value = _from_json(value)
        elif "," in value:
            message = "must be a JSON list: a value can hold a comma itself"
            raise ValueError(message)
    return _a_list(value, asked)


def separated(value: object, asked: ValidationInfo) -> object:
    """Return a list of values that hold no commas: as `listed` does, or text with commas between them."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return value.split(",")
    return listed(value, asked)


def of_objects(value: object, asked: ValidationInfo) -> object:
    """Return a list of objects: a list, JSON text of one, or a single object."""
    if isinstance(value, str):
        value = _from_json(value)
    return _a_list(value, asked)


def _from_json(text: str) -> object:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        message = "must be a JSON list"
        raise ValueError(message) from None
    size_of(found)
    return found


def _a_list(value: object, asked: ValidationInfo) -> object:
    if not context_of(asked).is_json:
        size_of(value)
    return value if isinstance(value, list) else [value]


def _some(values: list[Any]) -> list[Any]:
    if not values:
        message = "must not be empty"
        raise ValueError(message)
    return values


# Names of attributes; and such of which there must be some, since none at all would mean every attribute.
Names = Annotated[list[Line], BeforeValidator(listed)]
SomeNames = Annotated[Names, AfterValidator(_some), Naming]

# Identifiers of people, of any kind; and addresses, which hold no commas.
People = Annotated[list[CustomerKey], BeforeValidator(listed), Naming]
Addresses = Annotated[list[CustomerKey], BeforeValidator(separated), Naming]

# Ids of segments and similar things.
Numbers = Annotated[list[ObjectId], BeforeValidator(separated), AfterValidator(_some), Naming]

# Words of Customer.io's.
Words = Annotated[list[Line], BeforeValidator(separated), AfterValidator(_some), Naming]

Objects = Annotated[list[dict[str, Any]], BeforeValidator(of_objects), Naming]

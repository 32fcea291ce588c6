"""Masking values in the types that an answer's model gives them, so that the answer still fits its schema."""

from functools import lru_cache
from inspect import isclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from cio_mcp.errors import Json

# Replaces the value of a hidden attribute, irreversibly.
MASK = "[masked]"


@lru_cache
def kind_of_values(model: type[BaseModel], field: str) -> Any:
    """Return of which type the values of a field are that takes any names; Any if they may be anything."""
    found = model.model_fields.get(field)
    kind = _present(found.annotation) if found else Any
    return get_args(kind)[1] if get_origin(kind) is dict else Any


def is_fixed(kind: Any) -> bool:
    """Say whether a type is of counts or of words of our own, which are no values of attributes."""
    return _present(kind) in (int, float, bool) or get_origin(_present(kind)) is Literal


def masked_as(value: Json, kind: Any) -> Json:
    """Return what stands for a hidden value of this type."""
    if value is None or is_fixed(kind):
        return value
    kind = _present(kind)
    if isinstance(value, list) and get_origin(kind) is list:
        return [masked_as(item, get_args(kind)[0]) for item in value]
    if isinstance(value, dict) and get_origin(kind) is dict:
        return {name: masked_as(item, get_args(kind)[1]) for name, item in value.items()}
    if isinstance(value, dict) and isclass(kind) and issubclass(kind, BaseModel):
        fields = kind.model_fields
        return {name: masked_as(item, fields[name].annotation) for name, item in value.items()}
    return MASK


def _present(kind: Any) -> Any:
    """Return a type without None."""
    kinds = [one for one in get_args(kind) if one is not NoneType]
    return kinds[0] if len(kinds) == 1 and NoneType in get_args(kind) else kind

"""How filters are declared, and what they do with values of other types than they want."""

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from liquid.exceptions import FilterArgumentError

_Of = TypeVar("_Of", bound=Callable[..., Any])

# Beyond it JavaScript's whole numbers are no longer exact: they are counted as floats.
SAFE = 2**53


@dataclass(frozen=True)
class Filter:
    """A filter; with `in_context` its first argument is the rendering."""

    function: Callable[..., Any]
    in_context: bool


@dataclass
class Table:
    """The filters of one kind, by name."""

    by_name: dict[str, Filter] = field(default_factory=dict)

    def __call__(self, *names: str, in_context: bool = False) -> Callable[[_Of], _Of]:
        """Return a decorator that declares a filter."""

        def declare(function: _Of) -> _Of:
            self.by_name |= dict.fromkeys(names, Filter(function, in_context))
            return function

        return declare


def wrong(what: str) -> FilterArgumentError:
    """Return the error for a value that a filter cannot take."""
    return FilterArgumentError(what, token=None)


def written(value: Any) -> str:
    """Return a value as Liquid prints it: numbers as JavaScript does, lists without anything between."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _written_float(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=written)
    return "".join(map(written, value)) if isinstance(value, (list, tuple, range)) else str(value)


def _written_float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return str(int(value)) if value == int(value) and abs(value) < 1e21 else repr(value)


def number(value: Any) -> int | float:
    """Return a value as a number, as JavaScript reads it; raises for what is none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    if value is None:
        return 0
    text = str(value).strip()
    try:
        return narrowed(float(text)) if text else 0
    except ValueError:
        raise wrong(f"{text[:50]!r} is not a number") from None


def narrowed(value: float) -> int | float:
    """Return a whole float as a whole number, which prints without a point, and a huge one as a float."""
    if isinstance(value, int):
        return float(value) if abs(value) >= SAFE else value
    return int(value) if math.isfinite(value) and value == int(value) and abs(value) < SAFE else value


def whole(value: Any) -> int:
    """Return a value as a whole number."""
    found = number(value)
    if not math.isfinite(found):
        raise wrong("a number is too large")
    return int(found)


def items(value: Any) -> list[Any]:
    """Return a value as a list: nothing is empty, and a single thing is a list of one."""
    if value is None:
        return []
    if isinstance(value, (list, tuple, range)):
        return list(value)
    return [value] if isinstance(value, (str, dict)) or not isinstance(value, Iterable) else list(value)


def part(value: Any, key: Any) -> Any:
    """Return a part of a thing by its name, `a.b` included; None for none."""
    if key is None:
        return value
    for name in str(key).split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value

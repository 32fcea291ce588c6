"""Filters of lists."""

from functools import cmp_to_key
from typing import Any

from cio_mcp.liquid.filters.table import Table, items, number, part, whole, written, wrong

filters = Table()


@filters("compact")
def compact(value: Any, key: Any = None) -> list[Any]:
    return [item for item in items(value) if part(item, key) is not None]


@filters("concat")
def concat(value: Any, other: Any) -> list[Any]:
    return items(value) + items(other)


@filters("first")
def first(value: Any) -> Any:
    return next(iter(items(value)), None)


@filters("last")
def last(value: Any) -> Any:
    return found[-1] if (found := items(value)) else None


@filters("join", in_context=True)
def join(context: Any, value: Any, between: Any = " ") -> str:
    things, separator = items(value), written(between)
    context.meter.spend(context.meter.weigh(things) + len(things) * len(separator))
    return separator.join(map(written, things))


@filters("json_array_uniq")
def json_array_uniq(value: Any, key: Any = None) -> list[Any]:
    return uniq(value, key)


@filters("uniq")
def uniq(value: Any, key: Any = None) -> list[Any]:
    found: dict[str, Any] = {}
    for item in items(value):
        found.setdefault(repr(part(item, key)), item)
    return list(found.values())


@filters("limit_")  # as scanning writes it
def limit(value: Any, count: Any) -> list[Any]:
    return items(value)[: max(0, whole(count))]


@filters("map")
def map_(value: Any, key: Any) -> list[Any]:
    return [part(item, key) for item in items(value)]


@filters("pop")
def pop(value: Any) -> list[Any]:
    return items(value)[:-1]


@filters("shift")
def shift(value: Any) -> list[Any]:
    return items(value)[1:]


@filters("push", in_context=True)
def push(context: Any, value: Any, item: Any) -> list[Any]:
    return _weighed(context, [*items(value), item])


@filters("unshift", in_context=True)
def unshift(context: Any, value: Any, item: Any) -> list[Any]:
    return _weighed(context, [item, *items(value)])


def _weighed(context: Any, value: list[Any]) -> list[Any]:
    """Return a list that may hold others; one that holds itself over and over is too large."""
    context.meter.spend(context.meter.weigh(value))
    return value


@filters("reverse")
def reverse(value: Any) -> list[Any]:
    return items(value)[::-1]


@filters("size")
def size(value: Any) -> int:
    return len(value) if isinstance(value, (str, list, tuple, dict, range)) else 0


@filters("sort", in_context=True)
def sort(context: Any, value: Any, key: Any = None) -> list[Any]:
    """Sort with regard to case; a list with nothing in it somewhere stays as it is ("Liquid upgrade")."""
    things = items(value)
    if any(part(item, key) is None for item in things):
        return things

    def order(one: Any, other: Any) -> int:
        context.meter.tick()
        return _order(part(one, key), part(other, key))

    return sorted(things, key=cmp_to_key(order))


@filters("sort_natural")
def sort_natural(value: Any, key: Any = None) -> list[Any]:
    return sorted(items(value), key=lambda item: written(part(item, key)).casefold())


def _order(one: Any, other: Any) -> int:
    if not (isinstance(one, (int, float)) and isinstance(other, (int, float))):
        one, other = written(one), written(other)
    return int(one > other) - int(one < other)


@filters("sum")
def sum_(value: Any, key: Any = None) -> int | float:
    return sum(number(part(item, key)) for item in items(value))


@filters("where")
def where(value: Any, key: Any, *wanted: Any) -> list[Any]:
    return [item for item in items(value) if _fits(part(item, key), wanted)]


@filters("where_not")
def where_not(value: Any, key: Any, *wanted: Any) -> list[Any]:
    return [item for item in items(value) if not _fits(part(item, key), wanted)]


@filters("find")
def find(value: Any, key: Any, *wanted: Any) -> Any:
    return next((item for item in items(value) if _fits(part(item, key), wanted)), None)


@filters("group_by")
def group_by(value: Any, key: Any) -> list[dict[str, Any]]:
    return _grouped([(part(item, key), item) for item in items(value)])


@filters("where_exp", in_context=True)
def where_exp(context: Any, value: Any, name: Any, expression: Any) -> list[Any]:
    return [item for item in items(value) if context.holds(name, item, expression)]


@filters("find_exp", in_context=True)
def find_exp(context: Any, value: Any, name: Any, expression: Any) -> Any:
    return next((item for item in items(value) if context.holds(name, item, expression)), None)


@filters("group_by_exp", in_context=True)
def group_by_exp(context: Any, value: Any, name: Any, expression: Any) -> list[dict[str, Any]]:
    return _grouped([(context.value_of(name, item, expression), item) for item in items(value)])


def _fits(found: Any, wanted: tuple[Any, ...]) -> bool:
    if len(wanted) > 1:
        raise wrong("one value is expected")
    return found == wanted[0] if wanted else found not in (None, False)


def _grouped(pairs: list[tuple[Any, Any]]) -> list[dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    for name, item in pairs:
        groups.setdefault(repr(name), {"name": name, "items": []})["items"].append(item)
    return list(groups.values())

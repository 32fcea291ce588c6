"""Filters of numbers, which count as JavaScript does."""

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cio_mcp.liquid.filters.table import Table, narrowed, number, whole, written, wrong

filters = Table()


@filters("plus")
def plus(value: Any, other: Any) -> int | float:
    return _exactly(number(value), number(other), Decimal.__add__)


@filters("minus")
def minus(value: Any, other: Any) -> int | float:
    return _exactly(number(value), number(other), Decimal.__sub__)


@filters("times")
def times(value: Any, other: Any) -> int | float:
    return _exactly(number(value), number(other), Decimal.__mul__)


@filters("divided_by")
def divided_by(value: Any, other: Any, integer: Any = False) -> int | float:
    """Divide; whole numbers too have a rest, as in LiquidJS, unless `integer` is set."""
    by = number(other)
    if by == 0:
        raise wrong("a number is divided by 0")
    found = number(value) / by
    return narrowed(math.floor(found) if integer is True else found)


@filters("modulo")
def modulo(value: Any, other: Any) -> int | float:
    """Return the rest, which is never negative ("Liquid upgrade")."""
    by = number(other)
    if by == 0:
        raise wrong("a number is divided by 0")
    return narrowed(number(value) % abs(by))


@filters("abs")
def absolute(value: Any) -> int | float:
    return abs(number(value))


@filters("ceil")
def ceil(value: Any) -> int | float:
    return narrowed(math.ceil(_finite(value)))


@filters("floor")
def floor(value: Any) -> int | float:
    return narrowed(math.floor(_finite(value)))


@filters("round")
def round_(value: Any, digits: Any = 0) -> int | float:
    step = Decimal(1).scaleb(-max(0, min(20, whole(digits))))
    found = Decimal(repr(float(_finite(value))))
    return narrowed(
        float(found.quantize(step, ROUND_HALF_UP)) if abs(found) < Decimal(10**15) else float(found)
    )


@filters("at_least")
def at_least(value: Any, other: Any) -> int | float:
    return max(number(value), number(other))


@filters("at_most")
def at_most(value: Any, other: Any) -> int | float:
    return min(number(value), number(other))


@filters("random", in_context=True)
def random(context: Any, value: Any) -> int:
    return int(context.chance.randint(0, max(0, whole(value))))


@filters("format_number")
def format_number(value: Any, locale: Any = "en") -> str:
    from babel.numbers import format_decimal  # noqa: PLC0415 - few texts need it

    return format_decimal(number(value), locale=_locale(locale))


@filters("currency")
def currency(value: Any, locale: Any = "en-US", code: Any = None) -> str:
    return _money(number(value), locale, code, None)


@filters("rounded_currency")
def rounded_currency(value: Any, locale: Any = "en-US", code: Any = None) -> str:
    return _money(number(value), locale, code, 0)


def _money(value: float, name: Any, code: Any, digits: int | None) -> str:
    from babel.numbers import format_currency, get_territory_currencies  # noqa: PLC0415 - as above

    locale = _locale(name)
    codes = [written(code)] if code else get_territory_currencies(locale.territory or "US")
    if not codes:
        raise wrong(f"the currency of {written(name)[:20]} is not known")
    found = round_(value) if digits == 0 else value
    pattern = locale.currency_formats["standard"].pattern
    shown = pattern.replace(".00", "") if digits == 0 else None
    return format_currency(found, codes[0], shown, locale=locale, currency_digits=digits is None)


def _locale(name: Any) -> Any:
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - as above

    try:
        return Locale.parse(written(name).replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        raise wrong(f"the locale {written(name)[:20]!r} is not known") from None


def _finite(value: Any) -> int | float:
    found = number(value)
    if not math.isfinite(found):
        raise wrong("a number is too large")
    return found


def _exactly(left: float, right: float, operation: Any) -> int | float:
    """Return what decimal numbers give, without the traces of binary ones; beyond their range a float."""
    if not (math.isfinite(left) and math.isfinite(right)):
        raise wrong("a number is too large")
    found = operation(Decimal(repr(left)), Decimal(repr(right)))
    return narrowed(float(found))

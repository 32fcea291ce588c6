"""Texts read into templates, and what is said of them."""

import re
from functools import lru_cache

from liquid import BoundTemplate
from liquid.builtin.expressions import BooleanExpression, tokenize
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.token import TOKEN_EXPRESSION, Token

from cio_mcp.liquid.comparison import adapt, adapt_all
from cio_mcp.liquid.environment import dialect
from cio_mcp.liquid.metering import TAG, AllowanceSpent, Meter
from cio_mcp.liquid.scanning import LONGEST_TAG, PER_STEP, line_at, scan

# So many texts of so many characters each are kept parsed: with all in tags, each kind takes 20 MB.
KEPT_SHORT, SHORT = 256, 3_000
KEPT_LONG, LONG = 16, 50_000

# Names in one note: more tell a reader nothing.
MOST_NAMES = 100

_NEVER_CLOSED = re.compile(r"expected tag end(\w+), found end of ")


def read(text: str, meter: Meter) -> BoundTemplate:
    """Return a text as a template; raises LiquidError, Unreadable and AllowanceSpent."""
    return parsed_template(scan(text, meter), meter)


def parsed_template(text: str, meter: Meter) -> BoundTemplate:
    """Return a checked text as a template; raises LiquidError."""
    parse = _parsed_short if len(text) <= SHORT else _parsed_long if len(text) <= LONG else _parsed
    return parse(text, meter.bounds.depth)


def _parsed(text: str, depth: int) -> BoundTemplate:
    return adapt_all(dialect(depth).from_string(text))


_parsed_short = lru_cache(maxsize=KEPT_SHORT)(_parsed)
_parsed_long = lru_cache(maxsize=KEPT_LONG)(_parsed)


def condition(text: str, meter: Meter) -> Expression:
    """Return the condition that a text holds; raises LiquidError and AllowanceSpent."""
    if len(text) > LONGEST_TAG:
        raise AllowanceSpent(f"a condition is longer than {LONGEST_TAG:,} characters")
    meter.tick(TAG + len(text) // PER_STEP)
    return _condition(text, meter.bounds.depth)


@lru_cache(maxsize=64)
def _condition(text: str, depth: int) -> Expression:
    token = Token(TOKEN_EXPRESSION, text, 0, text)
    found = BooleanExpression.parse(dialect(depth), TokenStream(tokenize(token.value, token)))
    adapt(found)
    return found


def fault_line(error: LiquidError) -> str:
    """Return what is wrong in one line, with the line of the text where that is known."""
    token, message = error.token, str(error.message)
    if open_tag := _NEVER_CLOSED.match(message):
        message = f"{open_tag[1]} tag was never closed"
    where = f"line {line_at(token.source, token.start_index)}: " if token and token.start_index >= 0 else ""
    return f"{where}{message}"


def add(names: list[str], name: str) -> None:
    """Add a name that is not there yet, to a list that stays short."""
    if len(names) < MOST_NAMES and name not in names:
        names.append(name)

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
from cio_mcp.liquid.metering import Exceeded
from cio_mcp.liquid.results import Bounds
from cio_mcp.liquid.scanning import checked, line_at

# Names in one note: more tell a reader nothing.
MOST_NAMES = 100

_NEVER_CLOSED = re.compile(r"expected tag end(\w+), found end of ")


@lru_cache(maxsize=16)
def read(text: str, bounds: Bounds) -> BoundTemplate:
    """Return a text as a template; raises LiquidError and Unreadable."""
    if len(text) > bounds.text:
        raise Exceeded(f"it is longer than {bounds.text:,} characters")
    return adapt_all(dialect(bounds.depth).from_string(checked(text)))


@lru_cache(maxsize=64)
def condition(text: str, bounds: Bounds) -> Expression:
    """Return the condition that a text holds; raises LiquidError."""
    token = Token(TOKEN_EXPRESSION, text[: bounds.text], 0, text)
    found = BooleanExpression.parse(dialect(bounds.depth), TokenStream(tokenize(token.value, token)))
    adapt(found)
    return found


def told(error: LiquidError) -> str:
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

"""How values compare: as in JavaScript, where python-liquid follows Ruby."""

import math
from typing import Any

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.expressions import logical as library
from liquid.builtin.expressions.primitive import Blank
from liquid.context import RenderContext
from liquid.exceptions import LiquidError
from liquid.expression import Expression

from cio_mcp.liquid.filters.table import number


def equal(left: Any, right: Any) -> bool:
    """Say whether two values are equal; nothing, false and white space are all blank."""
    one, other = _plain(left), _plain(right)
    if isinstance(one, Blank) or isinstance(other, Blank):
        one, other = (one, other) if isinstance(one, Blank) else (other, one)
        return other is None or other is False or bool(one == other)
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def less(left: Any, right: Any, *, or_equal: bool = False) -> bool:
    """Say whether a value is less; a text is compared with a number as the number that it may hold."""
    one, other = _plain(left), _plain(right)
    if one is None or other is None:
        return False
    if not (isinstance(one, str) and isinstance(other, str)):
        one, other = _number(one), _number(other)
    return bool(one <= other if or_equal else one < other)


def _plain(value: Any) -> Any:
    return value.__liquid__() if hasattr(value, "__liquid__") else value


def _number(value: Any) -> float:
    try:
        return number(value)
    except LiquidError:
        return math.nan


class _Equal(library.EqExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return equal(self.left.evaluate(context), self.right.evaluate(context))


class _Unequal(library.NeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return not equal(self.left.evaluate(context), self.right.evaluate(context))


class _Less(library.LtExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return less(self.left.evaluate(context), self.right.evaluate(context))


class _LessOrEqual(library.LeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return less(self.left.evaluate(context), self.right.evaluate(context), or_equal=True)


class _Greater(library.GtExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return less(self.right.evaluate(context), self.left.evaluate(context))


class _GreaterOrEqual(library.GeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return less(self.right.evaluate(context), self.left.evaluate(context), or_equal=True)


OWN: dict[type[Expression], type[Expression]] = {
    own.__bases__[0]: own for own in (_Equal, _Unequal, _Less, _LessOrEqual, _Greater, _GreaterOrEqual)
}


def adapt(expression: Expression) -> None:
    """Let an expression compare as the dialect does: python-liquid's parser makes none of our classes."""
    if own := OWN.get(type(expression)):
        expression.__class__ = own
    for child in expression.children():
        adapt(child)


def adapt_all(template: BoundTemplate) -> BoundTemplate:
    """Adapt all expressions of a template."""
    context, rest = RenderContext(template), list[Node](template.nodes)
    while rest:
        node = rest.pop()
        for expression in node.expressions():
            adapt(expression)
        rest += node.children(context)
    return template

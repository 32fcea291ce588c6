"""python-liquid, set up as the dialect: its tags, how it prints, and what it says of unknown ones."""

from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

from liquid import BoundTemplate, Environment, Mode
from liquid.ast import Node
from liquid.builtin import output
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.tags.assign_tag import AssignNode, AssignTag
from liquid.exceptions import LiquidSyntaxError
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_ILLEGAL, TOKEN_TAG

from cio_mcp.liquid.filters.table import written
from cio_mcp.liquid.tags import TAGS

if TYPE_CHECKING:
    from liquid.context import RenderContext
    from liquid.stream import TokenStream

# Tags of python-liquid that Customer.io does not list.
UNLISTED = (
    "tablerow",
    "increment",
    "decrement",
    "echo",
    "liquid",
    "include",
    "render",
    "ifchanged",
    "#",
    "doc",
)


class PrintNode(output.OutputNode):
    """`{{ … }}`: tells what it has no value for."""

    def render_to_output(self, context: "RenderContext", buffer: TextIO) -> int:
        """Print the value."""
        text = written(context.shown(self.expression.evaluate(context)))  # type: ignore[attr-defined]
        if not text and (path := printed_path(self.expression)):
            context.prints_nothing(path)  # type: ignore[attr-defined]
        return buffer.write(text)


class PrintTag(output.Output):
    """Pseudo tag for `{{ … }}`."""

    node_class = PrintNode


class KeepNode(AssignNode):
    """`assign`: a missing variable is no fault until it is printed."""

    def render_to_output(self, context: "RenderContext", _: TextIO) -> int:
        """Keep the value."""
        with context.lenient():  # type: ignore[attr-defined]
            value = self.expression.evaluate(context)
            context.keep(str(self.name), value, self.stands_for())  # type: ignore[attr-defined]
        return 0

    def stands_for(self) -> Path | None:
        """Return the variable that the assigned one is another name for."""
        plain = isinstance(self.expression, FilteredExpression) and not self.expression.filters
        return printed_path(self.expression) if plain else None


class KeepTag(AssignTag):
    """The tag `assign`."""

    node_class = KeepNode


class UnknownNode(Node):
    """A tag that the dialect does not have: it prints nothing."""

    def render_to_output(self, context: "RenderContext", _: TextIO) -> int:
        """Tell that it is unknown."""
        context.meets_unknown("tag", self.token.value)  # type: ignore[attr-defined]
        return 0


class UnknownTag(Tag):
    """Stands for each unknown tag; what only stands inside or at the end of another is a fault."""

    name = TOKEN_ILLEGAL
    block = False

    def parse(self, stream: "TokenStream") -> Node:
        """Pass over the tag."""
        token = stream.expect(TOKEN_TAG) or stream.current
        if token.value in {"elsif", "else", "when"} or token.value.removeprefix("end") in self.env.tags:
            raise LiquidSyntaxError(f"unexpected tag '{token.value}'", token=token)
        if stream.peek.kind == TOKEN_EXPRESSION:
            next(stream)
        return UnknownNode(token)


class Dialect(Environment):
    """The environment in which texts are read."""

    suppress_blank_control_flow_blocks = False
    template_class = BoundTemplate

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register the dialect's tags; its filters are found by the rendering."""
        super().setup_tags_and_filters(extra=extra)
        for name in UNLISTED:
            self.tags.pop(name, None)
        self.filters.clear()
        own: tuple[type[Tag], ...] = (PrintTag, KeepTag, UnknownTag, *TAGS)
        for tag in own:
            self.add_tag(tag)


@cache
def dialect(depth: int) -> Dialect:
    """Return the environment for texts with blocks so deep."""
    found = Dialect(tolerance=Mode.STRICT)
    found.block_nesting_limit = depth  # type: ignore[misc]
    found.context_depth_limit = 3 * depth + 10  # type: ignore[misc]
    return found


def printed_path(expression: Any) -> Path | None:
    """Return the variable that an expression starts with, None where it starts with something else."""
    left = expression.left if isinstance(expression, FilteredExpression) else expression
    return left if isinstance(left, Path) else None

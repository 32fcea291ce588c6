"""Which variables a text uses, and how: what a message needs before it is rendered for anybody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.expressions import (
    Filter,
    FilteredExpression,
    Literal,
    LoopExpression,
    Path,
    StringLiteral,
)
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.context import RenderContext
from liquid.exceptions import LiquidError
from liquid.expression import Expression

from cio_mcp.liquid.context import DEPTH
from cio_mcp.liquid.environment import KeepNode, UnknownNode
from cio_mcp.liquid.filters import FILTERS, TAKES
from cio_mcp.liquid.filters.table import written
from cio_mcp.liquid.metering import AllowanceSpent, Meter
from cio_mcp.liquid.results import Uses, Variable, notation, source_of
from cio_mcp.liquid.scanning import Links, Unreadable, line_at, scan
from cio_mcp.liquid.tags import LinkNode, address_in
from cio_mcp.liquid.templates import add, condition, fault_line, parsed_template


@dataclass(frozen=True)
class _Place:
    """Where a use stands: `conditional` where nothing is printed without a value, or nothing has to be."""

    conditional: bool = False
    in_link: bool = False
    depth: int = 0


@dataclass(frozen=True)
class _How:
    """What the filters on a variable say of it."""

    has_default: bool = False
    default: str | None = None
    used_as: str | None = None


_PLAIN, _LIST = _How(), _How(used_as="a list")


@dataclass
class _Use:
    """All uses of one variable."""

    has_default: bool = True
    bare: bool = False
    in_link: bool = False
    bare_in_link: bool = False
    default: str | None = None
    used_as: str | None = None

    def add(self, place: _Place, how: _How) -> None:
        bare = not (how.has_default or place.conditional)
        self.has_default &= how.has_default
        self.bare |= bare
        self.in_link |= place.in_link
        self.bare_in_link |= bare and place.in_link
        self.default = how.default if self.default is None else self.default
        self.used_as = self.used_as or how.used_as


@dataclass
class _Reader:
    """Walks over the tree of a text and of the texts in it.

    `names` maps the text's own variables to what they stand for, None for what only the text knows.
    """

    snippets: Mapping[str, Any]
    meter: Meter
    used: dict[str, _Use] = field(default_factory=dict)
    found: Uses = field(default_factory=Uses)
    names: dict[str, str | None] = field(default_factory=dict)
    links: Links = field(default_factory=lambda: Links(""))
    within: tuple[str, ...] = ()

    def text(self, text: str, place: _Place) -> None:
        """Read a text with variables of its own."""
        plain = scan(text, self.meter)
        template = parsed_template(plain, self.meter)
        outer = self.names, self.links
        self.names, self.links = {}, Links(plain)
        self.nodes(template, template.nodes, place)
        self.names, self.links = outer

    def nodes(self, template: BoundTemplate, nodes: Iterable[Node], place: _Place) -> None:
        for node in nodes:
            self.node(template, node, place)

    def node(self, template: BoundTemplate, node: Node, place: _Place) -> None:
        self.meter.tick()
        here = replace(place, in_link=place.in_link or node.token.start_index in self.links)
        if isinstance(node, UnknownNode):
            add(self.found.unknown, f"tag {node.token.value}")
        if isinstance(node, LinkNode):
            here = replace(here, in_link=True)
            if not node.expression:
                self.text(address_in(node.said), here)
        tested = isinstance(node, (IfNode, UnlessNode, CaseNode))
        kept = node if isinstance(node, KeepNode) else None
        for expression in node.expressions():
            self.expression(
                expression, replace(here, conditional=here.conditional or tested or kept is not None)
            )
        if kept:
            other = kept.stands_for()
            self.names[str(kept.name)] = self.path(other) if other else None
        elif isinstance(node, CaptureNode):
            self.names[str(node.name)] = None
        inside = replace(place, conditional=place.conditional or tested or isinstance(node, ForNode))
        own = self.loop(node) if isinstance(node, ForNode) else {}
        with self.naming(own):
            self.nodes(template, node.children(RenderContext(template)), inside)

    def loop(self, node: ForNode) -> dict[str, str | None]:
        """Return what the variables of a loop stand for."""
        items = node.expression.iterable
        path = self.path(items) if isinstance(items, Path) else None
        return {"forloop": None, str(node.expression.identifier): f"{path}[]" if path else None}

    @contextmanager
    def naming(self, own: dict[str, str | None]) -> Iterator[None]:
        """Inside this context a text has variables of its own; after it, those names mean what they did."""
        before = {name: self.names[name] for name in own if name in self.names}
        self.names |= own
        yield
        for name in own:
            self.names.pop(name, None)
        self.names |= before

    def expression(self, expression: Expression, place: _Place, how: _How = _PLAIN) -> None:
        self.meter.tick()
        match expression:
            case Path():
                self.use(expression, place, how)
            case FilteredExpression():
                filters = expression.filters or []
                for named in filters:
                    if named.name not in FILTERS:
                        add(self.found.unknown, f"filter {named.name}")
                self.expression(expression.left, place, _how(filters))
                for named in filters:
                    self.arguments(named.name, [argument.value for argument in named.args], place)
            case LoopExpression():
                self.expression(expression.iterable, place, _LIST)
                for limit in (expression.limit, expression.offset):
                    if limit:
                        self.expression(limit, place)
            case _:
                for child in expression.children():
                    self.expression(child, place)

    def arguments(self, name: str, given: list[Expression], place: _Place) -> None:
        """Read a filter's arguments; two may be a name and a condition on it, as texts."""
        match given:
            case [StringLiteral() as item, StringLiteral() as text] if name.endswith("_exp"):
                with self.naming({item.value: None}):
                    self.expression(condition(text.value, self.meter), replace(place, conditional=True))
            case _:
                for argument in given:
                    self.expression(argument, place)

    def use(self, expression: Path, place: _Place, how: _How) -> None:
        for part in expression.path:
            if isinstance(part, Path):
                self.use(part, place, _How(how.has_default))
        if (path := self.path(expression)) is None:
            return
        self.used.setdefault(path, _Use()).add(place, how)
        value: Any = self.snippets
        for name in expression.path[1:] if expression.path[0] == "snippets" else ():
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, str) and path not in self.within and place.depth < DEPTH:
            outer, self.within = self.within, (*self.within, path)
            self.text(value, replace(place, depth=place.depth + 1))
            self.within = outer

    def path(self, expression: Path) -> str | None:
        """Return a variable's path; None for one that only the text knows."""
        root, *rest = (
            self.path(part) or str(part) if isinstance(part, Path) else part for part in expression.path
        )
        if len(rest) > 1 and rest[-1] == "size":
            del rest[-1]  # how many there are of them; an attribute can have this name, and a part hardly
        if str(root) in self.names:
            known = self.names[str(root)]
            return None if known is None else notation([known, *rest])
        return notation([root, *rest])


def _how(filters: Sequence[Filter]) -> _How:
    """Return what filters say of the value that they are on: the first tells a default, or what it is."""
    first = filters[0] if filters else None
    rest = filters[1:] if first and first.name == "default" else filters
    used_as = TAKES.get(rest[0].name) if rest else None
    if rest and used_as and rest[0].name.endswith("currency"):
        codes = [written(given.value.value) for given in rest[0].args[1:] if isinstance(given.value, Literal)]
        used_as += "".join(f" in {code}" for code in codes[:1])
    if not first or first.name != "default":
        return _How(used_as=used_as)
    other = first.args[0].value if first.args else None
    known = written(other.value) if isinstance(other, Literal) else None if other else ""
    return _How(has_default=True, default=known, used_as=used_as)


def uses(text: str, snippets: Mapping[str, Any], meter: Meter) -> Uses:
    """Tell what a text with Liquid uses."""
    reader = _Reader(snippets, meter)
    found = reader.found
    try:
        reader.text(text, _Place())
    except AllowanceSpent as exceeded:
        found.fault = f"cut: {exceeded}"
    except Unreadable as unreadable:
        found.fault = f"line {line_at(text, unreadable.at)}: {unreadable}"
    except LiquidError as error:
        found.fault = fault_line(error)
    except RecursionError:
        found.fault = "it is nested too deeply"
    found.variables = [Variable(path, source_of(path), **vars(use)) for path, use in reader.used.items()]
    return found

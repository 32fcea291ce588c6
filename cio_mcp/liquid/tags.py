"""The tags that only Customer.io has ("Liquid syntax list").

Addresses that Customer.io makes when it sends are printed as `#unsubscribe_url` and so on, so that a
reader sees which link stands there.
"""

import re
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from liquid.ast import Node
from liquid.builtin.expressions import Path, tokenize
from liquid.exceptions import LiquidSyntaxError
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG, Token

from cio_mcp.liquid.filters.table import whole, written

if TYPE_CHECKING:
    from liquid.expression import Expression

# Tags that print an address, or an identifier of one, which only a sent message has.
MADE_WHEN_SENT = (
    *("unsubscribe_url", "view_in_browser_url", "manage_subscription_preferences_url"),
    *("tracking_consent_url", "cio_link_id", "countdown"),
)

_URL = re.compile(r"url\s*:\s*(?:\"([^\"]*)\"|'([^']*)'|((?:\{\{[^{}]{0,2000}\}\}|\S)+))")
_PATH = re.compile(r"[A-Za-z_][\w.\[\]'\"-]*")


class OwnNode(Node):
    """A tag of Customer.io's; `said` is what stands behind its name."""

    def __init__(self, token: Token, said: str, expression: "Expression | None" = None) -> None:
        super().__init__(token)
        self.blank = False
        self.said, self.expression = said, expression

    def expressions(self) -> Iterable["Expression"]:
        """Return the variable that the tag uses."""
        return [self.expression] if self.expression else []

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        """Print what the tag stands for."""
        return buffer.write(self.printed(context))

    def printed(self, _: Any) -> str:
        """Return what the tag stands for."""
        return f"#{self.token.value}"


class LinkNode(OwnNode):
    """`cio_link url:…`: the address, which may be a variable or hold Liquid."""

    def printed(self, context: Any) -> str:
        """Return the address."""
        if self.expression:
            return written(context.shown(self.expression.evaluate(context)))
        return str(context.inside(address_in(self.said)))


class UnsubscribeNode(OwnNode):
    """`unsubscribe`: a whole link."""

    def printed(self, _: Any) -> str:
        """Return the link."""
        return '<a href="#unsubscribe_url">unsubscribe</a>'


class RandomNode(OwnNode):
    """`random N`: a number up to N."""

    def printed(self, context: Any) -> str:
        """Return the number."""
        return str(context.chance.randint(0, max(0, whole(self.said))))


class UuidNode(OwnNode):
    """`generate_uuid`: an identifier that no other message has."""

    def printed(self, context: Any) -> str:
        """Return the identifier."""
        return str(uuid.UUID(int=context.chance.getrandbits(128), version=4))


class TopicNode(OwnNode):
    """`subscription_topic_name`: of the message's topic, as far as the data has it."""

    def printed(self, context: Any) -> str:
        """Return the name."""
        path = ["message", "subscription_topic", "name"]
        return written(context.shown(context.get(path, token=self.token)))


class StoredNode(OwnNode):
    """`render_liquid PATH`: renders the Liquid in a variable."""

    def printed(self, context: Any) -> str:
        """Return the rendered text."""
        value = self.expression.evaluate(context) if self.expression else None
        return str(context.inside(written(context.shown(value))))


class OwnTag(Tag):
    """How these tags are read."""

    block = False
    node_class: type[OwnNode] = OwnNode

    def parse(self, stream: TokenStream) -> OwnNode:
        """Read the tag."""
        token, said = stream.expect(TOKEN_TAG) or stream.current, ""
        if stream.peek.kind == TOKEN_EXPRESSION:
            next(stream)
            said = stream.current.value
        return self.node_class(token, said, self.variable(said, stream.current))

    def variable(self, _said: str, _token: Token) -> "Expression | None":
        """Return the variable that stands in the tag."""
        return None

    def path(self, said: str, token: Token) -> "Expression":
        """Return a path as an expression."""
        return Path.parse(self.env, TokenStream(tokenize(said, token)))


class LinkTag(OwnTag):
    """The tag `cio_link`."""

    name, node_class = "cio_link", LinkNode

    def variable(self, said: str, token: Token) -> "Expression | None":
        """Return the address where it is a variable."""
        if not (found := _URL.search(said)):
            raise LiquidSyntaxError("cio_link has no url", token=token)
        return self.path(found[3], token) if found[3] and _PATH.fullmatch(found[3]) else None


class StoredTag(OwnTag):
    """The tag `render_liquid`."""

    name, node_class = "render_liquid", StoredNode

    def variable(self, said: str, token: Token) -> "Expression":
        """Return the variable whose text is rendered."""
        return self.path(said, token)


def address_in(said: str) -> str:
    """Return the address that a `cio_link` names."""
    found = _URL.search(said)
    return next((address for address in found.groups() if address is not None), "") if found else ""


def _named(name: str, node: type[OwnNode] = OwnNode) -> type[OwnTag]:
    return type(f"Tag_{name}", (OwnTag,), {"name": name, "node_class": node})


TAGS: tuple[type[Tag], ...] = (
    *(LinkTag, StoredTag, _named("unsubscribe", UnsubscribeNode), _named("random", RandomNode)),
    *(_named("generate_uuid", UuidNode), _named("subscription_topic_name", TopicNode)),
    *(_named(name) for name in MADE_WHEN_SENT),
)

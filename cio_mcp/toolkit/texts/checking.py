"""What a message would say with the data of a send, to a person of whom the attributes are known or not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cio_mcp.liquid import LeftTags, Meter, render, source_of
from cio_mcp.liquid.results import SOURCES
from cio_mcp.toolkit.answers.quoting import hosts, plain_name, quoted
from cio_mcp.toolkit.texts.messages import Text
from cio_mcp.toolkit.texts.readable import readable
from cio_mcp.toolkit.texts.rendering import message_data
from cio_mcp.toolkit.texts.variables import TextUses, uses_of

# Characters of the body that a preview shows.
OPENING = 200

# Where variables come from that no caller can pass: where one is missing, the message fails all the same.
OURS = {"customer", "snippet"}

# Characters up to which texts are short, as those of most messages: the uses of many are kept, 30 MB in all.
# Of longer ones those of a few are, so that each is looked through once a call.
SHORT, LONG_ONES = 100_000, 4


@dataclass(frozen=True)
class MessageCheck:
    """What a message says: its first text, and the links of all; and why somebody would not get it."""

    sender: str = ""
    subject: str = ""
    preheader: str = ""
    opening: str = ""
    links: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()


@dataclass
class Filling:
    """Fills texts with what is known: the data of the call, snippets, a customer's attributes, each if it is.

    What needs more than that stays as it is written.
    """

    known: Mapping[str, Any]
    now: float
    meter: Meter = field(default_factory=Meter)
    fails: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = LeftTags(SOURCES.keys() - self.known.keys())
        snippets = self.known.get("snippets") or {}
        plain = {name: self._left.without(words) for name, words in snippets.items()}
        self._data = dict(self.known) | ({"snippets": plain} if "snippets" in self.known else {})

    def __call__(self, name: str, text: str | None) -> str:
        """Return the field `name` of a text, filled; note what makes the message fail."""
        found = render(self._left.without(text or ""), self._data, now=self.now, meter=self.meter)
        lacking = [f"{plain_name(path)} has no value" for path in found.missing if source_of(path) in OURS]
        told = [*([f"{name}: {quoted(found.fault)}"] if found.fault else []), *lacking]
        self.fails += [why for why in told if why not in self.fails]
        return (text or "") if found.fault else self._left.back(found.text)


def check_message(
    texts: Sequence[Text], known: Mapping[str, Any], now: float, hide: Callable[[str], str]
) -> MessageCheck:
    """Return what a message says with what is `known`, by the first part of a variable's name.

    `hide` hides people in its opening, before that is cut.
    """
    if not texts:
        return MessageCheck()
    first = texts[0].fields
    fill = Filling({**known, "message": message_data(texts[0])}, now)
    bodies = [fill("body", text.fields.text("body")) for text in texts]
    return MessageCheck(
        sender=fill("from", first.text("from")),
        subject=fill("subject", first.text("subject")),
        preheader=fill("preheader", first.text("preheader_text")),
        opening=readable(bodies[0], hide).text[:OPENING],
        links=tuple(hosts(bodies)),
        fails=tuple(fill.fails),
    )


def uses_in(texts: Sequence[Text], snippets: Mapping[str, str] | None = None) -> TextUses:
    """Return what the texts of a message use together, and the snippets in them, as far as they are given."""
    snippets = snippets or {}
    written = tuple(tuple(text.written.items()) for text in texts)
    size = sum(len(words) for fields in [*written, snippets.items()] for _, words in fields)
    return (uses_of if size < SHORT else _uses_of_long)(written, tuple(snippets.items()))


_uses_of_long = lru_cache(maxsize=LONG_ONES)(uses_of.__wrapped__)

"""HTML as a stream of tags and texts, in one pass over whatever comes: no text of a message makes it slow.

Browsers repair broken HTML by rules that fill a book. This reads what mail has: what does not close is text,
and Liquid, which may stand anywhere, is no markup.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cio_mcp.liquid import spans

# Quotations in one tag; with more it is none. After some that are none, few are looked at.
MOST_QUOTES, FEW_QUOTES, MOST_BROKEN = 200, 3, 100

# Characters of one tag that are looked at, and of one value in it: the rest is an image in a data URI.
LONGEST_TAG, LONGEST_VALUE = 20_000, 2_000

# Liquid is put aside under numbers between two characters that no text has.
_PLACE = re.compile("\ue000(\\d+)\ue001")

_NAME = re.compile(r"/?[a-zA-Z][a-zA-Z0-9:-]{0,30}")
_STOP = re.compile(r"[>\"']")
_ATTRIBUTE = re.compile(r"([a-zA-Z_:@-]{1,30})\s{0,9}(?:=\s{0,9}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")

# What has no text to read, up to its end.
_SILENT = {"script", "style", "head", "title", "template", "noscript", "svg", "object", "iframe", "math"}


@dataclass(frozen=True)
class Tag:
    """A tag: `closes` for an end tag, `at` its place. Attributes are read when they are asked for."""

    name: str
    closes: bool
    inside: str
    at: int = 0

    def attributes(self) -> dict[str, str]:
        """Return the attributes by name, in lower case; the first of a name counts."""
        found: dict[str, str] = {}
        inside = self.inside if len(self.inside) <= LONGEST_TAG else self.inside[:LONGEST_TAG] + '"'
        for name, *values in _ATTRIBUTE.findall(inside):
            value = next((value for value in values if value), "")
            found.setdefault(name.lower(), html.unescape(value[:LONGEST_VALUE]))
        return found


class Markup:
    """A text with HTML and Liquid, read once."""

    def __init__(self, text: str) -> None:
        text = text.translate({0xE000: None, 0xE001: None})
        self._broken = 0
        places = list(spans(text))
        self._liquid = [text[start:end] for start, end in places]
        done, parts = 0, list[str]()
        for number, (start, end) in enumerate(places):
            parts += [text[done:start], f"\ue000{number}\ue001"]
            done = end
        self._text = "".join([*parts, text[done:]])

    def whole(self, text: str) -> str:
        """Return a piece of text with its Liquid back in place."""
        return _PLACE.sub(lambda place: self._liquid[int(place[1])], text)

    def lines(self, start: int, end: int) -> int:
        """Return how many lines end between two places of tags."""
        return self.whole(self._text[start:end]).count("\n")

    def parts(self) -> Iterator[Tag | str]:
        """Yield tags and the texts between them, entities resolved, comments and what is silent left out."""
        text, at, never = self._text, 0, set[str]()

        def find(what: str, start: int) -> int:
            if what in never:
                return -1
            if (found := lower.find(what, start)) < 0:
                never.add(what)
            return found

        lower = text.lower()
        while at < len(text):
            start = text.find("<", at)
            if start < 0:
                start = len(text)
            if start > at:
                yield html.unescape(text[at:start])
            if start == len(text):
                return
            if text.startswith("<!--", start):
                # What Outlook alone reads stands in a comment, and what it alone skips between two of them.
                end = find("-->", start + 4)
                at = len(text) if end < 0 else end + 3
                continue
            if text.startswith(("<!", "<?"), start):
                end = find(">", start)
                at = len(text) if end < 0 else end + 1
                continue
            name = _NAME.match(text, start + 1)
            end = self._end(start + 1, find) if name else -1
            if not name or end < 0:
                yield "<"
                at = start + 1
                continue
            tag = Tag(name[0].lstrip("/").lower(), name[0].startswith("/"), text[name.end() : end], start)
            at = end + 1
            if tag.name in _SILENT and not tag.closes and not tag.inside.endswith("/"):
                closing = find(f"</{tag.name}", at)
                if closing >= 0:
                    after = find(">", closing)
                    at = len(text) if after < 0 else after + 1
                continue
            yield tag

    def _end(self, start: int, find: Callable[[str, int], int]) -> int:
        """Return where a tag ends: at the first `>` that is in no quotation marks."""
        text, at = self._text, start
        for _ in range(MOST_QUOTES if self._broken < MOST_BROKEN else FEW_QUOTES):
            if find(">", at) < 0 or not (stop := _STOP.search(text, at)):
                break
            if stop[0] == ">":
                return stop.start()
            closing = find(stop[0], stop.end())
            at = stop.end() if closing < 0 else closing + 1
        self._broken += 1
        return -1

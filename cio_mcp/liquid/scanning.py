"""A first look at a text: that each tag is closed, and where links are.

python-liquid finds tags with a pattern that takes time by the square of what is not closed, so such texts
are refused here, in one pass.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

from cio_mcp.liquid.metering import TAG, AllowanceSpent, Meter

# Characters of one tag, brackets in it, and white space in it at one place: real ones have far less.
LONGEST_TAG, MOST_BRACKETS, LONGEST_GAP = 20_000, 100, 50

# A step for so many characters of a tag, beside those that each tag takes.
PER_STEP = 8

_ANY = re.compile(r"\{[{%]")
_OPENS = re.compile(r"\{\{|\{%-?\s{0,50}(?:(?P<verbatim>raw|doc)\s{0,50}-?%\})?")

# A gap, and names that python-liquid takes for words of its own: it reads that of a part in brackets, and
# that of a filter with a line behind it.
_REWRITTEN = re.compile(
    rf"(?P<gap>\s{{{LONGEST_GAP},}})|\"[^\"]*\"|'[^']*'"
    r"|\.(?P<word>and|as|blank|cols|contains|continue|else|empty|false|for|if|in|limit|nil|not|null|offset|or"
    r"|required|reversed|true|with)(?![\w-])|\|\s*(?P<filter>contains|limit)(?![\w-])"
)

# Liquid in an address is part of it, whatever quotes it has. What is read so is not read in another way: that
# would take twice as long for each tag.
_LIQUID = r"(?>\{\{[^{}]{0,2000}\}\}|\{%[^{}]{0,2000}%\})"
_LINKS = re.compile(
    rf"(?:href|src|action)\s{{0,9}}=\s{{0,9}}(?:\"(?:{_LIQUID}|[^\"]){{0,9000}}+\"|'(?:{_LIQUID}|[^']){{0,9000}}+')"
    rf"|(?:https?|mailto|tel|sms):(?:{_LIQUID}|[^\s\"'<>]){{0,9000}}+",
    re.IGNORECASE,
)


class Unreadable(Exception):
    """A tag does not end, or not soon enough; `at` is where it begins."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


def scan(text: str, meter: Meter) -> str:
    """Return a text as python-liquid can read it; raises Unreadable and AllowanceSpent."""
    if len(text) > meter.bounds.text:
        raise AllowanceSpent(f"it is longer than {meter.bounds.text:,} characters")
    meter.spend(len(text))
    parts: list[str] = []
    done = at = 0
    while found := _OPENS.search(text, at):
        opens, start = found[0][:2], found.start()
        if found["verbatim"]:
            closes = re.compile(rf"\{{%-?\s{{0,50}}end{found['verbatim']}\s{{0,50}}-?%\}}")
            if not (end := closes.search(text, found.end())):
                raise Unreadable(f"{found['verbatim']} tag was never closed", start)
            at = end.end()
            continue
        closing = "}}" if opens == "{{" else "%}"
        end_at = text.find(closing, start + 2)
        if end_at < 0:
            raise Unreadable(f"{opens} was never closed with {closing}", start)
        if end_at - start > LONGEST_TAG:
            raise Unreadable(f"{opens} is longer than {LONGEST_TAG} characters", start)
        at = end_at + 2
        inside = text[start:at]
        meter.tick(TAG + len(inside) // PER_STEP)
        if inside.count("(") + inside.count("[") > MOST_BRACKETS:
            raise Unreadable(f"{opens} has more than {MOST_BRACKETS} brackets", start)
        if (plain := _REWRITTEN.sub(_plain, inside)) != inside:
            parts += [text[done:start], plain]
            done = at
    return "".join([*parts, text[done:]])


def _plain(found: re.Match[str]) -> str:
    if found["gap"]:
        return " "
    if found["filter"]:
        return f"|{found['filter']}_"
    return f'["{found["word"]}"]' if found["word"] else found[0]


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each tag stands in a text; what is not closed is none."""
    at, unclosed = 0, set[str]()
    while found := _ANY.search(text, at):
        end = -1 if found[0] in unclosed else text.find("}}" if found[0] == "{{" else "%}", found.end())
        if end < 0:
            unclosed.add(found[0])
            at = found.end()
        else:
            yield found.start(), end + 2
            at = end + 2


def line_at(text: str, at: int) -> int:
    """Return the line of a place in a text."""
    return text.count("\n", 0, at) + 1


class Links:
    """The places of a text that are part of an address."""

    def __init__(self, text: str) -> None:
        spans = [found.span() for found in _LINKS.finditer(text)]
        self._starts, self._ends = [start for start, _ in spans], [end for _, end in spans]

    def __contains__(self, at: int) -> bool:
        number = bisect_right(self._starts, at) - 1
        return number >= 0 and at < self._ends[number]

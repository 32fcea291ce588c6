"""A sheet that is drawn on from top to bottom, as SVG."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

WIDE, MARGIN = 760, 20

GROUND, TEXT, SOFT, LINE, NOW, BEFORE, BAD = (
    *("#ffffff", "#1c1f23", "#5a626c", "#d5d9de", "#0b62a8", "#8794a3", "#b3261e"),
)

# What cannot be seen or would turn the direction of the text after it, and what XML lacks.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)

# Widths of letters in parts of their size, on the safe side of the font's.
_NARROW, _BROAD = frozenset("iljtfrI.,:;'|!()[] -"), frozenset("mwMW@%&")


@dataclass
class Sheet:
    """What was drawn, down to `y`; sizes are in CSS pixels."""

    y: float = MARGIN / 2
    drawn: list[str] = field(default_factory=list)

    def text(
        self,
        words: str,
        x: float,
        size: int = 13,
        color: str = TEXT,
        *,
        bold: bool = False,
        end: bool = False,
    ) -> None:
        """Write on the line that `y` is the foot of; from `x` on, or up to it."""
        weight, anchor = (" font-weight='bold'" if bold else ""), (" text-anchor='end'" if end else "")
        self.drawn.append(
            f"<text x='{x:.1f}' y='{self.y:.1f}' font-size='{size}' fill='{color}'{weight}{anchor}>"
            f"{quoteattr(_clean(words))[1:-1]}</text>"
        )

    def paragraph(
        self,
        words: str,
        size: int = 13,
        color: str = TEXT,
        *,
        most: int = 2,
        bold: bool = False,
        x: int = MARGIN,
    ) -> None:
        """Write in at most so many lines, from `x` to the margin."""
        for line in _lines(words, (WIDE - MARGIN - x) / size, most):
            self.y += size * 1.4
            self.text(line, x, size, color, bold=bold)

    def bar(self, x: float, wide: float, high: float, color: str) -> None:
        """Draw a bar that stands on `y`."""
        self.drawn.append(
            f"<rect x='{x:.1f}' y='{self.y - high:.1f}' width='{wide:.1f}' height='{high}' rx='2' "
            f"fill='{color}'/>"
        )

    def line(
        self, points: Sequence[tuple[float, float]], color: str = LINE, dashes: str = "", wide: float = 1
    ) -> None:
        """Draw a line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.drawn.append(
            f"<polyline points='{path}' fill='none' stroke='{color}' stroke-width='{wide}'"
            + (f" stroke-dasharray='{dashes}'/>" if dashes else "/>")
        )

    @property
    def svg(self) -> str:
        """The drawing."""
        high = round(self.y + MARGIN)
        return (
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDE}' height='{high}' "
            "font-family='sans-serif'>"
            f"<rect width='{WIDE}' height='{high}' fill='{GROUND}'/>{''.join(self.drawn)}</svg>"
        )


def fitting_words(words: str, wide: float, size: int) -> str:
    """Return as much of a text as fits."""
    return _lines(words, wide / size, 1)[0]


def _clean(words: str) -> str:
    return _UNSEEN.sub(" ", words)


def _lines(words: str, wide: float, most: int) -> list[str]:
    """Return a text in lines that fit `wide`, in parts of the letters' size; … ends one that is cut."""
    lines, line, used, blank = list[str](), "", 0.0, 0
    for letter in _clean(words):
        broad = _width(letter)
        if used + broad > wide - 1:
            if len(lines) == most - 1:
                return [*lines, line.rstrip() + "…"]
            head, rest = (line[:blank], line[blank:]) if blank else (line, "")
            lines.append(head)
            line, blank = rest.lstrip(), 0
            used = sum(map(_width, line))
        line, used = line + letter, used + broad
        if letter == " ":
            blank = len(line)
    return [*lines, line]


def _width(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0
    if (
        letter in _BROAD
        or unicodedata.east_asian_width(letter) in "WF"
        or unicodedata.category(letter) == "So"
    ):
        return 1.1
    if letter > "\u024f":  # of another font, maybe
        return 0.7
    return 0.3 if letter in _NARROW else 0.62 if letter.isupper() else 0.52

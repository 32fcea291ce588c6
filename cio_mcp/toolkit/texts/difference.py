"""The difference between two texts: removed lines begin with `-`, added lines with `+`."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

# A text is compared in pieces: lines, and what begins with a tag. Beyond so many pieces that differ, all that
# lies between the first and the last difference counts as one.
_PIECES = re.compile(r"(?<=\n)|(?=<(?!/))")
MOST = 1000

# Lines that are told, characters of each, and those that are told around what differs.
LINES, LETTERS, AROUND = 40, 400, 40


def difference(before: str, after: str) -> list[str]:
    """Return what differs, in the order of the texts; nothing for equal ones."""
    lines = [line for pair in _changes(before, after) for line in _told(*pair)]
    more = len(lines) - LINES
    return lines[:LINES] + ([f"… and {more} more lines"] if more > 0 else [])


def _changes(before: str, after: str) -> Iterator[tuple[str, str]]:
    old, new = _PIECES.split(before), _PIECES.split(after)
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    if len(old) + len(new) > MOST:
        yield "".join(old), "".join(new)
        return
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield "".join(old[a:b]), "".join(new[c:d])


def _common(one: list[str], other: list[str]) -> int:
    """Return how many items two lists begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _told(before: str, after: str) -> Iterator[str]:
    """Yield a change as lines, of a long text only what is around the change."""
    if before and after:
        start = _common(list(before), list(after))
        end = _common(list(before[start:][::-1]), list(after[start:][::-1]))
        before, after = _around(before, start, end), _around(after, start, end)
    for sign, text in (("-", before), ("+", after)):
        if text:
            more = len(text) - LETTERS
            yield f"{sign} {text[:LETTERS]}" + (f"… and {more} more characters" if more > 0 else "")


def _around(text: str, start: int, end: int) -> str:
    first, last = start - AROUND, len(text) - end + AROUND
    return (f"…{text[first:last]}" if first > 0 else text[:last]) + ("…" if last < len(text) else "")

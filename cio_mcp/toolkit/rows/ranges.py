"""Numbers of rows in few words."""

import re
from collections.abc import Sequence

# So many ranges of rows are told.
NUMBERS = 12


def ranges(numbers: Sequence[int]) -> str:
    """Return numbers in few words: 3, 7-9, 12 and 40 more."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    told = [str(first) if first == last else f"{first}-{last}" for first, last in found[:NUMBERS]]
    left = sum(last - first + 1 for first, last in found[NUMBERS:])
    return ", ".join(told) + (f" and {left} more" if left else "")


def of_rows(numbers: Sequence[int]) -> str:
    """Return which rows numbers mean: row 3, or rows 3, 7-9."""
    return f"{word_for(len(set(numbers)))} {ranges(numbers)}"


def word_for(number: int, what: str = "row") -> str:
    """Return the word for so many things: row, rows."""
    return what if number == 1 else f"{what}s"


def counted(number: int, what: str, several: str = "") -> str:
    """Return a number of things: 1 event, 2 events."""
    return f"{number:,} {several if several and number != 1 else word_for(number, what)}"


def alike_but_for_numbers(text: str) -> str:
    """Return a text by which those that differ in a number alone are one."""
    return re.sub(r"\d+", "0", text)

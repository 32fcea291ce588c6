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


def alike_but_for_numbers(text: str) -> str:
    """Return a text by which those that differ in a number alone are one."""
    return re.sub(r"\d+", "0", text)

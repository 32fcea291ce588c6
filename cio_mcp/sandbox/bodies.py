"""JSON as it comes in: nothing that the sandbox could not keep, or that goes too deep to be followed.

Assumed (bounds of JSON): which numbers are too large, how many brackets too many, and that they are refused.
"""

import json
import math
import re
from typing import Any

# How many brackets may stand within each other.
DEEPEST = 200

# What 64 bits hold.
LARGEST = 2**63 - 1

# So many digits are told of a number that is nowhere: there is nothing else, or another one is in its place.
SHOWN = 20

# What a number that may be too large has: it is looked for first, since few bodies have any.
LONG = re.compile(rb"\d{19}|\d[eE]")

TOO_DEEP = f"with at most {DEEPEST} brackets within each other"


class WrongBody(ValueError):
    """What came is no JSON that can be kept; says what is asked of it, nothing where it is no JSON at all."""


def parsed(body: bytes) -> Any:
    """Return what a body holds; raises WrongBody."""
    large: list[str] = []

    def whole(text: str) -> float:
        # Python reads no number of thousands of digits.
        if len(text) <= 20 and -LARGEST - 1 <= (number := int(text)) <= LARGEST:
            return number
        large.append(text)
        return math.inf

    def finite(text: str) -> float:
        if not math.isfinite(number := float(text)):
            large.append(text)
            return math.inf
        return number

    hooks: dict[str, Any] = {"parse_int": whole, "parse_float": finite} if LONG.search(body) else {}
    try:
        # Python would read bytes as UTF-16 too, in which nothing here is looked for.
        found = json.loads(body.decode(), parse_constant=_no_constant, **hooks)
        if b"\\ud" in body.lower():
            json.dumps(found, ensure_ascii=False).encode()  # half a character is none
    except RecursionError:
        raise WrongBody(TOO_DEEP) from None
    except ValueError:
        raise WrongBody("") from None
    if body.count(b"{") + body.count(b"[") > DEEPEST and depth(found) > DEEPEST:
        raise WrongBody(TOO_DEEP)
    if large:
        place = _place(found) or large[0][:SHOWN]
        raise WrongBody(f"with numbers that 64 bits hold: {place} is too large")
    return found


def _no_constant(_: str) -> float:
    raise ValueError  # JSON has neither NaN nor Infinity


def depth(found: Any) -> int:
    """Return how many brackets stand within each other at the most."""
    level, deep = [found], 0
    while level := [one for one in level if isinstance(one, (dict, list))]:
        level = [item for one in level for item in (one.values() if isinstance(one, dict) else one)]
        deep += 1
    return deep


def _place(found: Any, at: str = "") -> str:
    """Return where the first infinite number is, as in `data.items.0`; empty for nowhere."""
    if found == math.inf:
        return at
    inside = found.items() if isinstance(found, dict) else enumerate(found if isinstance(found, list) else [])
    return next(filter(None, (_place(one, f"{at}.{name}".lstrip(".")) for name, one in inside)), "")

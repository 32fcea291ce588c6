"""What JSON can hold, and how large it is there."""

import json
from typing import Any

from pydantic_core import to_json

# One encoder: json.dumps makes a new one for each value, and every argument and attribute is measured.
_written = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

# Texts with a noncharacter of Unicode around them. Transports write them where a caller's JSON has half a
# character, or is nested too deeply.
HALF, DEEP = "\ufdd0half a character\ufdd0", "\ufdd0too deep\ufdd0"

# Readers of JSON give up somewhere: the SDK's at 200 levels, pydantic's writer at 255.
MOST_LEVELS = 128

# Types of values that hold no others.
PLAIN = {str, int, float, bool, type(None)}

# What is written where there may be something that JSON cannot hold.
ODD = (b"NaN", b"Infinity", "\ufdd0".encode())

# Python writes no number of more than 4300 digits; one of more fills a stretch of half as many bytes.
STRETCH = 2150


def size_of(value: object) -> int:
    """Return the size of `value` in bytes, written as JSON.

    Raises ValueError for values that JSON cannot hold: NaN, infinity, broken Unicode, too deep a nesting. Of
    a list it names the first item at fault.
    """
    if isinstance(value, str) and value.isascii() and value.isprintable():  # as most texts are
        return 2 + len(value) + value.count('"') + value.count("\\")
    if (size := _size_of_rows(value)) is not None:
        return size
    try:
        text = _written(value)
        size = len(text.encode())
    except UnicodeEncodeError:
        message = "text must be valid Unicode"
    except RecursionError:
        message = "is nested too deeply"
    except ValueError:
        message = "numbers must be finite: JSON has no NaN and no infinity"
    else:
        if HALF in text:
            message = "text must be valid Unicode"
        elif DEEP in text or (text.count("[") + text.count("{") > MOST_LEVELS and _is_deep(value)):
            message = "is nested too deeply"
        else:
            return size
    raise ValueError(_item_at_fault(value) + message)


def _size_of_rows(value: object) -> int | None:
    """Return the size of rows of plain values, of which there may be many; None for anything else."""
    rows = value if isinstance(value, list) else [value]
    if not all(type(row) is dict and PLAIN.issuperset(map(type, row.values())) for row in rows):
        return None
    try:
        written = to_json(value)
    except ValueError:
        return None
    odd = any(word in written for word in ODD) or (len(written) > STRETCH and _has_endless_number(written))
    return None if odd else len(written)


def _has_endless_number(written: bytes) -> bool:
    return any(written[at : at + STRETCH].isdigit() for at in range(0, len(written), STRETCH))


def excess(value: Any, limit: int) -> str:
    """Say that a text, or any other value that JSON can hold, has more bytes than `limit`; else ""."""
    size = len(value.encode() if isinstance(value, str) else to_json(value))
    return f"at most {limit} bytes are allowed; this has {size}" if size > limit else ""


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_LEVELS):
        parts = [each.values() if isinstance(each, dict) else each for each in level]
        level = [each for part in parts for each in part if isinstance(each, (dict, list))]
    return bool(level)


def _item_at_fault(value: object) -> str:
    for number, item in enumerate(value if isinstance(value, list) and len(value) > 1 else (), 1):
        try:
            size_of(item)
        except ValueError:
            return f"item {number} "
    return ""

"""Answers as people read them at a terminal."""

import json
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

# The least that a column keeps where the terminal is narrow, and the blanks between two.
LEAST, GAP = 8, 2


def width() -> int:
    """Return the columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size().columns


def printable(text: str) -> str:
    """Return a text in which nothing can steer the terminal: what is no character to be seen is escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def answer_table(answer: Mapping[str, Any]) -> str:
    """Return an answer as text: a line for each value, and a table for each list of objects."""
    lists = {name: value for name, value in answer.items() if _is_table(value)}
    single = _flat({name: value for name, value in answer.items() if name not in lists})
    parts = [_pairs(single)] if single else []
    parts += [f"{printable(name)}:\n{_columns(list(map(_flat, rows)))}" for name, rows in lists.items()]
    return "\n".join(parts)


def wrapped_lines(text: str, indent: str = "") -> str:
    """Return a text in lines that fit the terminal; blank lines in it stay."""
    fill = textwrap.TextWrapper(width(), initial_indent=indent, subsequent_indent=indent)
    return "\n\n".join(fill.fill(part) for part in text.split("\n\n"))


def pairs(rows: Mapping[str, str]) -> str:
    """Return names with what is told of each beside them, in lines that fit the terminal."""
    space = max(map(len, rows), default=0) + GAP
    fill = textwrap.TextWrapper(max(width() - space, 20), break_long_words=False, break_on_hyphens=False)
    lines = []
    for name, text in rows.items():
        told = [line for part in text.splitlines() for line in fill.wrap(part) or [""]] or [""]
        lines += [f"{name:<{space}}{told[0]}".rstrip(), *(" " * space + line for line in told[1:])]
    return "".join(f"{line}\n" for line in lines)


def _pairs(values: Mapping[str, str]) -> str:
    return pairs({printable(name): value for name, value in values.items()})


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Return values as text by their names; what is inside an object is named `object.value`."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[before + name] = _text(value)
    return flat


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(map(_text, value))
    if isinstance(value, str):
        return "\n".join(map(printable, value.splitlines()))
    return printable(json.dumps(value, ensure_ascii=False))


def _columns(rows: Sequence[Mapping[str, str]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = [names, *([row.get(name, "") for name in names] for row in rows)]
    cells = [[printable(cell) for cell in row] for row in table]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    while sum(widths) + GAP * (len(widths) - 1) > width() and max(widths) > LEAST:
        widths[widths.index(max(widths))] -= 1
    lines = [
        (" " * GAP).join(f"{_cut(cell, most):<{most}}" for cell, most in zip(row, widths, strict=True))
        for row in cells
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

"""JSON as people keep it in configuration files: with comments, and with commas before a closing bracket.

A change is made in the text, so that everything else stays as somebody wrote it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_STRING = r'"(?:\\.|[^"\\\n])*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_LAST_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])")

# Stands for each character of a comment.
HIDDEN = "\0"

_DECODER = json.JSONDecoder()


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


class _Item(NamedTuple):
    """One value of an object or a list: where it begins, with its name if it has one, and its own place."""

    name: str | None
    start: int
    value: int
    end: int


def loads(text: str) -> Any:
    """Return what a text holds; raises ValueError."""
    return json.loads(_Document(text).plain)


def dumps(value: Any, step: str = "  ", indent: str = "") -> str:
    """Return a value as text on several lines, of which all but the first begin with `indent`."""
    return json.dumps(value, indent=step, ensure_ascii=False).replace("\n", f"\n{indent}")


def changed_object(text: str, new: dict[str, Any]) -> str:
    """Return a text of an object with its values and further ones from `new`, which has all its names."""
    document = _Document(text)
    edits = document.edits(document.plain.index("{"), json.loads(document.plain), new)
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class _Document:
    def __init__(self, text: str) -> None:
        self.text = text
        self.bare = _COMMENT.sub(lambda found: found[1] or HIDDEN * len(found[0]), text)
        # Strict JSON, with each character in its place.
        self.plain = _LAST_COMMA.sub(lambda found: found[1] or " ", self.bare.replace(HIDDEN, " "))
        indented = re.search(r"^(\t| +)\S", self.bare, re.MULTILINE)
        self.step = indented[1] if indented else "  "

    def edits(self, at: int, old: Any, new: Any) -> Iterator[_Edit]:
        """Yield what makes `new` of the object or list at a place."""
        items, close = self._items(at)
        if isinstance(new, list):
            if added := new[len(old) :]:
                yield from self._additions(at, items, close, added, [""] * len(added))
            return
        places = {item.name: item for item in items}
        for name, value in new.items():
            if name not in places or old[name] == value:
                continue
            place = places[name]
            if _extends(value, old[name]):
                yield from self.edits(place.value, old[name], value)
            else:
                yield _Edit(place.value, place.end, dumps(value, self.step, self._indent(place.start)))
        if names := [name for name in new if name not in places]:
            before = [json.dumps(name, ensure_ascii=False) + ": " for name in names]
            yield from self._additions(at, items, close, [new[name] for name in names], before)

    def _additions(
        self, at: int, items: list[_Item], close: int, values: list[Any], names: list[str]
    ) -> Iterator[_Edit]:
        """Yield what adds values at the end, on a line each unless all stands on one line."""
        after = items[-1].end if items else at + 1
        if items and "\n" not in self.text[at:close]:
            short = [json.dumps(value, ensure_ascii=False) for value in values]
            text = "".join(f", {name}{value}" for name, value in zip(names, short, strict=True))
            yield _Edit(after, after, text)
            return
        outer = self._indent(at)
        indent = self._indent(items[-1].start) if items else outer + self.step
        lines = [
            f"{name}{dumps(value, self.step, indent)}" for name, value in zip(names, values, strict=True)
        ]
        comma = self.bare.find(",", after, close)
        place = after if comma < 0 else comma + 1
        end = self.bare.find("\n", place, close)
        if end >= 0 and not self.bare[place:end].strip(f"{HIDDEN} \t\r"):
            place = end  # after a comment at the end of the line
        before = ("," if items and comma < 0 else "") + self.text[after:place]
        behind = ("," if comma >= 0 else "") + ("" if end >= 0 else f"\n{outer}")
        yield _Edit(after, place, before + f"\n{indent}" + f",\n{indent}".join(lines) + behind)

    def _items(self, at: int) -> tuple[list[_Item], int]:
        """Return the items of the object or list at a place, and where it closes."""
        items: list[_Item] = []
        named, here = self.plain[at] == "{", self._next(at + 1)
        while self.plain[here] not in "}]":
            name, value = None, here
            if named:
                name, colon = _DECODER.raw_decode(self.plain, here)
                value = self._next(self._next(colon) + 1)
            end = _DECODER.raw_decode(self.plain, value)[1]
            items.append(_Item(name, here, value, end))
            here = self._next(end)
            if self.plain[here] == ",":
                here = self._next(here + 1)
        return items, here

    def _next(self, at: int) -> int:
        while self.plain[at].isspace():
            at += 1
        return at

    def _indent(self, at: int) -> str:
        """Return the blanks with which the line of a place begins."""
        line = self.text[self.text.rfind("\n", 0, at) + 1 : at]
        return line[: len(line) - len(line.lstrip())]


def _extends(new: Any, old: Any) -> bool:
    if isinstance(new, dict) and isinstance(old, dict):
        return old.keys() <= new.keys()
    return isinstance(new, list) and isinstance(old, list) and new[: len(old)] == old

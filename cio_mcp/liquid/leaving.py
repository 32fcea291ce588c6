"""Leaves the parts of a text as they are written that use what is not known; all else can be rendered."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from cio_mcp.liquid.scanning import spans

_TAG = re.compile(r"\{%-?\s{0,50}(\w+)\s{0,50}([\w-]*)")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_NAME = re.compile(r"(?<![\w.-])[A-Za-z_][\w-]*")

# Tags that end with another, and what stands between the two.
_BLOCKS = {"if", "unless", "case", "for", "capture"}
_BETWEEN = {"else", "elsif", "when"}

# What stands in a text for a tag that is left: characters that no language uses.
_MARK = re.compile("\ue0f0(\\d{1,6})\ue0f1")


@dataclass
class _Block:
    """A tag with an end: where its tags stand, and whether they are left."""

    name: str
    left: bool
    tags: list[tuple[int, int]]


@dataclass
class LeftTags:
    """The tags of a message's texts that are left, because they use variables that begin with `roots`."""

    roots: Collection[str]
    _tags: list[str] = field(default_factory=list)

    def without(self, text: str) -> str:
        """Return a text with marks in place of what is left."""
        parts, done = list[str](), 0
        for start, end, shown in sorted(self._found(text)):
            mark = ""
            if shown:
                mark = f"\ue0f0{len(self._tags)}\ue0f1"
                self._tags.append(text[start:end])
            parts += [text[done:start], mark]
            done = end
        return "".join([*parts, text[done:]])

    def back(self, text: str) -> str:
        """Return a rendered text with what was left in the place of its marks."""
        return _MARK.sub(
            lambda mark: self._tags[int(mark[1])] if int(mark[1]) < len(self._tags) else "", text
        )

    def _found(self, text: str) -> list[tuple[int, int, bool]]:
        """Return where the tags are that are left; an assignment prints nothing, so it is not shown."""
        unknown, found, blocks = set(self.roots), list[tuple[int, int, bool]](), list[_Block]()
        around = 0  # of these blocks, how many are left: blocks can be nested as deeply as a text is long
        for start, end in spans(text):
            tag = _TAG.match(text, start, end)
            name, first = (tag[1], tag[2]) if tag else ("", "")
            uses = not unknown.isdisjoint(_NAME.findall(_QUOTED.sub("", text[start + 2 : end])))
            if name == "assign" and (uses or around):
                unknown.add(first)
                found.append((start, end, False))
            elif name in _BLOCKS:
                if uses and name == "for":
                    unknown.add(first)
                blocks.append(_Block(name, uses, [(start, end)]))
                around += uses
            elif blocks and name in _BETWEEN | {f"end{blocks[-1].name}"}:
                block, between = blocks[-1], name in _BETWEEN
                block.tags.append((start, end))
                around += uses and between and not block.left
                block.left |= uses and between
                if not between and blocks.pop().left:
                    around -= 1
                    found += [(*span, True) for span in block.tags]
            elif uses:
                found.append((start, end, True))
        return found

"""What a message would say with the data of a send, and which of the data it lacks or does not use."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cio_mcp.liquid import Meter, render, source_of
from cio_mcp.toolkit.quoting import hosts
from cio_mcp.toolkit.texts.messages import Text
from cio_mcp.toolkit.texts.readable import readable
from cio_mcp.toolkit.texts.variables import Found, uses_of

# Characters of the body that a preview shows.
OPENING = 200

# Data of that many people is looked at.
MOST = 1000

# Characters of texts whose uses are kept: that is as much as most messages have, and 30 MB in all.
LONGEST_KEPT = 100_000

_STEP = re.compile(r"\[\"(.*?)\"\]|[^.\[]+")


@dataclass(frozen=True)
class Checked:
    """A message with the data of a send: its first text, and what all its texts lack and leave unused.

    `missing` are variables that the data must have, and lacks or leaves empty for somebody.
    """

    sender: str = ""
    subject: str = ""
    opening: str = ""
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


def checked(
    texts: Sequence[Text], sets: Sequence[Mapping[str, Any]] | None, now: float, hide: Callable[[str], str]
) -> Checked:
    """Return what a message says with data; `sets` are the data of each person, or one for all, if known.

    `hide` hides people in its opening, before that is cut.
    """
    if not texts:
        return Checked()
    first, data, meter = texts[0], sets[0] if sets else {}, Meter()
    found = uses_in(texts)
    needed, used = found.needed("trigger"), found.keys_of({"trigger"})
    some = [] if sets is None else sets[:MOST] or [{}]
    return Checked(
        sender=first.fields.text("from") or "",
        subject=_filled(first.fields.text("subject"), data, now, meter),
        opening=readable(_filled(first.fields.text("body"), data, now, meter), hide).text[:OPENING],
        missing=tuple(path for path in needed if any(not _has(each, path) for each in some)),
        unused=tuple(dict.fromkeys(key for each in some for key in each if key not in used)),
        links=tuple(hosts([_filled(text.fields.text("body"), data, now, meter) for text in texts])),
    )


def uses_in(texts: Sequence[Text]) -> Found:
    """Return what the texts of a message use together."""
    written = tuple(tuple(text.written.items()) for text in texts)
    size = sum(len(words) for fields in written for _, words in fields)
    return (uses_of if size < LONGEST_KEPT else uses_of.__wrapped__)(written)


def _filled(text: str | None, data: Mapping[str, Any], now: float, meter: Meter) -> str:
    """Return a text with the data of the send in it; where it needs more than that, as it is written."""
    found = render(text or "", {"trigger": data}, now=now, meter=meter)
    own = all(source_of(path) == "trigger" for path in found.missing)
    return found.text if own and not found.fault else text or ""


def _has(data: Mapping[str, Any], path: str) -> bool:
    """Say whether data has a value for a variable such as `trigger.order.id`."""
    return _value(data, path) not in (None, "")


def is_absent(data: Mapping[str, Any], path: str) -> bool:
    """Say whether data does not have a variable at all: an empty text may be meant."""
    return _value(data, path) is None


def _value(data: Mapping[str, Any], path: str) -> Any:
    value: Any = data
    for step in list(_STEP.finditer(path))[1:]:
        if not isinstance(value, Mapping):
            return value  # of a list, its items are not looked at
        value = value.get(step[1] or step[0])
    return value

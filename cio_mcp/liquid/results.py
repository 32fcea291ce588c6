"""What rendering and analysis answer."""

from dataclasses import dataclass, field
from typing import Any

# Where a variable comes from, by the first part of its name ("Liquid syntax list", "Use objects in liquid").
SOURCES = {
    "customer": "customer",
    "event": "event",
    "event_name": "event",
    "event_id": "event",
    "event_timestamp": "event",
    "trigger": "trigger",
    "journey": "journey",
    "objects": "object",
    "snippets": "snippet",
    "campaign": "message",
    "message": "message",
    "delivery_id": "message",
    "layout": "message",
    "content": "message",
    "editor": "message",
}


@dataclass
class LiquidResult:
    """A rendered text, and what a reader must know about it.

    `missing` are variables that were printed and are not in the data, `empty` those that are there and hold
    nothing, `defaulted` those that a default stood in for. `unknown` tells filters and tags that the dialect
    does not have: a filter let its value pass, a tag printed nothing. `fault` is why Customer.io would not
    send such a text, or why it could not be rendered to its end; `cut` says that bounds ended it.
    """

    text: str = ""
    missing: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    defaulted: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    fault: str | None = None
    cut: bool = False


@dataclass(frozen=True)
class Variable:
    """A variable that a text uses: its path, such as `customer.first_name`, and where it comes from.

    `bare` says that some use has no default and stands under no condition, so that a message without a value
    fails; `has_default` that each use has one. `in_link` and `bare_in_link` say so of uses in an address.
    `default` is the first default as it is printed, if that is known, and `used_as` what the filters on it
    take it for.
    """

    path: str
    source: str | None
    has_default: bool
    bare: bool
    in_link: bool
    bare_in_link: bool
    default: str | None = None
    used_as: str | None = None


@dataclass
class Uses:
    """What a text uses, in the order of its first use; `fault` is why it could not be read."""

    variables: list[Variable] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    fault: str | None = None


def source_of(path: str) -> str | None:
    """Return where a variable comes from; None for a name that Customer.io does not document."""
    return SOURCES.get(path.partition(".")[0].partition("[")[0])


def notation(path: list[Any]) -> str:
    """Return a path as it is written: `customer.name`, `customer["home city"]`, `objects.classes[0]`."""
    written = str(path[0])
    for item in path[1:]:
        if isinstance(item, str) and item.replace("_", "a").replace("-", "a").isalnum():
            written += f".{item}"
        else:
            written += f'["{item}"]' if isinstance(item, str) else f"[{item}]"
    return written

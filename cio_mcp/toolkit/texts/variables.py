"""The variables of a message's texts, by where they come from, and what fills them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pydantic import Field

from cio_mcp.liquid import Meter, analyze, notation
from cio_mcp.toolkit.answers import Shape
from cio_mcp.toolkit.texts.messages import Kind

_TRIGGER = {
    "transactional": "message_data of the send",
    "broadcast": "data of trigger_broadcast, or per_user_data",
    "campaign": "what started the campaign: an object, a relationship or a webhook",
    "newsletter": "nothing: a newsletter has no trigger",
}
_FILLED_BY = {
    "customer": "the recipient's attributes",
    "journey": "what the workflow keeps, such as rows of a collection",
    "object": "objects that the recipient is related to",
    "snippet": "the workspace's snippets",
    "message": "Customer.io, when it sends",
    None: "nothing that Customer.io documents",
}


_KEY = re.compile(r"^([\w-]+).*$", re.DOTALL)
_QUOTED = re.compile(r"\w+\[\"(.*?)\"\]")


class Variables(Shape):
    """Variables that come from one place."""

    source: str | None = Field(None, description="Absent for names that Customer.io does not document.")
    filled_by: str
    needed: list[str] | None = Field(
        None, description="No default and under no condition: the message fails without a value."
    )
    optional: list[str] | None = Field(None, description="With a default, only under a condition, or there.")


# What everybody sees at first or follows: fields that are the subject, or an address.
VITAL = {"subject", "title", "link", "url"}


@dataclass
class _Use:
    source: str | None
    bare: bool = False
    vital: bool = False


@dataclass
class Found:
    """What the texts of a message use, and what of their Liquid is not known here or wrong.

    `there` are variables whose value is known, as that of a snippet.
    """

    there: frozenset[str] = frozenset()
    uses: dict[str, _Use] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Found") -> None:
        """Add what another text uses."""
        for path, use in other.uses.items():
            known = self.uses.setdefault(path, _Use(use.source))
            known.bare |= use.bare
            known.vital |= use.vital

    def told(self, kind: Kind) -> list[Variables]:
        """Return the variables by source."""
        groups: dict[str | None, list[str]] = {}
        for path, use in self.uses.items():
            groups.setdefault(use.source, []).append(path)
        needed = {path for path, use in self.uses.items() if use.bare and path not in self.there}
        return [
            Variables(
                source=source,
                filled_by=filled_by(source, kind),
                needed=[path for path in paths if path in needed] or None,
                optional=[path for path in paths if path not in needed] or None,
            )
            for source, paths in groups.items()
        ]

    def keys_of(self, sources: set[str]) -> set[str]:
        """Return the first names of the variables from some sources, as in data."""
        paths = [path for path, use in self.uses.items() if use.source in sources]
        return {name for path in paths for name in [_KEY.sub(r"\1", path.partition(".")[2])] if name} | {
            found[1] for path in paths if (found := _QUOTED.match(path))
        }

    def needed(self, source: str) -> list[str]:
        """Return the variables from a source that have no default and stand under no condition."""
        return [path for path, use in self.uses.items() if use.source == source and use.bare]

    def vital(self, source: str) -> list[str]:
        """Return those of them that the subject or a link needs."""
        return [path for path, use in self.uses.items() if use.source == source and use.vital]

    @property
    def all_needed(self) -> list[str]:
        """The variables without a default and under no condition that Customer.io itself does not fill."""
        own = {"snippet", "message"}
        return [path for path, use in self.uses.items() if use.bare and use.source not in own]


@lru_cache(maxsize=300)
def uses_of(written: tuple[tuple[tuple[str, str], ...], ...]) -> Found:
    """Return what the texts of a message use, each given by its fields; kept, since many sends ask it."""
    found, meter = Found(), Meter()
    for fields in written:
        found.add(variables_of(dict(fields), {}, meter))
    return found


def filled_by(source: str | None, kind: Kind) -> str:
    """Return what gives the variables from a source their values in a kind of message."""
    if source == "trigger":
        return _TRIGGER[kind]
    if source == "event":
        is_campaign = kind == "campaign"
        return "the event that started the campaign" if is_campaign else "nothing: no event starts it"
    return _FILLED_BY[source]


def variables_of(written: Mapping[str, str], snippets: Mapping[str, str], meter: Meter) -> Found:
    """Return what the parts of a text use, by field."""
    found = Found(frozenset(notation(["snippets", name]) for name in snippets))
    for name, text in written.items():
        uses = analyze(text, snippets, meter=meter)
        for variable in uses.variables:
            known = found.uses.setdefault(variable.path, _Use(variable.source))
            known.bare |= variable.bare
            known.vital |= variable.bare_in_link or (variable.bare and name in VITAL)
        found.unknown += [word for word in uses.unknown if word not in found.unknown]
        if uses.fault:
            found.faults.append(f"{name}: {uses.fault}")
    return found

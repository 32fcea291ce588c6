"""The variables of a message's texts, by where they come from, and what fills them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pydantic import Field

from cio_mcp.liquid import Meter, analyze, notation
from cio_mcp.toolkit.answers.shapes import Shape
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
    optional: list[str] | None = Field(None, description="With a default, or only under a condition.")
    defaults: dict[str, str] | None = Field(None, description="The values of those that have a default.")
    used_as: dict[str, str] | None = Field(
        None, description="The type that the message expects, where that shows."
    )
    exist: list[str] | None = Field(None, description="Snippets that the workspace has.")
    do_not_exist: list[str] | None = Field(
        None, description="Snippets that it lacks: they print nothing, or the message fails."
    )
    not_checked: list[str] | None = Field(
        None, description="Snippets that could not be checked: they cannot be read."
    )


# What everybody sees at first or follows: fields that are the subject, or an address.
VITAL = {"subject", "title", "link", "url"}


@dataclass
class Use:
    """How a variable is used: `bare` somewhere without a default and under no condition."""

    source: str | None
    bare: bool = False
    vital: bool = False
    has_default: bool = True
    default: str | None = None
    used_as: str | None = None

    def add(self, other: "Use") -> None:
        """Add how another text uses it."""
        self.bare |= other.bare
        self.vital |= other.vital
        self.has_default &= other.has_default
        self.default = other.default if self.default is None else self.default
        self.used_as = self.used_as or other.used_as


@dataclass
class TextUses:
    """What the texts of a message use, and what of their Liquid is not known here or wrong.

    `snippets` are the workspace's, as variables; None if they are not known.
    """

    snippets: frozenset[str] | None = None
    uses: dict[str, Use] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "TextUses") -> None:
        """Add what another text uses."""
        for path, use in other.uses.items():
            self.uses.setdefault(path, Use(use.source)).add(use)

    def told(self, kind: Kind) -> list[Variables]:
        """Return the variables by source."""
        groups: dict[str | None, list[str]] = {}
        for path, use in self.uses.items():
            groups.setdefault(use.source, []).append(path)
        return [self._of(source, paths, kind) for source, paths in groups.items()]

    def _of(self, source: str | None, paths: list[str], kind: Kind) -> Variables:
        filled = filled_by(source, kind)
        if source == "snippet":
            there = self.snippets
            return Variables(
                source=source,
                filled_by=filled,
                exist=[path for path in paths if path in (there or ())] or None,
                do_not_exist=[path for path in paths if there is not None and path not in there] or None,
                not_checked=None if there is not None else paths,
                defaults=self._defaults(paths),
            )
        return Variables(
            source=source,
            filled_by=filled,
            needed=[path for path in paths if self.uses[path].bare] or None,
            optional=[path for path in paths if not self.uses[path].bare] or None,
            defaults=self._defaults(paths),
            used_as={path: how for path in paths if (how := self.uses[path].used_as)} or None,
        )

    def _defaults(self, paths: list[str]) -> dict[str, str] | None:
        known = {path: self.uses[path].default for path in paths if not self.uses[path].bare}
        return {path: default for path, default in known.items() if default is not None} or None

    def keys_of(self, sources: set[str]) -> set[str]:
        """Return the first names of the variables from some sources, as in data."""
        paths = [path for path, use in self.uses.items() if use.source in sources]
        return {name for path in paths for name in [_KEY.sub(r"\1", path.partition(".")[2])] if name} | {
            found[1] for path in paths if (found := _QUOTED.match(path))
        }

    @property
    def all_needed(self) -> list[str]:
        """The variables without a default and under no condition that Customer.io itself does not fill."""
        own = {"snippet", "message"}
        return [path for path, use in self.uses.items() if use.bare and use.source not in own]


@lru_cache(maxsize=300)
def uses_of(
    written: tuple[tuple[tuple[str, str], ...], ...], snippets: tuple[tuple[str, str], ...] = ()
) -> TextUses:
    """Return what the texts of a message use, each given by its fields; kept, since many sends ask it."""
    found, meter = TextUses(), Meter()
    for fields in written:
        found.add(variables_of(dict(fields), dict(snippets), meter))
    return found


def filled_by(source: str | None, kind: Kind) -> str:
    """Return what gives the variables from a source their values in a kind of message."""
    if source == "trigger":
        return _TRIGGER[kind]
    if source == "event":
        is_campaign = kind == "campaign"
        return "the event that started the campaign" if is_campaign else "nothing: no event starts it"
    return _FILLED_BY[source]


def variables_of(written: Mapping[str, str], snippets: Mapping[str, str] | None, meter: Meter) -> TextUses:
    """Return what the parts of a text use, by field; `snippets` are None if they are not known."""
    known = None if snippets is None else frozenset(notation(["snippets", name]) for name in snippets)
    found = TextUses(known)
    for name, text in written.items():
        uses = analyze(text, snippets, meter=meter)
        for variable in uses.variables:
            use = Use(
                variable.source,
                variable.bare,
                variable.bare_in_link or (variable.bare and name in VITAL),
                variable.has_default,
                variable.default,
                variable.used_as,
            )
            found.uses.setdefault(variable.path, Use(variable.source)).add(use)
        found.unknown += [word for word in uses.unknown if word not in found.unknown]
        if uses.fault:
            found.faults.append(f"{name}: {uses.fault}")
    return found

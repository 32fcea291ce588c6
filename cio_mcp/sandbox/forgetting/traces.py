"""By what a workspace knows a person: their ids inside, and whatever names them."""

import json
import re
from collections.abc import Iterator
from email.utils import parseaddr
from functools import cached_property
from typing import Any
from urllib.parse import quote

from cio_mcp.sandbox.state import people, pseudonyms
from cio_mcp.sandbox.state.workspace import Row, Workspace

# Fields whose text, or whose list of texts, may name a person.
NAMING = {
    *("id", "email", "phone", "cio_id", "identifier", "ids", "emails", "to", "recipient", "customer_id"),
    *("anonymous_id", "userId", "address"),
}

# Fields whose object names a person.
NAMED_BY = {"identifier", "identifiers", "primary", "secondary"}

# What stands for a value that is told.
BLANK = "…"

# Attributes that name a person.
IDENTIFYING = ("id", "email", "phone", "anonymous_id")


class Traces:
    """The `cio_ids` of somebody, and what else `names` them: ids, addresses, numbers, devices, visitors.

    `pseudonyms` stand for the names.
    """

    def __init__(self, workspace: Workspace, cio_ids: set[str], names: set[str]) -> None:
        self.cio_ids = cio_ids
        self.names = {name.casefold() for name in names}
        own = {name: pseudonyms.of(workspace, name) for name in self.names}
        self.pseudonyms = sorted(own.values())
        # By a name as it is, and as links have it.
        self._pseudonym = {_in_links(name): own[name] for name in own} | own

    @cached_property
    def _telling(self) -> re.Pattern[str]:
        """Finds names inside of other texts: those which are no word that may mean something else."""
        written = {form for name in self.names if _is_telling(name) for form in (name, _in_links(name))}
        telling = sorted(written, key=len, reverse=True)
        either = "|".join(map(re.escape, telling)) or "(?!)"
        return re.compile(rf"(?<![\w@.+-])({either})(?![\w@]|[.+-]\w)", re.IGNORECASE)

    @cached_property
    def needles(self) -> list[str]:
        """Texts of which one is in all JSON, in lower case, that names the person."""
        known = {*self._pseudonym, *self.cio_ids}
        return sorted({written for name in known for written in (name, json.dumps(name)[1:-1].casefold())})

    def are_in(self, text: str) -> bool:
        """Say whether JSON may name the person."""
        lower = text.casefold()
        return any(needle in lower for needle in self.needles)

    def is_name(self, text: str) -> bool:
        """Say whether a text is a name of the person."""
        names = {text.strip().casefold(), parseaddr(text)[1].casefold()}
        return bool(names & self.names) or text.removeprefix("cio_") in self.cio_ids

    def replaced(self, text: str, field: str = "") -> str:
        """Return a text with pseudonyms for names."""
        if field in NAMING and text.strip().casefold() in self.names:
            return self._pseudonym[text.strip().casefold()]
        return self._telling.sub(lambda found: self._pseudonym[found[0].casefold()], text)

    def scrubbed(self, found: Any, field: str = "") -> Any:
        """Return JSON with pseudonyms for names."""
        match found:
            case str():
                return self.replaced(found, field)
            case list():
                return [self.scrubbed(one, field) for one in found]
            case dict():
                return {self.replaced(name): self.scrubbed(value, name) for name, value in found.items()}
        return found

    def names_in(self, found: Any, field: str = "") -> bool:
        """Say whether JSON names the person anywhere."""
        match found:
            case str():
                return (field in NAMING and self.is_name(found)) or bool(self._telling.search(found))
            case list():
                return any(self.names_in(one, field) for one in found)
            case dict():
                return any(self.names_in(value, name) for name, value in found.items())
        return False

    def is_about(self, found: Any) -> bool:
        """Say whether an object names the person as whom it is about."""
        if not isinstance(found, dict):
            return False
        fields = [(name, value) for name, value in found.items() if name in NAMING]
        for name in NAMED_BY & found.keys():
            if isinstance(found[name], dict):
                fields += found[name].items()
        return any(isinstance(value, str) and self.is_name(value) for _, value in fields)


def _in_links(name: str) -> str:
    return quote(name, safe="").casefold()


def _is_telling(name: str) -> bool:
    """Say whether a name is unlikely to mean anything else where it stands in a text."""
    digits = sum(character.isdigit() for character in name)
    return "@" in name or (len(name) >= 4 and 0 < digits < len(name)) or digits >= 6


def gathered(workspace: Workspace, cio_ids: set[str], names: set[str]) -> tuple[set[str], set[str]]:
    """Return the cio_ids and names by which a workspace knows somebody who has some of these.

    What names somebody else now is none of theirs.
    """
    cio_ids, names, before = set(cio_ids), set(names), -1
    while before != (before := len(cio_ids) + len(names)):
        for name in names:
            cio_ids.update(_cio_ids_of(workspace, name))
        for one, other in _merged(workspace):
            if {one, other} & cio_ids:
                cio_ids |= {one, other}
        found = {name for cio_id in cio_ids for name in _names_of(workspace, cio_id)} - {"", BLANK}
        names |= {name for name in found if _owners(workspace, name) <= cio_ids}
    return cio_ids, names


def _owners(workspace: Workspace, name: str) -> set[str]:
    """Return everybody who has a name now, which may be one's id, another's address, the device of both."""
    devices = "SELECT cio_id FROM devices WHERE id = ?"
    phones = "SELECT cio_id FROM people WHERE json_extract(attributes, '$.phone') = ?"
    several = [*workspace.rows(devices, name), *workspace.rows(phones, name)]
    several += [row for kind in ("id", "email") if (row := people.find(workspace, name, kind))]
    return {row["cio_id"] for row in several}


def _owner(workspace: Workspace, name: str) -> str | None:
    found = (people.find(workspace, name, kind) for kind in ("id", "email", "phone"))
    return next((row["cio_id"] for row in found if row), None)


def _cio_ids_of(workspace: Workspace, name: str) -> Iterator[str]:
    """Yield who has a name, else who had it and was deleted."""
    if owner := _owner(workspace, name):
        yield owner
        return
    deleted = (
        "SELECT cio_id FROM log WHERE kind = 'profile_delete' AND ? IN "
        "(lower(json_extract(data, '$.identifiers.id')), lower(json_extract(data, '$.identifiers.email')))"
    )
    yield from (row["cio_id"] for row in workspace.rows(deleted, name.lower()))
    inside = "SELECT cio_id FROM people WHERE cio_id = :id UNION SELECT cio_id FROM log WHERE cio_id = :id"
    yield from (row["cio_id"] for row in workspace.rows(inside, id=name.removeprefix("cio_")))


def _merged(workspace: Workspace) -> list[Row]:
    secondary = "json_extract(data, '$.secondary.cio_id')"
    return workspace.rows(f"SELECT cio_id, {secondary} FROM log WHERE kind = 'profile_merge'")  # noqa: S608


def _names_of(workspace: Workspace, cio_id: str) -> Iterator[str]:
    """Yield what has named somebody so far."""
    for row in workspace.rows("SELECT * FROM people WHERE cio_id = ?", cio_id):
        has = json.loads(row["attributes"])
        yield from (str(row["id"] or ""), str(row["email"] or ""))
        yield from (str(has.get(name) or "") for name in IDENTIFYING)
    for row in workspace.rows("SELECT kind, name, data FROM log WHERE cio_id = ?", cio_id):
        data = json.loads(row["data"])
        if row["kind"] == "attribute_change" and row["name"] in IDENTIFYING:
            yield from (str(data.get(which) or "") for which in ("from", "to"))
        for named in ("identifiers", "secondary"):
            if isinstance(data.get(named), dict):
                yield from (str(data[named].get(name) or "") for name in ("id", "email"))
        if row["kind"] == "anon_merge":
            yield str(row["name"] or "")
    for row in workspace.rows("SELECT id FROM devices WHERE cio_id = ?", cio_id):
        yield row["id"]
    for row in workspace.rows("SELECT body FROM deliveries WHERE cio_id = ?", cio_id):
        body = json.loads(row["body"])
        for recipient in str(body["recipient"] or "").split(", " if body["type"] == "push" else "\n"):
            yield parseaddr(recipient)[1] or recipient

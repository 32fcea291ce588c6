"""The form of an entry: what most call command, args, env, url and headers some clients call otherwise."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

# Names under which some client has the address of a server elsewhere, which it does not start.
ADDRESSES = ("url", "serverUrl", "httpUrl", "uri")


@dataclass(frozen=True)
class EntryShape:
    """How a client writes an entry.

    `local` and `remote` are what an entry needs besides; a client without `remote` takes no server elsewhere
    in its file. A dot in a name leads into an object.
    """

    local: Mapping[str, Any] = field(default_factory=dict)
    remote: Mapping[str, Any] | None = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def written(self, entry: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
        """Return an entry as the client has it, with what else was there before."""
        needs = (self.local if "command" in entry else self.remote) or {}
        after = deepcopy({**needs, **before})
        for name, value in entry.items():
            *outer, last = self.names.get(name, name).split(".")
            place = after
            for step in outer:
                place = place.setdefault(step, {})
            place[last] = value
        return after

    def read(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Return an entry of the client under the names that most have."""
        entry = dict(own)
        for name, theirs in self.names.items():
            value: Any = own
            for step in theirs.split("."):
                value = value.get(step) if isinstance(value, Mapping) else None
            if value is not None:
                entry[name] = value
        if address := next((own[name] for name in ADDRESSES if name in own), None):
            entry["url"] = address
        return entry

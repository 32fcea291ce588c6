"""The entry in a client's file: what it should be, what changes, and writing it without losing anything."""

import difflib
import os
import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any

from cio_mcp.cli.clients import NAME, ClientFile
from cio_mcp.cli.clients.texts import (
    ClientText,
    changed_text,
    file_text,
    own_entry,
    read_client_file,
    starting_entry,
    with_entry,
)
from cio_mcp.errors import SettingsError
from cio_mcp.files import narrow, replace
from cio_mcp.settings import Settings, variable

# A variable or header of such a name holds a secret, unless it names the file or the keyring that does.
SECRET = re.compile(r"(?i)^(?!.*(_file|keyring)$).*(key|token|secret|passw|auth|credential)")

# Why a value is no secret: the client puts it in the place of this.
REFERENCE = re.compile(r"\$\{[^{}]+\}")

# Settings of ours that never hold a secret.
OPEN = {
    variable(name)
    for name, field in Settings.model_fields.items()
    if not re.search("SecretStr|HttpUrl", str(field.annotation))
}

# Where clients have variables and headers.
HELD = {"env", "envs", "headers", "http_headers"}


@dataclass(frozen=True)
class Change:
    """What a client's file holds before and after our entry is in it as it should be."""

    client: ClientFile
    before: ClientText
    after: dict[str, Any]

    @property
    def needed(self) -> bool:
        """Say whether anything is to be written."""
        return self.after != self.before.found

    @property
    def entry(self) -> dict[str, Any]:
        """The entry as it should be, under the names that most clients have."""
        return starting_entry(self.client, self.after)

    def difference(self) -> str:
        """Return what changes, without what may be secret: the file holds other servers' keys too."""
        versions = (self.before.found, self.after)
        old, new = (file_text(self.client, masked_entry(version)).splitlines() for version in versions)
        return "\n".join(difflib.unified_diff(old, new, "before", "after", lineterm="")) + "\n"

    def write(self) -> Path | None:
        """Replace the file at once and keep what it was beside it; returns the backup's path.

        Where the path is a link, the file that it leads to is replaced. A file that holds keys is taken from
        all but its owner.
        """
        path = self.client.path
        if not self.needed:
            self._keep_private()
            return None
        text = changed_text(self.client, self.before, self.after)
        backup, mode = None, 0o600
        try:
            real = path.resolve()
            real.parent.mkdir(parents=True, exist_ok=True)
            if real.exists():
                mode = stat.S_IMODE(real.stat().st_mode) & (0o700 if _holds_secrets(self.after) else 0o777)
                backup = _copied(real)
            replace(real, text.encode(), mode)
        except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
            raise SettingsError(f"{path}: cannot be written: {getattr(error, 'strerror', error)}") from None
        return backup

    def _keep_private(self) -> None:
        path = self.client.path
        try:
            if _holds_secrets(self.after):
                narrow(path)
        except OSError as error:
            raise SettingsError(f"{path}: holds keys, and {error.strerror}") from None


@dataclass(frozen=True)
class DesiredEntry:
    """What an entry should say: all else that it had stays, but for the variables that are to `go`."""

    entry: Mapping[str, Any]
    inputs: list[dict[str, Any]] = field(default_factory=list)
    go: Collection[str] = ()

    def alone(self, client: ClientFile) -> dict[str, Any]:
        """Return a file of a client that holds nothing else."""
        own = client.shape.written(self.entry, {})
        return ({"inputs": self.inputs} if self.inputs else {}) | with_entry(client, {}, own)

    def merged(self, client: ClientFile) -> Change:
        """Return what it changes in a client's file; raises SettingsError where it is none to change."""
        before = read_client_file(client)
        ours = starting_entry(client, before.found)
        for name, other in (("url", "a server at an address"), ("command", "a server that a command starts")):
            if name in ours and name not in self.entry:
                raise SettingsError(f"{client.path}: {NAME} is {other} ({name}); rename or remove it first")
        entry = dict(self.entry)
        if "env" in entry:
            env = {name: value for name, value in ours.get("env", {}).items() if name not in self.go}
            entry["env"] = env | entry["env"]
        if "args" in ours and "command" in entry:
            entry.setdefault("args", [])
        own = client.shape.written(entry, own_entry(client, before.found))
        after = with_entry(client, before.found, own)
        if self.inputs:
            inputs = before.found.get("inputs", [])
            if not isinstance(inputs, list):
                raise SettingsError(f"{client.path}: inputs is not a list; correct it by hand")
            known = [one.get("id") for one in inputs if isinstance(one, dict)]
            after["inputs"] = [*inputs, *(one for one in self.inputs if one["id"] not in known)]
        return Change(client, before, after)


def masked_entry(value: Any) -> Any:
    """Return `value` with all hidden that an `env` or `headers` holds, but settings of ours that are open."""
    if isinstance(value, list):
        return [masked_entry(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: {each: text if each in OPEN else "…" for each, text in inner.items()}
        if name in HELD and isinstance(inner, dict)
        else masked_entry(inner)
        for name, inner in value.items()
    }


def _holds_secrets(value: Any) -> bool:
    """Say whether an `env` or `headers` anywhere holds what looks like a secret."""
    if isinstance(value, list):
        return any(map(_holds_secrets, value))
    if not isinstance(value, dict):
        return False
    return any(
        any(SECRET.search(name) and not REFERENCE.fullmatch(str(text)) for name, text in inner.items())
        if key in HELD and isinstance(inner, dict)
        else _holds_secrets(inner)
        for key, inner in value.items()
    )


def _copied(path: Path) -> Path:
    """Copy a file, for its owner alone, to the first name that is free; returns it."""
    first = path.with_name(path.name + ".backup")
    for name in chain([first], (first.with_name(f"{first.name}-{number}") for number in count(2))):
        try:
            backup = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        except FileExistsError:
            continue
        with os.fdopen(backup, "wb") as file:
            file.write(path.read_bytes())
        return name
    raise AssertionError

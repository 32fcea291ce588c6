"""How a client starts the server of an entry, with everything in place that the entry only refers to."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cio_mcp.cli.clients import NAME, ClientFile
from cio_mcp.errors import SettingsError


@dataclass(frozen=True)
class Start:
    """How a client starts a server: with everything in place that an entry only refers to."""

    command: str
    arguments: list[str]
    env: dict[str, str]
    folder: str | None


@dataclass(frozen=True)
class Address:
    """How a client reaches a server elsewhere."""

    url: str
    headers: dict[str, str]


def start_of(client: ClientFile, entry: dict[str, Any], environ: Mapping[str, str]) -> Start | Address:
    """Return how a client starts or reaches the server of an entry; raises SettingsError where it could not.

    What the client asks people for is taken from the variable of the same name in `environ`.
    """
    folder = Path.cwd()

    def filled(text: str, name: str = "") -> str:
        return _REFERENCE.sub(lambda found: _value(found[1], name, environ, folder), text)

    if "url" in entry:
        headers = {name: filled(str(text), name) for name, text in entry.get("headers", {}).items()}
        return Address(filled(str(entry["url"])), headers)
    if not isinstance(entry.get("command"), str):
        raise SettingsError(
            f"{client.path}: the entry {NAME} has no command; cio-mcp config --write repairs it"
        )
    env: dict[str, str] = {}
    if "envFile" in entry:
        env |= _env_file(folder / filled(str(entry["envFile"])))
    env |= {name: filled(str(text), name) for name, text in entry.get("env", {}).items()}
    return Start(
        command=filled(entry["command"]),
        arguments=[filled(str(argument)) for argument in entry.get("args", [])],
        env=env,
        folder=filled(str(entry["cwd"])) if entry.get("cwd") else None,
    )


# What clients replace in an entry: ${NAME}, ${NAME:-default}, ${env:NAME}, ${input:id}, ${workspaceFolder}, …
_REFERENCE = re.compile(r"\$\{([^{}]+)\}")

_PLACES: dict[str, Callable[[Path], str]] = {
    "workspaceFolder": str,
    "workspaceFolderBasename": lambda folder: folder.name,
    "userHome": lambda _: str(Path.home()),
    "pathSeparator": lambda _: os.sep,
    "/": lambda _: os.sep,
}


def _value(reference: str, name: str, environ: Mapping[str, str], folder: Path) -> str:
    if reference in _PLACES:
        return _PLACES[reference](folder)
    if reference.startswith("input:"):
        if name in environ:
            return environ[name]
        raise SettingsError(f"{name or reference}: the client asks for it; to try the entry, set it here too")
    variable, _, default = reference.removeprefix("env:").partition(":-")
    if variable not in environ and ":-" not in reference:
        raise SettingsError(f"{name or variable}: refers to {variable}, which is not set here")
    return environ.get(variable) or default


def _env_file(path: Path) -> dict[str, str]:
    """Return the variables in a file of lines NAME=VALUE."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the entry's envFile cannot be read: {error}") from None
    pairs = [line.removeprefix("export ").partition("=") for line in map(str.strip, lines)]
    return {
        name.strip(): value.strip().strip("\"'")
        for name, equals, value in pairs
        if equals and not name.startswith("#")
    }

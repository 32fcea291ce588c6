"""MCP clients: where each keeps its servers, and the entry that starts this one."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cio_mcp.cli import jsonc
from cio_mcp.errors import SettingsError

NAME = "customerio"

# An entry with one of these is a server elsewhere, which the client does not start.
ADDRESSES = ("url", "serverUrl", "httpUrl")


@dataclass(frozen=True)
class ClientFile:
    """Where an MCP client keeps its servers, and under which key.

    A client with `inputs` asks people for keys itself, and keeps them out of the file.
    """

    title: str
    path: Path
    key: str = "mcpServers"
    inputs: bool = False


def clients() -> Mapping[str, ClientFile]:
    """Return the clients by name, for this user and this folder."""
    return client_files(Path.home(), sys.platform)


def client_files(home: Path, system: str) -> Mapping[str, ClientFile]:
    """Return the clients by name; `system` is `sys.platform`."""
    desktop = {
        "darwin": home / "Library/Application Support/Claude",
        "win32": Path(os.environ.get("APPDATA", home / "AppData/Roaming")) / "Claude",
    }.get(system, home / ".config/Claude")
    return {
        "claude-desktop": ClientFile("Claude Desktop", desktop / "claude_desktop_config.json"),
        "claude-code": ClientFile("Claude Code", Path(".mcp.json")),
        "cursor": ClientFile("Cursor", home / ".cursor/mcp.json"),
        "vscode": ClientFile("VS Code", Path(".vscode/mcp.json"), "servers", inputs=True),
        "windsurf": ClientFile("Windsurf", home / ".codeium/windsurf/mcp_config.json"),
    }


@dataclass(frozen=True)
class ClientText:
    """A client's file: its text, what that holds, and how its lines end. No file is an empty object."""

    text: str
    found: dict[str, Any]
    line_end: str = "\n"


def read(client: ClientFile) -> ClientText:
    """Return a client's file; raises SettingsError for anything that is not an object of servers by name."""
    path = client.path
    try:
        text = path.read_bytes().decode("utf-8-sig")  # some editors begin a file with its mark
        found = jsonc.loads(text) if text.strip() else {}
    except FileNotFoundError:
        return ClientText("{}\n", {})
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None
    except (ValueError, RecursionError) as error:
        message = f"{path}: is not JSON ({error}); correct it, or add by hand what config prints"
        raise SettingsError(message) from None
    if not isinstance(found, dict):
        raise SettingsError(f"{path}: is not a JSON object; correct it by hand")
    servers = found.get(client.key, {})
    ours = servers.get(NAME, {}) if isinstance(servers, dict) else None
    if not isinstance(ours, dict) or not isinstance(ours.get("env", {}), dict):
        raise SettingsError(f"{path}: {client.key} is not a list of servers by name; correct it by hand")
    plain = text.replace("\r\n", "\n") if text.strip() else "{}\n"
    return ClientText(plain, found, "\r\n" if "\r\n" in text else "\n")


def entry_of(client: ClientFile, found: dict[str, Any]) -> dict[str, Any]:
    """Return the entry that starts this server in what a client's file holds, empty if there is none."""
    entry: dict[str, Any] = found.get(client.key, {}).get(NAME, {})
    return entry


@dataclass(frozen=True)
class Start:
    """How a client starts a server: with everything in place that an entry only refers to."""

    command: str
    arguments: list[str]
    env: dict[str, str]
    folder: str | None


def start_of(client: ClientFile, entry: dict[str, Any], environ: Mapping[str, str]) -> Start:
    """Return how a client starts the server of an entry; raises SettingsError where it could not.

    What the client asks people for is taken from the variable of the same name in `environ`.
    """
    if not isinstance(entry.get("command"), str):
        raise SettingsError(
            f"{client.path}: the entry {NAME} has no command; cio-mcp config --write mends it"
        )
    folder = Path.cwd()

    def filled(text: str, name: str = "") -> str:
        return _REFERENCE.sub(lambda found: _value(found[1], name, environ, folder), text)

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

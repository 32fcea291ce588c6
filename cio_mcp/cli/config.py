"""`cio-mcp config`: the configuration that an MCP client starts this server with."""

import argparse
import difflib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from cio_mcp.errors import SettingsError
from cio_mcp.settings import CREDENTIALS, Settings, load, variable

NAME = "customerio"


@dataclass(frozen=True)
class ClientFile:
    """Where an MCP client keeps its servers, and under which key."""

    title: str
    path: Path
    key: str = "mcpServers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a client, and whether to write its file."""
    parser.add_argument("client", choices=client_files(Path.home(), sys.platform))
    parser.add_argument("--write", action="store_true", help="merge it into the client's file, with a backup")
    parser.add_argument("--with-keys", action="store_true", help="and the credentials that are set here")


def run(asked: argparse.Namespace) -> int:
    """Print the configuration, or merge it into the client's file; returns 0."""
    settings = load()
    client = client_files(Path.home(), sys.platform)[asked.client]
    entry = _entry(settings, with_keys=asked.with_keys and asked.write)
    if not asked.write:
        sys.stdout.write(_dump({client.key: {NAME: entry}}) + "\n")
        sys.stderr.write(f"\nFor {client.title}, in {client.path}; --write merges it in.\n")
        sys.stderr.write(_about_keys(settings, client, asked))
        return 0
    before = _read(client.path)
    after = _merged(before, client, entry)
    if after == before:
        sys.stdout.write(f"{client.path} has it already; nothing to do.\n")
    else:
        sys.stdout.write(_difference(before, after))
        backup = _write(client.path, _dump(after) + "\n")
        kept = f"; what it was is in {backup}" if backup else ""
        sys.stdout.write(f"\nWritten to {client.path}{kept}.\nRestart {client.title} to use it.\n")
    sys.stderr.write(_about_keys(settings, client, asked))
    return 0


def _about_keys(settings: Settings, client: ClientFile, asked: argparse.Namespace) -> str:
    """Return where the credentials are in this, as a line."""
    if not settings.has_credentials:
        names = ", ".join(variable(name) for name in CREDENTIALS)
        return f"Without credentials it works on the sandbox; for a real workspace put {names} into env.\n"
    if not (asked.write and asked.with_keys):
        return "The credentials set here are not in it; --write --with-keys puts them into the file.\n"
    if not client.path.is_absolute():
        return f"{client.path} belongs to this project and holds keys now: keep it out of version control.\n"
    return ""


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
        "vscode": ClientFile("VS Code", Path(".vscode/mcp.json"), "servers"),
        "windsurf": ClientFile("Windsurf", home / ".codeium/windsurf/mcp_config.json"),
    }


def _entry(settings: Settings, *, with_keys: bool) -> dict[str, Any]:
    """Return how to start the server: by its full path, since clients have another PATH than a shell."""
    command = shutil.which("cio-mcp", path=str(Path(sys.executable).parent)) or shutil.which("cio-mcp")
    start = {"command": command} if command else {"command": sys.executable, "args": ["-m", "cio_mcp"]}
    env = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if with_keys or not isinstance(value, SecretStr):
            env[variable(name)] = _text(value)
    return start | {"env": dict(sorted(env.items()))}


def _text(value: Any) -> str:
    """Return a setting as its variable has it; a path in full, since a client starts elsewhere."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return ",".join(value)
        case Path():
            return str(value.absolute())
    return str(value)


def _read(path: Path) -> dict[str, Any]:
    """Return the file's object, empty for no file; raises SettingsError for anything that is not one."""
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if text.strip() else {}
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None
    except ValueError as error:
        message = f"{path}: is not plain JSON ({error}); correct it, or add by hand what config prints"
        raise SettingsError(message) from None
    if not isinstance(found, dict):
        raise SettingsError(f"{path}: is not a JSON object; correct it by hand")
    return found


def _merged(before: dict[str, Any], client: ClientFile, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the file's object with our entry, which keeps the variables that it had."""
    servers = before.get(client.key, {})
    ours = servers.get(NAME, {}) if isinstance(servers, dict) else None
    had = ours.get("env", {}) if isinstance(ours, dict) else None
    if not isinstance(had, dict):
        raise SettingsError(
            f"{client.path}: {client.key} is not a list of servers by name; correct it by hand"
        )
    return before | {client.key: servers | {NAME: entry | {"env": had | entry["env"]}}}


def _difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return what changes, without what may be secret: the file holds other servers' keys too."""
    old, new = (_dump(_masked(version)).splitlines() for version in (before, after))
    return "\n".join(difflib.unified_diff(old, new, "before", "after", lineterm="")) + "\n"


def _masked(value: Any) -> Any:
    """Return `value` with everything hidden that stands in an `env` or `headers`."""
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: dict.fromkeys(inner, "…")
        if name in {"env", "headers"} and isinstance(inner, dict)
        else _masked(inner)
        for name, inner in value.items()
    }


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _write(path: Path, text: str) -> Path | None:
    """Replace the file at once and keep what it was beside it; returns the backup's path."""
    backup = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            backup = _free(path.with_name(path.name + ".backup"))
            shutil.copy2(path, backup)
        new = path.with_name(path.name + ".new")
        new.touch(mode=0o600)
        new.write_text(text, encoding="utf-8")
        if backup:
            shutil.copymode(backup, new)
        new.replace(path)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written: {error.strerror}") from None
    return backup


def _free(path: Path) -> Path:
    """Return `path`, or the first of its numbered names that is free: no backup is written over."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(name for name in chain([path], numbered) if not name.exists())

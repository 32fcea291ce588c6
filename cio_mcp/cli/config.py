"""`cio-mcp config`: the configuration that an MCP client starts this server with."""

import argparse
import difflib
import os
import re
import shutil
import stat
import sys
from itertools import chain, count
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from cio_mcp.cli import jsonc
from cio_mcp.cli.clients import ADDRESSES, NAME, ClientFile, ClientText, clients, entry_of, read, start_of
from cio_mcp.errors import SettingsError
from cio_mcp.files import narrow, replace
from cio_mcp.settings import CREDENTIALS, Settings, load, variable, variables

# A variable or header of such a name holds a secret.
SECRET = re.compile("key|token|secret|passw|auth|credential", re.IGNORECASE)

# Why a value is no secret: the client puts it in the place of this.
REFERENCE = re.compile(r"\$\{[^{}]+\}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a client, and whether to write its file."""
    parser.description = (
        "Print the entry by which an MCP client starts this server, with the settings that are set here; or "
        "merge it into the client's file and try it."
    )
    parser.add_argument("client", choices=clients(), metavar="client", help=", ".join(clients()))
    parser.add_argument("--write", action="store_true", help="merge it into the client's file, with a backup")
    parser.add_argument(
        "--with-keys", action="store_true", help="with --write: and the keys that are set here"
    )
    parser.add_argument("--no-try", action="store_true", help="do not start the server to try the entry")


def run(asked: argparse.Namespace) -> int:
    """Print the configuration, or merge it into the client's file; returns 0, or 1 if it does not work."""
    settings, client = load(), clients()[asked.client]
    secrets = _secrets(settings)
    wanted = _wanted(settings, client, with_keys=asked.with_keys and asked.write)
    if not asked.write:
        sys.stdout.write(jsonc.dumps(wanted) + "\n")
        sys.stderr.write(f"\nFor {client.title}, in {client.path}; --write merges it in.\n")
        sys.stderr.write(_about_keys(settings, client, asked))
        return 0
    before = read(client)
    after = _merged(before, client, wanted)
    if after == before.found:
        _keep_private(client.path, after)
        sys.stdout.write(f"{client.path} has it already; nothing to do.\n")
    else:
        sys.stdout.write(_difference(before.found, after))
        backup = _write(client.path, before, after)
        kept = f"; what it was is in {backup}" if backup else ""
        sys.stdout.write(f"\nWritten to {client.path}{kept}.\nRestart {client.title} to use it.\n")
    sys.stderr.write(_about_keys(settings, client, asked))
    return 0 if asked.no_try else _try(client, after, secrets)


def _try(client: ClientFile, found: dict[str, Any], secrets: dict[str, str]) -> int:
    import asyncio  # noqa: PLC0415 - only here

    from cio_mcp.cli.trial import try_start  # noqa: PLC0415 - as above

    sys.stdout.flush()
    finding = asyncio.run(try_start(start_of(client, entry_of(client, found), {**os.environ, **secrets})))
    sys.stdout.write(f"{finding.state}: {client.title}'s entry: {finding.detail}\n")
    return int(finding.state == "fault")


def _about_keys(settings: Settings, client: ClientFile, asked: argparse.Namespace) -> str:
    """Return where the credentials are in this, as a line."""
    if not settings.has_credentials:
        names = ", ".join(variable(name) for name in CREDENTIALS)
        return f"Without credentials it works on the sandbox; for a real workspace put {names} into env.\n"
    if client.inputs:
        return f"{client.title} asks for the credentials when it starts the server, and keeps them itself.\n"
    if not (asked.write and asked.with_keys):
        return "The credentials set here are not in it; --write --with-keys puts them into the file.\n"
    if not client.path.is_absolute():
        return f"{client.path} belongs to this project and holds keys now: keep it out of version control.\n"
    return ""


def _secrets(settings: Settings) -> dict[str, str]:
    """Return the secrets that are set, by their variables."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {variable(name): _text(value) for name, value in values.items() if isinstance(value, SecretStr)}


def _wanted(settings: Settings, client: ClientFile, *, with_keys: bool) -> dict[str, Any]:
    """Return what a client's file should hold, with how to start the server.

    That is by its full path, since clients have another PATH than a shell.
    """
    command = shutil.which("cio-mcp", path=str(Path(sys.executable).parent)) or shutil.which("cio-mcp")
    start = {"command": command} if command else {"command": sys.executable, "args": ["-m", "cio_mcp"]}
    secrets = _secrets(settings)
    env = {variable(name): _text(getattr(settings, name)) for name in settings.model_fields_set}
    env = {name: value for name, value in env.items() if name not in secrets}
    inputs = []
    if client.inputs:
        inputs = [_input(name) for name in sorted(secrets)]
        env |= {name: f"${{input:{_input(name)['id']}}}" for name in secrets}
    elif with_keys:
        env |= secrets
    entry = start | {"env": dict(sorted(env.items()))}
    return ({"inputs": inputs} if inputs else {}) | {client.key: {NAME: entry}}


def _input(name: str) -> dict[str, Any]:
    """Return what lets a client ask a person for the value of a variable."""
    label = f"Customer.io: {variables()[name]}"
    key = f"{NAME}-{name.removeprefix('CIO_').lower().replace('_', '-')}"
    return {"id": key, "type": "promptString", "description": label, "password": True}


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


def _merged(before: ClientText, client: ClientFile, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the file's object with our entry, which keeps the variables, and all else, that it had."""
    ours, entry = entry_of(client, before.found), wanted[client.key][NAME]
    if address := next((name for name in ADDRESSES if name in ours), None):
        raise SettingsError(
            f"{client.path}: {NAME} is a server at an address ({address}), which no command starts; "
            "rename or remove it first"
        )
    changed = (
        ours | ({"args": []} if "args" in ours else {}) | entry | {"env": ours.get("env", {}) | entry["env"]}
    )
    after = before.found | {client.key: before.found.get(client.key, {}) | {NAME: changed}}
    if new := wanted.get("inputs"):
        inputs = before.found.get("inputs", [])
        if not isinstance(inputs, list):
            raise SettingsError(f"{client.path}: inputs is not a list; correct it by hand")
        known = [one.get("id") for one in inputs if isinstance(one, dict)]
        after |= {"inputs": [*inputs, *(one for one in new if one["id"] not in known)]}
    return after


def _difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return what changes, without what may be secret: the file holds other servers' keys too."""
    old, new = (jsonc.dumps(_masked(version)).splitlines() for version in (before, after))
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


def _holds_secrets(value: Any) -> bool:
    """Say whether an `env` or `headers` anywhere holds what looks like a secret."""
    if isinstance(value, list):
        return any(map(_holds_secrets, value))
    if not isinstance(value, dict):
        return False
    return any(
        any(SECRET.search(name) and not REFERENCE.fullmatch(str(text)) for name, text in inner.items())
        if key in {"env", "headers"} and isinstance(inner, dict)
        else _holds_secrets(inner)
        for key, inner in value.items()
    )


def _keep_private(path: Path, found: dict[str, Any]) -> None:
    try:
        if _holds_secrets(found):
            narrow(path)
    except OSError as error:
        raise SettingsError(f"{path}: holds keys, and {error.strerror}") from None


def _write(path: Path, before: ClientText, after: dict[str, Any]) -> Path | None:
    """Replace the file at once and keep what it was beside it; returns the backup's path.

    Where the path is a link, the file that it leads to is replaced.
    """
    text = jsonc.changed(before.text, after).replace("\n", before.line_end)
    backup, mode = None, 0o600
    try:
        real = path.resolve()
        real.parent.mkdir(parents=True, exist_ok=True)
        if real.exists():
            mode = stat.S_IMODE(real.stat().st_mode) & (0o700 if _holds_secrets(after) else 0o777)
            backup = _copied(real)
        replace(real, text.encode(), mode)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        raise SettingsError(f"{path}: cannot be written: {getattr(error, 'strerror', error)}") from None
    return backup


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

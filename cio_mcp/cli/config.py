"""`cio-mcp config`: the configuration that an MCP client starts this server with."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from cio_mcp.cli.clients import NAME, ClientFile, clients
from cio_mcp.cli.clients.command import start_command
from cio_mcp.cli.clients.entry import Change, DesiredEntry, masked_entry
from cio_mcp.cli.clients.start import start_of
from cio_mcp.cli.clients.texts import file_text
from cio_mcp.errors import SettingsError
from cio_mcp.settings import CREDENTIALS, Settings, load, variable, variables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a client, and whether to write its file."""
    parser.description = (
        "Print the entry with which an MCP client starts this server, with the settings set here; or "
        "merge it into the client's file and try it. cio-mcp setup asks for what it needs."
    )
    parser.add_argument("client", choices=clients(), metavar="client", help=", ".join(clients()))
    parser.add_argument("--write", action="store_true", help="merge it into the client's file, with a backup")
    parser.add_argument(
        "--with-keys", action="store_true", help="with --write: and the keys that are set here"
    )
    parser.add_argument("--url", help="the address of a server that runs elsewhere, such as a team's")
    parser.add_argument("--token", help="with --url: the token of that server; - reads it from stdin")
    parser.add_argument("--no-try", action="store_true", help="do not start the server to try the entry")


def run(asked: argparse.Namespace) -> int:
    """Print the configuration, or merge it into the client's file; returns 0, or 1 if it does not work."""
    client = clients()[asked.client]
    if asked.token and not asked.url:
        raise SettingsError("--token: is for a server elsewhere; give its address with --url")
    if asked.url:
        return _finish(asked, client, elsewhere(client, asked.url, _token(asked.token)), {}, "")
    settings = load()
    wanted = _wanted(settings, client, with_keys=asked.with_keys and asked.write)
    return _finish(asked, client, wanted, _secrets(settings), _about_keys(settings, client, asked))


def elsewhere(client: ClientFile, url: str, token: str | None) -> DesiredEntry:
    """Return an entry for a server at an address; raises SettingsError where the client's file takes none."""
    if client.shape.remote is None:
        raise SettingsError(
            f"{client.title}: its file takes programs only; add the address in its settings, under Connectors"
        )
    if not url.startswith(("https://", "http://")):
        raise SettingsError(
            "--url: must begin with https:// (or http://), such as https://cio.example.com/mcp"
        )
    return DesiredEntry({"url": url} | ({"headers": {"Authorization": f"Bearer {token}"}} if token else {}))


def _token(given: str | None) -> str | None:
    return sys.stdin.readline().strip() if given == "-" else given


def _finish(
    asked: argparse.Namespace,
    client: ClientFile,
    wanted: DesiredEntry,
    secrets: dict[str, str],
    about_keys: str,
) -> int:
    if not asked.write:
        alone = wanted.alone(client)
        sys.stdout.write(file_text(client, masked_entry(alone) if asked.token else alone))
        sys.stderr.write(f"\nFor {client.title}, in {client.path}; --write merges it in.\n{about_keys}")
        return 0
    change = wanted.merged(client)
    if change.needed:
        sys.stdout.write(change.difference() + "\n")
    save(change)
    sys.stderr.write(about_keys)
    return 0 if asked.no_try else try_entry(change, secrets)


def save(change: Change) -> None:
    """Write what changes in a client's file, and say where."""
    client = change.client
    backup = change.write()
    if not change.needed:
        sys.stdout.write(f"{client.path} has it already; nothing to do.\n")
        return
    kept = f"; what it was is in {backup}" if backup else ""
    sys.stdout.write(f"Written to {client.path}{kept}.\nRestart {client.title} to use it.\n")


def try_entry(change: Change, environ: dict[str, str]) -> int:
    """Start or reach the server as the client will, and say how that went; returns 0, or 1 if it failed."""
    import asyncio  # noqa: PLC0415 - only here

    from cio_mcp.cli.trial import try_server  # noqa: PLC0415 - as above

    sys.stdout.flush()
    client = change.client
    finding = asyncio.run(try_server(start_of(client, change.entry, {**os.environ, **environ})))
    sys.stdout.write(f"{finding.state}: {client.title}'s entry: {finding.detail}\n")
    if finding.fix:
        sys.stdout.write(f"fix: {finding.fix}\n")
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
    return {
        variable(name): setting_text(value) for name, value in values.items() if isinstance(value, SecretStr)
    }


def _wanted(settings: Settings, client: ClientFile, *, with_keys: bool) -> DesiredEntry:
    """Return what a client's file should hold, with how to start the server."""
    secrets = _secrets(settings)
    env = {variable(name): setting_text(getattr(settings, name)) for name in settings.model_fields_set}
    env = {name: value for name, value in env.items() if name not in secrets}
    inputs = []
    if client.inputs:
        inputs = [_input(name) for name in sorted(secrets)]
        env |= {name: f"${{input:{_input(name)['id']}}}" for name in secrets}
    elif with_keys:
        env |= secrets
    return DesiredEntry(start_command() | {"env": dict(sorted(env.items()))}, inputs)


def _input(name: str) -> dict[str, Any]:
    """Return what lets a client ask a person for the value of a variable."""
    label = f"Customer.io: {variables()[name]}"
    key = f"{NAME}-{name.removeprefix('CIO_').lower().replace('_', '-')}"
    return {"id": key, "type": "promptString", "description": label, "password": True}


def setting_text(value: Any) -> str:
    """Return a setting as its variable has it; a path in full, since a client starts elsewhere."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return ",".join(value)
        case Path():
            return str(value.absolute())
    return str(value)

"""`cio-mcp doctor`: what is wrong between here and Customer.io, and how to fix it."""

import argparse
import asyncio
import json
import os
import platform
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import httpx
from pydantic import SecretStr

from cio_mcp import __version__
from cio_mcp.app.audit import open_audit_log
from cio_mcp.app.build import open_sandbox
from cio_mcp.app.extensions import tools_of
from cio_mcp.app.workspace import (
    pace_file,
    remembering,
    safety_file,
    shared_store,
    tools_off,
)
from cio_mcp.cli import answer_forms
from cio_mcp.cli.clients import NAME, clients
from cio_mcp.cli.clients.start import Address, start_of
from cio_mcp.cli.clients.texts import read_client_file, starting_entry
from cio_mcp.cli.credentials import examine_credentials
from cio_mcp.cli.finding import Finding
from cio_mcp.cli.templates import examine_templates
from cio_mcp.client.network import Network
from cio_mcp.errors import NotAllowed, SettingsError
from cio_mcp.files import make_private
from cio_mcp.safety.bounds import Bounds
from cio_mcp.safety.stop import Stop
from cio_mcp.settings import Settings, load
from cio_mcp.settings.workspaces import each


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take how to print the findings, or what else to look at."""
    parser.description = (
        "Check the settings, the credentials and the way to Customer.io, and say how to fix what is wrong. "
        "Exit status: 0 well, 1 something does not work, 2 wrong settings."
    )
    parser.add_argument(
        "client",
        nargs="?",
        choices=clients(),
        metavar="client",
        help="check what this client's entry sets instead of what is set here, and start the server by it as "
        f"the client does: {', '.join(clients())}",
    )
    parser.add_argument(
        "--answers", action="store_true", help="read each endpoint once; print which answers have a new form"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(asked: argparse.Namespace) -> int:
    """Print the findings; returns 0 without a fault, 1 with one, 2 where the settings are wrong."""
    if asked.answers:
        return answer_forms.run()
    status, findings = 0, [_versions()]
    try:
        environ: Mapping[str, str] | None = os.environ
        if asked.client:
            environ, tried = _entry(asked.client)
            findings.append(tried)
        else:
            findings += _entries()
        here = {} if environ is None else each(remembering(load(environ)))
        for name, settings in here.items():
            found = asyncio.run(examine(settings, Network()))
            findings += [replace(one, what=f"{name} {one.what}") for one in found] if name else found
        status = int(any(finding.state == "fault" for finding in findings))
    except SettingsError as error:
        findings.append(Finding("settings", "fault", str(error), "correct it and run doctor again"))
        status = 2
    if asked.json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2) + "\n")
        return status
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        sys.stdout.write(f"{finding.state:<5}  {finding.what:<{width}}  {finding.detail}\n")
        if finding.fix:
            sys.stdout.write(f"{'':<{width + 9}}fix: {finding.fix}\n")
    return status


def _entries() -> Iterator[Finding]:
    """Tell which clients start the server by entries of their own, with settings that are not those here."""
    for name, client in clients().items():
        with suppress(SettingsError):  # of a file that cannot be read doctor CLIENT tells more
            if starting_entry(client, read_client_file(client).found):
                detail = f"{client.title} has its own, in {client.path}, which is not looked at here"
                yield Finding("entry", "note", detail, f"cio-mcp doctor {name}")


def _entry(name: str) -> tuple[Mapping[str, str] | None, Finding]:
    """Return what the entry of a client sets, and what is found by starting the server by it.

    A server elsewhere has settings of its own.
    """
    from cio_mcp.cli.trial import try_server  # noqa: PLC0415 - only where it is asked for

    client = clients()[name]
    entry = starting_entry(client, read_client_file(client).found)
    if not entry:
        raise SettingsError(f"{client.path}: has no entry {NAME}; cio-mcp setup {name} makes it")
    start = start_of(client, entry, os.environ)
    found = asyncio.run(try_server(start))
    for word, off in (("disabled", True), ("enabled", False)):
        if entry.get(word) is off:
            fix = f"remove {word} from the entry in {client.path}"
            told = f"{found.detail}; but {client.title} has it off"
            found = replace(found, state="note", detail=told, fix=fix)
    return None if isinstance(start, Address) else start.env, found


async def examine(settings: Settings, wire: httpx.AsyncBaseTransport) -> list[Finding]:
    """Return what is found about the settings and, over `wire`, about the credentials; closes `wire`."""
    findings = list(_about(settings))
    if isinstance(settings.shared_pace, SecretStr):
        findings.append(await _replicas(settings.shared_pace))
    findings += [finding async for finding in _stopped(settings)]
    async with wire:
        if not settings.uses_sandbox:
            findings += [finding async for finding in examine_credentials(settings, wire)]
        findings += [finding async for finding in examine_templates(settings, wire)]
    return findings


def _versions() -> Finding:
    libraries = [f"{name} {version(name)}" for name in ("mcp", "httpx", "pydantic")]
    here = f"Python {platform.python_version()} on {platform.system()}"
    return Finding("versions", "ok", ", ".join((f"cio-mcp {__version__}", *libraries, here)))


def _about(settings: Settings) -> Iterator[Finding]:
    tools = tools_of([settings])
    off = tools_off(settings, tools)
    yield Finding("settings", "ok", f"{len(tools) - len(off)} tools on, {len(off)} off")
    if settings.uses_sandbox:
        sandbox = "the embedded sandbox: no call reaches Customer.io"
        yield Finding("workspace", "note", sandbox, _how_to_leave(settings))
    yield from _state(settings)
    if settings.audit_log:
        yield _record(settings)


async def _stopped(settings: Settings) -> AsyncIterator[Finding]:
    """Tell whether an operator has stopped what acts."""
    store = shared_store(settings, time.time)
    try:
        await Stop(settings.stop_file, store).check()
    except NotAllowed as error:
        fix = f"cio-mcp resume; delete {settings.stop_file}" if settings.stop_file else "cio-mcp resume"
        yield Finding("stop", "note", error.what.removeprefix("Nothing was done: "), fix)
    finally:
        await store.aclose()


async def _replicas(address: SecretStr) -> Finding:
    from cio_mcp.databases.redis import RedisAway, RedisConnection  # noqa: PLC0415 - needs the extra

    server = RedisConnection(address)
    try:
        await server.reach()
    except RedisAway as away:
        detail = f"Redis at {server.place} cannot be used ({away}): limits, codes and caps need it"
        return Finding("replicas", "fault", detail, "start Redis, or correct CIO_SHARED_PACE")
    finally:
        await server.aclose()
    return Finding("replicas", "ok", f"share limits, codes and caps through Redis at {server.place}")


def _how_to_leave(settings: Settings) -> str:
    if settings.has_credentials:
        return "for the real workspace, unset CIO_SANDBOX"
    return "for a real workspace, set CIO_SITE_ID with CIO_TRACK_API_KEY, and CIO_APP_API_KEY"


def _state(settings: Settings) -> Iterator[Finding]:
    """Open the files that a server with these settings keeps its state in, as it does."""
    if settings.uses_sandbox and not settings.sandbox_path:
        return  # all in memory
    if settings.uses_sandbox:
        try:
            open_sandbox(settings).close()
            yield Finding("sandbox", "ok", f"is kept in {settings.sandbox_path}")
        except SettingsError as error:
            yield Finding(
                "sandbox", "fault", str(error), "set CIO_SANDBOX_PATH to a file that can be written"
            )
    elif isinstance(settings.shared_pace, SecretStr):
        return  # all in Redis
    elif settings.shared_pace == "auto":
        lost = "limits are not shared with other processes of yours"
        yield _file("pace", pace_file(), "limits are shared through", lost)
    lost = "confirmation codes hold in one process only, and caps on sends cannot be kept"
    yield _file(
        "bounds", safety_file(), "codes and caps are kept in", lost, needed=bool(Bounds.of(settings).caps)
    )


def _record(settings: Settings) -> Finding:
    try:
        with ExitStack() as files:
            open_audit_log(settings, files)
    except SettingsError as error:
        fix = "set CIO_AUDIT_LOG to a file that can be written"
        return Finding("audit log", "fault", str(error), fix)
    return Finding("audit log", "ok", f"is kept in {settings.audit_log}")


def _file(what: str, path: Path, use: str, lost: str, *, needed: bool = False) -> Finding:
    try:
        make_private(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
    except (sqlite3.Error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        fix = f"let {path.parent} be a folder that you can write to, and delete {path.name} if it is damaged"
        return Finding(what, "fault" if needed else "note", f"{path}: {reason}: {lost}", fix)
    return Finding(what, "ok", f"{use} {path}")

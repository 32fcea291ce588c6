"""`cio-mcp templates`: messages of the workspace as tools of their own."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from typing import Literal

import httpx

from cio_mcp.app.application import App
from cio_mcp.app.build import build
from cio_mcp.cli.finding import Finding
from cio_mcp.client import AppApi
from cio_mcp.errors import CustomerIOError, SettingsError
from cio_mcp.settings import Settings, load
from cio_mcp.settings.workspaces import each
from cio_mcp.tools.templates.comparison import mismatches
from cio_mcp.tools.templates.file import read_file
from cio_mcp.tools.templates.suggestion import suggested


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what to do, and in which workspace."""
    parser.description = (
        "Print a file for CIO_TEMPLATES from the messages of the workspace: each becomes a tool that sends "
        "that message alone, with typed arguments. Read it before you use it: types are guessed from names, "
        "and callers read what your workspace says of each message."
    )
    parser.epilog = "example:\n  cio-mcp templates suggest > templates.toml"
    parser.add_argument("action", choices=("suggest",), metavar="suggest", help="print such a file")
    parser.add_argument("--workspace", help="which workspace, if there are several")


def run(asked: argparse.Namespace) -> int:
    """Print a file; returns 0."""
    workspaces = each(load())
    name = asked.workspace or next(iter(workspaces))
    if name not in workspaces or (len(workspaces) > 1 and not asked.workspace):
        raise SettingsError(f"--workspace: choose one of {', '.join(workspaces)}")
    asyncio.run(_suggest(workspaces[name]))
    return 0


async def _suggest(settings: Settings) -> None:
    app = _app(settings.model_copy(update={"templates": None}))
    try:
        names = {tool.name for tool in app.catalogue.tools}
        async for part in suggested(_reader(app), names):
            sys.stdout.write(part)
    except CustomerIOError as error:
        raise SettingsError(f"the messages cannot be read: {error}") from None
    finally:
        await app.aclose()


async def examine_templates(settings: Settings, wire: httpx.AsyncBaseTransport) -> AsyncIterator[Finding]:
    """Find what of a workspace's file is no longer so at Customer.io."""
    if settings.templates is None:
        return
    file, differ = read_file(settings.templates), False
    app = _app(settings, wire)
    try:
        for message in file.messages:
            for found in await mismatches(_reader(app)(), message):
                differ = True
                state: Literal["fault", "note"] = "fault" if found.fails else "note"
                fix = f"{found.do}, in [{message.tool}] of {file.path}"
                yield Finding("templates", state, f"{message.tool}: {found.what}", fix)
        if not differ:
            yield Finding("templates", "ok", f"{len(file.messages)} messages are as {file.path} says")
    except (SettingsError, CustomerIOError) as error:
        yield Finding("templates", "note", f"not compared with the messages: {error}")
    finally:
        await app.aclose()


def _app(settings: Settings, wire: httpx.AsyncBaseTransport | None = None) -> App:
    """Return an application of one workspace that records nothing."""
    alone = {"workspaces_file": None, "audit_log": None, "audit_copy": None, "tokens_file": None}
    return build(settings.model_copy(update=alone), wire=wire)


def _reader(app: App) -> Callable[[], AppApi]:
    """Return what makes the API of a call of its own; raises SettingsError if nothing can be read."""
    (workspace,) = app.workspaces.values()
    if not workspace.client.opens(AppApi):
        raise SettingsError("CIO_APP_API_KEY: is needed to read messages")
    return lambda: workspace.client.api(AppApi, workspace.client.begin())

"""`cio-mcp call`: one tool call through the whole application."""

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cio_mcp.app.application import App, Outcome
from cio_mcp.app.build import build
from cio_mcp.app.pictures import pages_folder
from cio_mcp.app.workspace import remembering
from cio_mcp.cli import give_up
from cio_mcp.cli.row_results import kept_between_calls
from cio_mcp.cli.table import answer_table, printable
from cio_mcp.errors import SettingsError
from cio_mcp.settings import Settings, load
from cio_mcp.toolkit.registry import Tool

# Exit status by how a call ended; wrong arguments are told apart from a turn that never came.
STATUS = {"refused": 1, "not_sent": 3, "unknown": 4}
WRONG_ARGUMENTS, DONE_UNTOLD = 2, 5

STDIN = "-"

NOT_FOUND = 404
FORGOTTEN = (
    "The sandbox was in memory and is gone: each call begins with a fresh one. To keep it, unset CIO_SANDBOX "
    "or name a file in CIO_SANDBOX_PATH.\n"
)

FOR_CLIENTS = "The image is for MCP clients. as_page=true writes a page into a file, for a browser.\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a tool and its arguments."""
    parser.description = (
        "Call one tool through the full server. `cio-mcp tools` lists the tools, and `cio-mcp call TOOL "
        "--help` shows the arguments of one. The answer is a table on a terminal, and JSON elsewhere."
    )
    parser.epilog = (
        "Exit status: 0 done, 1 refused by Customer.io, 2 wrong arguments or settings, 3 not sent, 4 outcome "
        "unknown, 5 done but the answer could not be written: do not repeat the call.\n\nexamples:\n"
        "  cio-mcp call get_customer customer_id=ada@example.com id_type=email\n"
        "  cio-mcp call track_event customer_id=u_1 name=buy 'data={\"amount\": 20}'\n"
        "  cio-mcp call track_event @event.json dry_run=true"
    )
    parser.add_argument("-h", "--help", action=_Help, help="show this help, or after a tool its arguments")
    parser.add_argument("--json", action="store_true", help="print JSON on a terminal, too")
    parser.add_argument("--table", action="store_true", help="print a table everywhere")
    parser.add_argument("tool", help="the tool's name")
    parser.add_argument(
        "arguments",
        nargs="*",
        metavar="key=value",
        help="an argument; objects and lists are written as JSON. Several as one JSON object: '{…}', @FILE "
        "that holds it, or - to read it from stdin",
    )


class _Help(argparse.Action):
    """Shows the arguments of the tool, if one was named, and else of the command."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        _values: object,
        _option: str | None = None,
    ) -> None:
        from cio_mcp.cli.tools import show_tool  # noqa: PLC0415 - only to show it

        if namespace.tool:
            show_tool(namespace.tool)
        else:
            parser.print_help()
        parser.exit()


def run(asked: argparse.Namespace) -> int:
    """Call a tool and print its answer; returns the exit status by outcome."""
    settings = remembering(load())
    outcome = call_at_shell(settings, asked.tool, asked.arguments)
    status = exit_status(outcome.facts) if outcome.error else 0
    as_table = asked.table or (sys.stdout.isatty() and not asked.json)
    text = json.dumps(outcome.facts, indent=2, ensure_ascii=False) + "\n"
    try:
        sys.stdout.write(answer_table(outcome.facts) if as_table else text)
        sys.stdout.flush()
    except OSError as error:
        give_up(sys.stdout)
        with contextlib.suppress(OSError):
            sys.stderr.write(
                f"cio-mcp: the answer cannot be written: {error.strerror}\n{_in_short(outcome)}\n"
            )
        return status or DONE_UNTOLD
    if outcome.image:
        sys.stderr.write(FOR_CLIENTS)
    if _is_forgotten(settings) and (outcome.facts.get("sandbox") or outcome.facts.get("status") == NOT_FOUND):
        sys.stderr.write(FORGOTTEN)
    return status


def _is_forgotten(settings: Settings) -> bool:
    return settings.uses_sandbox and not (settings.sandbox_path or settings.workspaces_file)


def _in_short(outcome: Outcome) -> str:
    """Return how a call ended, with what says so: short values, no lists of what was read."""
    if outcome.error:
        return printable(outcome.error)
    short = {name: value for name, value in outcome.facts.items() if isinstance(value, str | int | bool)}
    return printable(json.dumps({"outcome": "done"} | short, ensure_ascii=False))


def call_at_shell(settings: Settings, tool: str, given: list[str]) -> Outcome:
    """Call a tool with arguments as they are written at the shell."""
    app = build(settings)
    app.pages = pages_folder()
    return asyncio.run(_call(app, tool, given))


async def _call(app: App, tool: str, given: list[str]) -> Outcome:
    try:
        arguments = _arguments(given, partial(_is_text, app.catalogue.named(tool)))
        with kept_between_calls(app, tool):
            return await app.call(tool, arguments)
    finally:
        await app.aclose()


def exit_status(failure: dict[str, Any]) -> int:
    """Return the exit status of a call that failed."""
    if failure["outcome"] == "not_sent" and not failure["retryable"]:
        return WRONG_ARGUMENTS
    return STATUS[failure["outcome"]]


def _is_text(tool: Tool | None, argument: str) -> bool:
    """Say whether an argument is text by the tool's schema, or unknown to it."""
    properties = tool.confirming_schema["properties"] if tool else {}
    return bool(properties.get(argument, {}).get("type", "string") == "string")


def _arguments(given: list[str], is_text: Callable[[str], bool]) -> dict[str, Any]:
    """Read `key=value`, and objects that hold several arguments.

    A value that is JSON is read as such, unless the argument is text.
    """
    arguments: dict[str, Any] = {}
    for each in given:
        for name, value in _read(each, is_text):
            if name in arguments:
                raise SettingsError(f"{name}: is given twice; a list is one value, as JSON")
            arguments[name] = value
    return arguments


def _read(text: str, is_text: Callable[[str], bool]) -> Iterable[tuple[str, Any]]:
    if text == STDIN:
        if sys.stdin is None:  # it was closed when the program started
            raise SettingsError("stdin: is closed")
        return _object(sys.stdin.read(), "stdin: ")
    if text.startswith("@"):
        try:
            return _object(Path(text[1:]).expanduser().read_text(encoding="utf-8"), f"{text[1:]}: ")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise SettingsError(f"{text[1:]}: cannot be read: {reason}") from None
    return _object(text) if text.startswith("{") else [_pair(text, is_text)]


def _object(text: str, place: str = "") -> Iterable[tuple[str, Any]]:
    try:
        found = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{place}the arguments are not a JSON object: {error}") from None
    if not isinstance(found, dict):
        raise SettingsError(f"{place}the arguments are not a JSON object")
    return found.items()


def _pair(text: str, is_text: Callable[[str], bool]) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"{text}: write it as key=value")
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):  # the tool's own refusal names the argument and what it wants
        return name, value
    return name, value if is_text(name) else found

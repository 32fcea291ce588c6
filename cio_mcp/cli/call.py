"""`cio-mcp call`: one tool call through the whole application."""

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Iterable
from typing import Any

from cio_mcp.app.build import build
from cio_mcp.auth.principal import OWNER
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load

# Exit status by how a call ended; wrong arguments are told apart from a turn that never came.
STATUS = {"refused": 1, "not_sent": 3, "unknown": 4}
WRONG_ARGUMENTS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a tool and its arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "Call one tool through the full server. Exit status: 0 done, 1 refused by Customer.io,\n"
        "2 wrong arguments or settings, 3 not sent, 4 outcome unknown."
    )
    parser.epilog = (
        "example: cio-mcp call track_event customer_id=u_1001 name=purchase 'data={\"amount\": 20}'"
    )
    parser.add_argument("tool", help="the tool's name, as `cio-mcp tools` lists it")
    together = "objects and lists as JSON; or all of them as one JSON object"
    parser.add_argument("arguments", nargs="*", metavar="key=value", help=together)


def run(asked: argparse.Namespace) -> int:
    """Call a tool and print its answer; returns the exit status by outcome."""
    return asyncio.run(_call(asked.tool, asked.arguments))


async def _call(tool: str, given: list[str]) -> int:
    app = build(load())
    try:
        schemas = {name: schema for name, _, schema in app.catalogue.listed(OWNER)}
        outcome = await app.call(tool, _arguments(given, schemas.get(tool, {}).get("properties", {})))
    finally:
        await app.aclose()
    sys.stdout.write(json.dumps(outcome.facts, indent=2, ensure_ascii=False) + "\n")
    return _status(outcome.facts) if outcome.error else 0


def _status(failure: dict[str, Any]) -> int:
    if failure["outcome"] == "not_sent" and not failure["retryable"]:
        return WRONG_ARGUMENTS
    return STATUS[failure["outcome"]]


def _arguments(given: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    """Read `key=value`, and objects that hold several arguments.

    A value that is no text by the schema is read as JSON where it can be.
    """
    arguments: dict[str, Any] = {}
    for each in given:
        for name, value in _object(each) if each.startswith("{") else [_pair(each, properties)]:
            if name in arguments:
                raise SettingsError(f"{name}: is given twice; a list is one value, as JSON")
            arguments[name] = value
    return arguments


def _object(text: str) -> Iterable[tuple[str, Any]]:
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"the arguments are no JSON object: {error}") from None
    return found.items()


def _pair(text: str, properties: dict[str, Any]) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"{text}: write it as key=value")
    if properties.get(name, {}).get("type", "string") != "string":
        with contextlib.suppress(ValueError):  # the tool's own refusal names the argument and what it wants
            return name, json.loads(value)
    return name, value

"""`cio-mcp token`: who may call over HTTP."""

import argparse
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cio_mcp.app.extensions import tools_with
from cio_mcp.app.message_tools import tools_of_files
from cio_mcp.auth.tokens import add, expiry, read_tokens, revoke
from cio_mcp.errors import SettingsError
from cio_mcp.safety.grant import Grant
from cio_mcp.safety.permissions import ALL, UnknownWord, switched_off
from cio_mcp.settings import first_fault, load
from cio_mcp.settings.workspaces import each
from cio_mcp.toolkit.core import CORE

# What of a grant has an option of its name.
OPTIONS = {name: field for name, field in Grant.model_fields.items() if name not in {"name", "expires"}}

A_CENTURY = 36_500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take an action and, to add a token, whom it is for and what they may do."""
    parser.description = (
        "Manage who may call over HTTP. A token can only narrow what the server's settings allow; the file "
        "keeps hashes, and running servers notice a change at the next request."
    )
    parser.epilog = (
        "example:\n  cio-mcp token --file tokens.json add nightly --permissions read,send \\\n"
        "    --max-sends-per-day 500 --days 90"
    )
    parser.add_argument("--file", help="the tokens' file (default: CIO_TOKENS_FILE)")
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    actions.add_parser("list", help="list names and grants")
    actions.add_parser("revoke", help="make a token invalid").add_argument("name")
    adding = actions.add_parser(
        "add",
        help="make a token and print it, this once",
        description="Make a token and print it, this once. What is not given is not narrowed.",
        formatter_class=parser.formatter_class,
    )
    adding.add_argument("name", help="who it is for, for logs and limits")
    for name, field in OPTIONS.items():
        metavar = "WORDS" if isinstance(field.default, tuple) else "NUMBER"
        adding.add_argument(_option(name), metavar=metavar, help=field.description)
    adding.add_argument("--days", type=_days, help="days until the token expires")


def run(asked: argparse.Namespace) -> int:
    """Add, list or revoke; returns 0."""
    path = Path(asked.file).expanduser() if asked.file else load().tokens_file
    if path is None:
        raise SettingsError("CIO_TOKENS_FILE: is not set; set it, or name the file with --file")
    match asked.action:
        case "add":
            token = add(path, _grant(asked))
            sys.stderr.write(f"The token of {asked.name}, shown this once; {path} keeps only its hash:\n")
            sys.stdout.write(token + "\n")
        case "revoke":
            revoke(path, asked.name)
            sys.stdout.write(f"{asked.name} is revoked; running servers notice at the next request.\n")
        case _:
            for entry in read_tokens(path):
                bounds = entry.model_dump(mode="json", exclude={"name", "sha256"}, exclude_unset=True)
                told = ", ".join(f"{name}={_text(value)}" for name, value in bounds.items())
                sys.stdout.write(f"{entry.name:<20}  {told or 'all that the server allows'}\n")
    return 0


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= A_CENTURY:
        message = f"must be a number of days above 0, at most {A_CENTURY}"
        raise argparse.ArgumentTypeError(message)
    return days


def _grant(asked: argparse.Namespace) -> Grant:
    """Return the grant that was asked for; raises SettingsError for words that name nothing."""
    given: dict[str, Any] = {name: getattr(asked, name) for name in ("name", *OPTIONS)}
    given["expires"] = None if asked.days is None else expiry(asked.days)
    try:
        grant = Grant.model_validate({name: value for name, value in given.items() if value is not None})
        tools = tools_with(grant.toolsets, sandbox=True)
        tools += tools_of_files(list(each(load()).values()), tools)
        switched_off(tools, CORE, grant, ALL)
    except ValidationError as error:
        (name, *_), message = first_fault(error)
        raise SettingsError(f"{_option(name) if name in OPTIONS else name}: {message}") from None
    except UnknownWord as error:
        raise SettingsError(f"{_option(error.setting)}: {error.fault}") from None
    return grant


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _text(value: Any) -> str:
    return "+".join(value) if isinstance(value, list) else str(value)

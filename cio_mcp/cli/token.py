"""`cio-mcp token`: who may call over HTTP."""

import argparse
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cio_mcp.callers.known import Known
from cio_mcp.callers.tokens import add, expiry, read, revoke
from cio_mcp.errors import SettingsError
from cio_mcp.safety.grant import Grant
from cio_mcp.settings import load
from cio_mcp.tools import TOOLS

OPTIONS = (
    *("permissions", "toolsets", "tools", "workspaces"),
    *("max_recipients", "max_sends_per_hour", "max_sends_per_day"),
)


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
            for entry in read(path):
                bounds = entry.model_dump(mode="json", exclude={"name", "sha256"}, exclude_defaults=True)
                told = ", ".join(f"{name}={_text(value)}" for name, value in bounds.items())
                sys.stdout.write(f"{entry.name:<20}  {told or 'all that the server allows'}\n")
    return 0


def _grant(asked: argparse.Namespace) -> Grant:
    """Return the grant that was asked for; raises SettingsError for words that name nothing."""
    given: dict[str, Any] = {"name": asked.name, "rate_share": asked.rate_share}
    for option in OPTIONS:
        value = getattr(asked, option)
        given[option] = tuple(value.replace(" ", "").split(",")) if isinstance(value, str) else value
    if asked.days is not None:
        given["expires"] = expiry(asked.days)
    try:
        grant = Grant(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise SettingsError(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    unclear = [reason for reason in Known(grants=(grant,)).off(TOOLS).values() if "not clear" in reason]
    if unclear:
        raise SettingsError(unclear[0].partition("clear: ")[2])
    return grant


def _text(value: Any) -> str:
    return "+".join(value) if isinstance(value, list) else str(value)

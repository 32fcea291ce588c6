"""`cio-mcp sandbox fault`: make requests and deliveries fail."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from cio_mcp.cli.sandbox.controls import add_place, control
from cio_mcp.errors import SettingsError
from cio_mcp.sandbox.faults.fault import Fault

BAD_DAY = "bad-day"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take an action, and for a new fault what it is."""
    fields = "\n".join(
        f"  {name:<12}  {_line(field.description)}" for name, field in Fault.model_fields.items()
    )
    parser.description = "Make requests and deliveries fail on purpose; docs/sandbox.md describes all of it."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        f"fields of a fault:\n{fields}\n\nexamples:\n"
        "  cio-mcp sandbox fault add throttle retry_after=2 calls=1-3 'route=POST /v1/send/email'\n"
        "  cio-mcp sandbox fault add error status=503 chance=0.1 until=+1d\n"
        "  cio-mcp sandbox fault add bad-day"
    )
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    adding = actions.add_parser("add", help="add a fault")
    adding.add_argument("what", help=f"what goes wrong, {BAD_DAY}, or a JSON file of one fault or a list")
    adding.add_argument("fields", nargs="*", metavar="field=value", help="when, and with what")
    listing = actions.add_parser("list", help="list the faults, and how often each has struck")
    removing = actions.add_parser("remove", help="lift a fault")
    removing.add_argument("number", help="its number, or all")
    for action in (adding, listing, removing):
        add_place(action)


def run(asked: argparse.Namespace) -> int:
    """Add, list or remove; returns 0."""
    if asked.action == "remove":
        which = "" if asked.number == "all" else f"/{asked.number}"
        removed = control(asked, "DELETE", f"faults{which}")["removed"]
        sys.stdout.write(f"faults removed: {removed}\n")
        return 0
    told = control(asked, "POST", "faults", _written(asked)) if asked.action == "add" else None
    faults = (told or control(asked, "GET", "faults"))["faults"]
    for fault in faults:
        state = "" if fault["in_force"] else " (not in force now)"
        sys.stdout.write(f"{fault['number']:>4}  {fault['says']}{state}: ")
        sys.stdout.write(f"struck {fault['struck']} of {fault['met']}\n")
    if not faults:
        sys.stdout.write("no faults\n")
    return 0


def _written(asked: argparse.Namespace) -> Any:
    """Return the faults that are asked for; raises SettingsError."""
    path = Path(asked.what).expanduser()
    if asked.what != BAD_DAY and path.suffix != ".json":
        return {"does": asked.what, **dict(_field(each) for each in asked.fields)}
    if asked.fields:
        raise SettingsError(f"{asked.fields[0]}: goes with a single fault only, not with {asked.what}")
    if asked.what == BAD_DAY:
        return BAD_DAY
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{asked.what}: cannot be read: {error}") from None


def _field(each: str) -> tuple[str, Any]:
    name, equals, text = each.partition("=")
    if not equals:
        raise SettingsError(f"{each}: must be written as field=value")
    if name in {"route", "recipient", "calls"}:
        return name, text
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text


def _line(text: str | None) -> str:
    return " ".join((text or "").split())

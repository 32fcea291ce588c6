"""`cio-mcp sandbox point`: keep states of a sandbox, and go back to them."""

import argparse
import sys
from typing import Any
from urllib.parse import quote

from cio_mcp.cli.sandbox.controls import add_place, control
from cio_mcp.sandbox.moments import written


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take an action and a point."""
    parser.description = (
        "Keep states of a sandbox, and go back to them, its clock included. The newest 20 are kept. Going "
        "back, a reset and an import first make a point of what there was."
    )
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    adding = actions.add_parser("add", help="make a point of what is now")
    adding.add_argument("name", nargs="?", default="point", help="what to call it")
    listing = actions.add_parser("list", help="list the points")
    restoring = actions.add_parser("restore", help="go back to a point")
    removing = actions.add_parser("remove", help="forget a point")
    for action in (restoring, removing):
        action.add_argument("point", help="its number or its name")
    for action in (adding, listing, restoring, removing):
        add_place(action)


def run(asked: argparse.Namespace) -> int:
    """Add, list, restore or remove; returns 0."""
    match asked.action:
        case "add":
            sys.stdout.write(_shown(control(asked, "POST", "points", {"name": asked.name})))
        case "restore":
            sys.stdout.write("back at" + _shown(control(asked, "POST", f"points/{_quoted(asked.point)}")))
        case "remove":
            control(asked, "DELETE", f"points/{_quoted(asked.point)}")
            sys.stdout.write(f"{asked.point} is forgotten\n")
        case _:
            points = control(asked, "GET", "points")["points"]
            sys.stdout.write("".join(map(_shown, points)) or "no points\n")
    return 0


def _shown(point: dict[str, Any]) -> str:
    return f"{point['number']:>4}  {written(point['at'])}  {point['name']}\n"


def _quoted(point: str) -> str:
    return quote(point, safe="")

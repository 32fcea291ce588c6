"""`cio-mcp sandbox point`: save states of a sandbox, and restore them."""

import argparse
import sys
from typing import Any
from urllib.parse import quote

from cio_mcp.cli.sandbox.controls import add_place, control
from cio_mcp.sandbox.moments import written


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take an action and a point."""
    parser.description = (
        "Save states of a sandbox, and restore them, its clock included. The newest 20 are kept. A "
        "restore, a replay, a reset and an import first save a point. A replay repeats, at their times, "
        "the requests that led to a point and are missing now."
    )
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    adding = actions.add_parser("add", help="save the current state as a point")
    adding.add_argument("name", nargs="?", default="point", help="what to call it")
    listing = actions.add_parser("list", help="list the points")
    restoring = actions.add_parser("restore", help="restore a point")
    replaying = actions.add_parser("replay", help="repeat the requests that led to a point")
    removing = actions.add_parser("remove", help="forget a point")
    for action in (restoring, replaying, removing):
        action.add_argument("point", help="its number or its name")
    for action in (adding, listing, restoring, replaying, removing):
        add_place(action)


def run(asked: argparse.Namespace) -> int:
    """Add, list, restore, replay or remove; returns 0."""
    match asked.action:
        case "add":
            sys.stdout.write(_shown(control(asked, "POST", "points", {"name": asked.name})))
        case "restore":
            back = control(asked, "POST", f"points/{_quoted(asked.point)}")
            again = f"cio-mcp sandbox point replay {back['left']}"
            sys.stdout.write(f"restored{_shown(back)}to repeat what came after: {again}\n")
        case "replay":
            sys.stdout.write(_replayed(control(asked, "POST", f"points/{_quoted(asked.point)}/replay")))
        case "remove":
            control(asked, "DELETE", f"points/{_quoted(asked.point)}")
            sys.stdout.write(f"{asked.point} is forgotten\n")
        case _:
            points = control(asked, "GET", "points")["points"]
            sys.stdout.write("".join(map(_shown, points)) or "no points\n")
    return 0


def _shown(point: dict[str, Any]) -> str:
    return f"{point['number']:>4}  {written(point['at'])}  {point['name']}\n"


def _replayed(told: dict[str, Any]) -> str:
    refused = [f"{one['at']}  {one['request']}: {one['status']}" for one in told["first_refused"]]
    lines = [
        f"requests repeated: {told['replayed']}; it is {told['now']}",
        *([f"left out, of people who were forgotten: {told['forgotten']}"] if told["forgotten"] else []),
        *([f"refused here: {told['refused']}"] if refused else []),
        *(f"  {line}" for line in refused),
        f"to undo that: cio-mcp sandbox point restore {told['point']}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(point: str) -> str:
    return quote(point, safe="")

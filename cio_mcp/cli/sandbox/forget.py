"""`cio-mcp sandbox forget`: blank what tells of a person."""

import argparse
import sys

from cio_mcp.cli.sandbox.controls import add_place, control


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a person."""
    parser.description = (
        "Blank in a sandbox, in its points and in its file whatever tells who a person is, what they did and "
        "what they were sent. That cannot be undone. Counts, metrics, journeys and the chains of causes stay "
        "as they are, of a person who was forgotten. Files that were exported before are not changed."
    )
    parser.add_argument("person", help="their id, email or cio_id")
    add_place(parser)


def run(asked: argparse.Namespace) -> int:
    """Forget; returns 0."""
    told = control(asked, "POST", "forget", {"person": asked.person})
    if told["already"]:
        sys.stdout.write("they were forgotten before\n")
        return 0
    sys.stdout.write(
        f"forgotten; blanked: {told['deliveries']} deliveries, {told['entries']} entries of the log, "
        f"{told['requests']} requests; points changed: {told['points']}\n"
    )
    return 0

"""`cio-mcp sandbox reset`: back to the start."""

import argparse
import sys

from cio_mcp.cli.sandbox.controls import add_place, control, undoing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take with what to begin."""
    parser.description = (
        "Reset a sandbox, to real time and without faults. The state before is saved as a point, which "
        "`cio-mcp sandbox point restore` restores."
    )
    parser.add_argument("--empty", action="store_true", help="begin without the sample data")
    add_place(parser)


def run(asked: argparse.Namespace) -> int:
    """Reset; returns 0."""
    point = control(asked, "POST", "reset", {"story": not asked.empty})["point"]
    sys.stdout.write(f"reset; {undoing(point)}\n")
    return 0

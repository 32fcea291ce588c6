"""`cio-mcp sandbox explain`: why a message came, or did not."""

import argparse
import sys

from cio_mcp.cli.sandbox.controls import ControlRefusal, add_place, control


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a delivery, or a person and a message."""
    parser.description = (
        "Explain why a message was made in a sandbox, or why a person got none: the chain of causes, from "
        "what was accepted to what became of it."
    )
    parser.epilog = (
        "examples:\n  cio-mcp sandbox explain dgTE…=\n  cio-mcp sandbox explain u_1001 'Welcome series'\n"
        "  cio-mcp sandbox explain ada@example.com 'action 103'"
    )
    parser.add_argument("who", metavar="delivery | person", help="id of a delivery; id or email of a person")
    parser.add_argument("message", nargs="?", help="name or number of an action, a campaign, a newsletter, …")
    add_place(parser)


def run(asked: argparse.Namespace) -> int:
    """Print the chain; returns 0, or 1 if there is no such person or message."""
    about = {"person": asked.who, "message": asked.message} if asked.message else {"delivery": asked.who}
    try:
        told = control(asked, "POST", "explain", about)["chain"]
    except ControlRefusal as refused:
        sys.stderr.write(f"cio-mcp: {refused}\n")
        return 1
    sys.stdout.write("\n".join(told) + "\n")
    return 0

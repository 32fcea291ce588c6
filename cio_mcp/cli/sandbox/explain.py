"""`cio-mcp sandbox explain`: why a message came, or did not."""

import argparse
import sys
from contextlib import closing

from cio_mcp.app.build import open_sandbox
from cio_mcp.app.workspace import kept_sandbox
from cio_mcp.sandbox.engine import explaining
from cio_mcp.settings import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a delivery, or a person and a message."""
    parser.description = (
        "Tell why a message was made in the sandbox that is kept, or why a person got none: the chain of "
        "causes, from what was accepted to what became of it."
    )
    parser.epilog = (
        "examples:\n  cio-mcp sandbox explain dgTE…=\n  cio-mcp sandbox explain u_1001 'Welcome series'\n"
        "  cio-mcp sandbox explain ada@example.com 'action 103'"
    )
    parser.add_argument("who", metavar="delivery | person", help="id of a delivery; id or email of a person")
    parser.add_argument("message", nargs="?", help="name or number of an action, a campaign, a newsletter, …")


def run(asked: argparse.Namespace) -> int:
    """Print the chain; returns 0, or 1 if there is no such person or message."""
    with closing(open_sandbox(kept_sandbox(load()))) as sandbox:
        workspace = sandbox.workspace
        try:
            with workspace.transaction():
                told = (
                    explaining.message(workspace, asked.who, asked.message)
                    if asked.message
                    else explaining.delivery(workspace, asked.who)
                )
        except explaining.NothingToExplain as unknown:
            sys.stderr.write(f"cio-mcp: {unknown}\n")
            return 1
    sys.stdout.write("\n".join(told) + "\n")
    return 0

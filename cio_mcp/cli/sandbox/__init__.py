"""`cio-mcp sandbox`: the embedded Customer.io on a port, and commands for one that is kept in a file.

Each command is a module of this package, with `add_arguments` and `run` as all commands have them.
"""

import argparse
from importlib import import_module
from typing import Any

from cio_mcp.cli.sandbox import port

COMMANDS = {
    "clock": "show or move the clock of the stored sandbox",
    "explain": "explain why a message was sent there, or was not",
    "run": "play a scenario from a file",
    "fault": "make requests and deliveries fail",
    "point": "save states of a sandbox, and restore them",
    "forget": "blank everything about a person",
    "reset": "go back to the start",
    "export": "write the whole state of a sandbox to a file",
    "import": "replace a sandbox's state with an export",
}

# Words that Python or this package has for something else: the modules of these have a line at their end.
TAKEN = {"import", "run"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take where to listen, or a command."""
    port.add_arguments(parser)
    commands = parser.add_subparsers(title="commands", dest="of_sandbox", metavar="command")
    for name, purpose in COMMANDS.items():
        _module(name).add_arguments(commands.add_parser(name, help=purpose))


def run(asked: argparse.Namespace) -> int:
    """Serve, or run the command; returns its exit status."""
    status: int = (_module(asked.of_sandbox) if asked.of_sandbox else port).run(asked)
    return status


def _module(name: str) -> Any:
    return import_module(f"cio_mcp.cli.sandbox.{name}{'_' * (name in TAKEN)}")

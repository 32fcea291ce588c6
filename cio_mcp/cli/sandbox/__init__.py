"""`cio-mcp sandbox`: the embedded Customer.io on a port, and commands for one that is kept in a file.

Each command is a module of this package, with `add_arguments` and `run` as all commands have them.
"""

import argparse
from importlib import import_module
from typing import Any

from cio_mcp.cli.sandbox import port

COMMANDS = {
    "clock": "show or move the clock of a sandbox that is kept",
    "explain": "tell why a message came there, or did not",
    "run": "play a scenario from a file",
    "fault": "let requests and deliveries go wrong",
    "point": "keep states of a sandbox, and go back to them",
    "forget": "blank what tells of a person",
    "reset": "begin anew",
    "export": "write all that a sandbox holds to a file",
    "import": "let a sandbox hold what an export holds",
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

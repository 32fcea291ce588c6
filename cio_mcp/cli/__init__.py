"""The command line. Each command is a module of this package, which is imported when it is asked for.

A module has `add_arguments`, which tells its parser what it takes, and `run`, which returns the exit status.
"""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from cio_mcp import __version__
from cio_mcp.errors import SettingsError
from cio_mcp.settings import variables

# The modules, and what --help says of them.
COMMANDS = {
    "serve": "serve MCP: over HTTP and SSE, or on stdin and stdout",
    "demo": "show the main operations on the embedded sandbox",
    "tools": "list the tools that are on, and those that are off and why",
    "call": "call one tool and print its answer as JSON",
    "pace": "show how much of each limit this host's processes use, live",
    "stop": "halt all writes, deletions and sends, in every server that shares them",
    "resume": "allow writes, deletions and sends again after cio-mcp stop",
    "doctor": "check settings, credentials and the way to Customer.io",
    "sandbox": "serve the sandbox over HTTP, for any Customer.io SDK or curl",
    "audit": "check or show the record that CIO_AUDIT_LOG keeps",
    "token": "manage who may call over HTTP",
    "config": "print the configuration for an MCP client, or write it",
}

# What runs without a command: a client such as Claude Desktop starts it so.
DEFAULT = "serve_stdio"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 well, 1 not well, 2 wrong arguments or settings."""
    # What a start imports is not garbage: looking for some after every 700 objects takes a tenth of it.
    gc.set_threshold(50_000)
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except* BrokenPipeError:
        # The reader, such as head, has had enough. Nothing is left to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141  # as a shell has it
    return status


def _run(arguments: Sequence[str]) -> int:
    try:
        asked = _parser(arguments).parse_args(arguments)
        run: Callable[[argparse.Namespace], int] = _module(asked.command or DEFAULT).run
        return run(asked)
    except SettingsError as error:
        sys.stderr.write(f"cio-mcp: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser of all commands, which knows the arguments of the one that is asked for."""
    parser = argparse.ArgumentParser(
        prog="cio-mcp",
        description="An MCP server with which AI agents operate a Customer.io workspace. Without a command\n"
        "it serves MCP on stdin and stdout, which is how a client such as Claude Desktop starts\n"
        "it. Without credentials it works on an embedded sandbox.",
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"cio-mcp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    asked = next((word for word in arguments if not word.startswith("-")), None)
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose)
        if name == asked:
            add_arguments: Callable[[argparse.ArgumentParser], None] = _module(name).add_arguments
            add_arguments(command)
    return parser


def _module(name: str) -> Any:
    return import_module(f"cio_mcp.cli.{name}")


def _settings_help() -> str:
    width = max(map(len, variables()))
    lines = [f"  {name:<{width}}  {purpose}" for name, purpose in variables().items()]
    return "\n".join(("settings, from the environment:", *lines))

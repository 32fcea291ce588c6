"""The command line. Each command is a module of this package, which is imported when it is asked for.

A module has `add_arguments`, which tells its parser what it takes, and `run`, which returns the exit status.
"""

import argparse
import atexit
import errno
import gc
import io
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO, cast

from cio_mcp import __version__
from cio_mcp.errors import SettingsError
from cio_mcp.settings import variables

# The modules, and what --help says of them.
COMMANDS = {
    "setup": "connect a client to a workspace, step by step",
    "serve": "serve MCP: over HTTP and SSE, or on stdin and stdout",
    "demo": "show the main operations on the embedded sandbox",
    "tools": "list the tools, or show the arguments of one",
    "call": "call one tool and print its answer",
    "report": "report how all messages did, as a table or a page",
    "load": "load customers, events or objects from a file of any size",
    "export": "export customers or deliveries to a file",
    "templates": "print a file that makes each message a tool of its own",
    "pace": "show how much of each limit this host's processes use, live",
    "stop": "halt all writes, deletions and sends in all servers",
    "resume": "allow writes, deletions and sends again after cio-mcp stop",
    "doctor": "check settings, credentials, the network and a client's entry",
    "sandbox": "serve the sandbox over HTTP, for any Customer.io SDK or curl",
    "audit": "check or show the audit log (CIO_AUDIT_LOG)",
    "token": "manage who may call over HTTP",
    "config": "print the entry for an MCP client, or write it and try it",
}

# What runs without a command: a client such as Claude Desktop starts it so.
DEFAULT = "serve_stdio"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 well, 1 not well, 2 wrong arguments or settings."""
    if sys.stdout is None:  # it was closed when the program started
        with Path(os.devnull).open("w") as sys.stdout:
            return main(arguments)
    speak_utf8()
    _start_fast()
    try:
        try:
            status = _run(sys.argv[1:] if arguments is None else arguments)
        finally:
            sys.stdout.flush()
    except* BrokenPipeError:
        # The reader, such as head, has had enough.
        give_up(sys.stdout)
        status = 141  # as a shell has it
    except* OSError as errors:
        causes = {getattr(error, "errno", None) for error in errors.exceptions}
        gone = sys.platform == "win32" and causes == {errno.EINVAL}  # so Windows says that of the reader
        if not gone and causes != {errno.ENOSPC}:
            raise
        give_up(sys.stdout)
        if not gone:
            sys.stderr.write("cio-mcp: the output cannot be written: no space is left\n")
        status = 141 if gone else 1
    return status


def _start_fast() -> None:
    """Leave out what takes time and serves no command."""
    # What a start imports is not garbage: looking for some after every 700 objects takes a tenth of it.
    gc.set_threshold(100_000)
    if not sys.flags.dev_mode:  # which tells what was left open
        # At its end a process need not look what of all this is garbage: the system takes it back.
        atexit.register(gc.freeze)
    # A command line of httpx's own, which needs much else. Where it is missing httpx does without.
    sys.modules.setdefault("httpx._main", cast("ModuleType", None))


def speak_utf8() -> None:
    """Read and write UTF-8, whatever a host has set: in less, many a name cannot be printed."""
    for stream, encoding in ((sys.stdin, "utf-8-sig"), (sys.stdout, "utf-8"), (sys.stderr, "utf-8")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def give_up(stream: TextIO) -> None:
    """Let what a stream could not write go nowhere: at exit it would be tried again, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(arguments: Sequence[str]) -> int:
    try:
        # Clients start it without arguments; to make the parser of all commands takes a while.
        asked = _parser(arguments).parse_args(arguments) if arguments else argparse.Namespace(command=None)
        run: Callable[[argparse.Namespace], int] = _module(asked.command or DEFAULT).run
        return run(asked)
    except SettingsError as error:
        sys.stderr.write(f"cio-mcp: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser of all commands, which knows the arguments of the one that is asked for."""
    parser = _Parser(
        prog="cio-mcp",
        description="An MCP server with which AI agents operate a Customer.io workspace. Without a command "
        "it serves MCP on stdin and stdout, which is how a client such as Claude Desktop starts it. Without "
        "credentials it works on an embedded sandbox.",
        formatter_class=_Paragraphs,
    )
    parser.add_argument("--version", action="version", version=f"cio-mcp {__version__}")
    commands = parser.add_subparsers(
        title="commands", dest="command", metavar="command", parser_class=argparse.ArgumentParser
    )
    asked = next((word for word in arguments if not word.startswith("-")), None)
    # Who begins with a command needs no other's parser.
    named = {asked: COMMANDS[asked]} if asked == arguments[0] and asked in COMMANDS else COMMANDS
    for name, purpose in named.items():
        command = commands.add_parser(
            name,
            help=purpose,
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            formatter_class=_Paragraphs,
            conflict_handler="resolve",  # call has a --help of its own
        )
        if name == asked:
            add_arguments: Callable[[argparse.ArgumentParser], None] = _module(name).add_arguments
            add_arguments(command)
    return parser


def _module(name: str) -> Any:
    return import_module(f"cio_mcp.cli.{name}")


class _Parser(argparse.ArgumentParser):
    """Tells in its help of the settings, too."""

    def format_help(self) -> str:
        from cio_mcp.cli.table import pairs  # noqa: PLC0415 - only for the help

        settings = pairs({f"  {name}": purpose for name, purpose in variables().items()})
        more = "`cio-mcp COMMAND --help` explains one command."
        self.epilog = f"{more}\n\nsettings, from the environment:\n{settings}"
        return super().format_help()

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print a text as anything else is printed: argparse passes over that nobody reads it."""
        (file or sys.stderr).write(message)


class _Paragraphs(argparse.HelpFormatter):
    """Wraps each paragraph of a text by itself; lines that begin with blanks stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = [part for part in text.split("\n\n") if part]
        return "\n\n".join(
            part.rstrip() if "\n " in part else super(_Paragraphs, self)._fill_text(part, width, indent)
            for part in parts
        )

"""The command line. What a command needs is imported when it runs, so that --help is instant."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

from cio_mcp import __version__
from cio_mcp.errors import SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 well, 1 not well, 2 wrong arguments or settings."""
    asked = _parser().parse_args(arguments)
    try:
        return _COMMANDS[asked.command]()
    except SettingsError as error:
        sys.stderr.write(f"cio-mcp: {error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cio-mcp",
        description="An MCP server with which AI agents operate a Customer.io workspace. Without a command "
        "it serves MCP on stdin and stdout, as a client such as Claude Desktop starts it. Without "
        "credentials it works on an embedded sandbox.",
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"cio-mcp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("serve", help="serve MCP on stdin and stdout (the default)")
    commands.add_parser("demo", help="show the main operations on the embedded sandbox")
    return parser


def _settings_help() -> str:
    from cio_mcp.settings import variables

    width = max(map(len, variables()))
    lines = [f"  {name:<{width}}  {purpose}" for name, purpose in variables().items()]
    return "\n".join(("settings, from the environment:", *lines))


def _serve() -> int:
    from cio_mcp.settings import load

    settings = load()
    _log_to_stderr(settings.log_level)
    from cio_mcp.stdio import serve

    asyncio.run(serve(settings))
    return 0


def _demo() -> int:
    from cio_mcp.demo import run

    return asyncio.run(run())


def _log_to_stderr(level: str) -> None:
    """Configure logging before the SDK does, whose own way would be louder. Stdout is the protocol."""
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s")


_COMMANDS = {None: _serve, "serve": _serve, "demo": _demo}

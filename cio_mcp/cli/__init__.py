"""The command line: one module per command, imported when it runs, so that --help is instant."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from cio_mcp import __version__
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load, variables

CLIENTS = ("claude-desktop", "claude-code", "cursor", "vscode", "windsurf")


WAITING = """\
cio-mcp waits for an MCP client to speak on stdin: clients start it themselves, see cio-mcp config.
To see it work, press Ctrl-C and try cio-mcp demo; cio-mcp --help shows what else there is.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 well, 1 not well, 2 wrong arguments or settings."""
    asked = _parser().parse_args(arguments)
    try:
        status = _run(asked)
        sys.stdout.flush()
    except* BrokenPipeError:
        # The reader, such as head, has had enough. Nothing is left to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141  # as a shell has it
    return status


def _run(asked: argparse.Namespace) -> int:
    try:
        if asked.command in {None, "serve"}:
            return _serve(asked)
        status: int = import_module(f"cio_mcp.cli.{asked.command}").run(asked)
    except SettingsError as error:
        sys.stderr.write(f"cio-mcp: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return status


def _serve(asked: argparse.Namespace) -> int:
    settings = load()
    # Before the SDK configures logging its own, louder way. Over stdio, stdout is the protocol.
    import_module("cio_mcp.logs").configure(settings.log_level, settings.log_format)
    if asked.command == "serve" and asked.transport != "stdio":
        served: int = import_module("cio_mcp.cli.serve").run(asked, settings)
        return served
    if sys.stdin.isatty():
        sys.stderr.write(WAITING)
    import_module("asyncio").run(import_module("cio_mcp.stdio").serve(settings))
    return 0


def _parser() -> argparse.ArgumentParser:
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
    serve = commands.add_parser("serve", help="serve MCP: over HTTP and SSE, or on stdin and stdout")
    serve.add_argument(
        "--transport",
        choices=("both", "http", "sse", "stdio"),
        default="both",
        help="Streamable HTTP on /mcp, SSE on /sse, both (default), or stdio",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000; 0: any)")
    serve.add_argument("--certificate", metavar="FILE", help="speak https with this certificate")
    serve.add_argument("--key", metavar="FILE", help="the certificate's key, if it has a file of its own")
    commands.add_parser("demo", help="show the main operations on the embedded sandbox")

    tools = commands.add_parser("tools", help="list the tools that are on, and those that are off and why")
    tools.add_argument("--json", action="store_true", help="print them with their schemas as JSON")

    call = commands.add_parser(
        "call",
        help="call one tool and print its answer as JSON",
        description="Call one tool through the full server. Exit status: 0 done, 1 refused by Customer.io,\n"
        "2 wrong arguments or settings, 3 not sent, 4 outcome unknown.",
        epilog="example: cio-mcp call track_event customer_id=u_1001 name=purchase 'data={\"amount\": 20}'",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    call.add_argument("tool", help="the tool's name, as `cio-mcp tools` lists it")
    together = "objects and lists as JSON; or all of them as one JSON object"
    call.add_argument("arguments", nargs="*", metavar="key=value", help=together)

    pace = commands.add_parser("pace", help="show how much of each limit this host's processes use, live")
    pace.add_argument("--once", action="store_true", help="print it once")

    commands.add_parser("stop", help="halt all writes, deletions and sends, in every server that shares them")
    commands.add_parser("resume", help="let what cio-mcp stop has stopped go on")

    doctor = commands.add_parser("doctor", help="check settings, credentials and the way to Customer.io")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")

    sandbox = commands.add_parser(
        "sandbox", help="serve the sandbox over HTTP, for any Customer.io SDK or curl"
    )
    sandbox.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    sandbox.add_argument("--port", type=int, default=8080, help="port to listen on (default: 8080; 0: any)")
    sandbox.add_argument(
        "--tls", action="store_true", help="speak https, with a certificate made on the spot"
    )

    audit = commands.add_parser("audit", help="check or show the record that CIO_AUDIT_LOG keeps")
    audit.add_argument("action", choices=("verify", "show"))
    audit.add_argument(
        "paths", metavar="path", nargs="+", help="the log; parts that were moved away before it"
    )
    audit.add_argument("--tool", help="show only calls of this tool")

    _add_token(commands.add_parser("token", help="manage who may call over HTTP"))

    config = commands.add_parser("config", help="print the configuration for an MCP client, or write it")
    config.add_argument("client", choices=CLIENTS)
    config.add_argument("--write", action="store_true", help="merge it into the client's file, with a backup")
    config.add_argument("--with-keys", action="store_true", help="and the credentials that are set here")
    return parser


def _add_token(token: argparse.ArgumentParser) -> None:
    token.add_argument("--file", help="the tokens' file (default: CIO_TOKENS_FILE)")
    actions = token.add_subparsers(dest="action", metavar="action", required=True)
    actions.add_parser("list", help="list names and grants")
    actions.add_parser("revoke", help="let a token hold no longer").add_argument("name")
    add = actions.add_parser("add", help="make a token and print it, this once")
    add.add_argument("name", help="who it is for, for logs and limits")
    for option in ("permissions", "toolsets", "tools"):
        add.add_argument(f"--{option}", help=f"narrow as CIO_{option.upper()} does")
    add.add_argument("--workspaces", help="only these of the server's workspaces, by their names")
    for option in ("max-recipients", "max-sends-per-hour", "max-sends-per-day"):
        add.add_argument(f"--{option}", type=int, metavar="N", help="a cap of this caller's own")
    add.add_argument("--rate-share", type=float, metavar="PART", help="the part of each limit it may use")
    add.add_argument("--days", type=float, help="let it expire after so many days")


def _settings_help() -> str:
    width = max(map(len, variables()))
    lines = [f"  {name:<{width}}  {purpose}" for name, purpose in variables().items()]
    return "\n".join(("settings, from the environment:", *lines))

"""`cio-mcp serve`: MCP over HTTP, or on stdin and stdout."""

import argparse

from cio_mcp.cli import serve_stdio
from cio_mcp.transports.http.transports import TRANSPORTS

BOTH, STDIO = "both", "stdio"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a transport, and where to listen."""
    parser.description = (
        "Serve MCP over HTTP until Ctrl-C or SIGTERM, then let running calls end. Without tokens it listens "
        "on loopback only. Clients on this machine need no `serve`: they start `cio-mcp` themselves."
    )
    ways = "; ".join(f"{name}: {way.title} on {way.paths[0]}" for name, way in TRANSPORTS.items())
    parser.add_argument(
        "--transport",
        choices=(BOTH, *TRANSPORTS, STDIO),
        default=BOTH,
        help=f"{ways}; both (default): all over HTTP; stdio: stdin and stdout",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000; 0: any)")
    parser.add_argument("--certificate", metavar="FILE", help="speak https with this certificate")
    parser.add_argument("--key", metavar="FILE", help="the certificate's key, if it has a file of its own")


def run(asked: argparse.Namespace) -> int:
    """Serve until told to stop; returns 0."""
    if asked.transport == STDIO:
        return serve_stdio.run(asked)
    from cio_mcp.cli import serve_http  # noqa: PLC0415 - stdio starts sooner without it

    return serve_http.run(asked, tuple(TRANSPORTS) if asked.transport == BOTH else (asked.transport,))

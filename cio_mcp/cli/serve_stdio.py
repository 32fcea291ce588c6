"""MCP on stdin and stdout: what `cio-mcp` does without a command."""

import argparse
import sys

from cio_mcp.logs import configure
from cio_mcp.settings import load

WAITING = """\
cio-mcp waits for an MCP client to speak on stdin: clients start it themselves, see cio-mcp config.
To see it work, press Ctrl-C and try cio-mcp demo; cio-mcp --help shows what else there is.
"""


def run(_: argparse.Namespace) -> int:
    """Serve until stdin ends or a signal comes; returns 0."""
    settings = load()
    # Before the SDK configures logging its own, louder way. Over stdio, stdout is the protocol.
    configure(settings.log_level, settings.log_format)
    if sys.stdin.isatty():
        sys.stderr.write(WAITING)
    # Later than what is told at once: a wrong setting, and the hint.
    from cio_mcp.app.workspace import remembering  # noqa: PLC0415
    from cio_mcp.transports.stdio import serve  # noqa: PLC0415

    serve(remembering(settings))
    return 0

"""Listening on a port, for the commands that serve HTTP."""

import socket
import sys

from cio_mcp.errors import SettingsError


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises SettingsError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, an answer whose head and
    # body are written apart can wait 40 ms for the client to acknowledge the head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform == "win32":  # there SO_REUSEADDR lets two programs have one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # who connects before the server is up waits instead of being refused
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"--port {port}: {host} cannot be listened on ({reason}); take another port, or 0 for any"
        raise SettingsError(message) from None
    return listener

"""Messages that are JSON and that the SDK cannot read, made readable: their tool then refuses them by name.

The SDK answers them with a parse error that names nothing, and on stdio not at all.
"""

import re

from cio_mcp.toolkit.arguments.sizes import DEEP, HALF, MOST_LEVELS

CALL = b"tools/call"

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPED = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
_PART = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)


def repaired(message: bytes) -> bytes:
    """Return a call of a tool with a mark in place of each half of a character, and of what is too deep.

    Any other message is returned as it is: there is no argument to name.
    """
    if CALL not in message:
        return message
    if _HALF.search(message):
        message = _ESCAPED.sub(lambda found: HALF.encode() if found["half"] else found[0], message)
    if message.count(b"[") + message.count(b"{") > MOST_LEVELS:
        message = _cut(message)
    return message


def _cut(message: bytes) -> bytes:
    kept, level, done = [], 0, 0
    for part in _PART.finditer(message):
        if part[0] in b"[{":
            level += 1
            if level == MOST_LEVELS + 1:
                kept.append(message[done : part.start()])
        elif part[0] in b"]}":
            level -= 1
            if level == MOST_LEVELS:
                kept.append(f'"{DEEP}"'.encode())
                done = part.end()
    return b"".join((*kept, message[done:])) if kept else message

"""Files that an email brings along, as agents encode them."""

import base64
import binascii
import re
from typing import Annotated, Any

from pydantic import AfterValidator

from cio_mcp.limits import ATTACHMENTS_BYTES
from cio_mcp.toolkit.arguments.types import JsonObject, one_line

# What encoders leave between lines of base64, and what makes its URL-safe form the plain one.
_BREAKS = re.compile(r"[ \t]*[\r\n]+[ \t]*")
_PLAIN = str.maketrans("-_", "+/")

# What makes a file name a path, ends it early in a header, or shows it as another one. Marks of direction do
# not: phones write them into names of files where text runs from right to left.
_MISLEADING = re.compile(r'[/\\"\u202a-\u202e\u2066-\u2069]')


def _attachments(attachments: dict[str, Any]) -> dict[str, str]:
    """Return files in plain base64; raises ValueError that names the file that is none."""
    found = {_name(name): _plain(name, content) for name, content in attachments.items()}
    if (total := sum(len(base64.b64decode(content)) for content in found.values())) >= ATTACHMENTS_BYTES:
        message = f"must be under {ATTACHMENTS_BYTES} bytes in all; these are {total}"
        raise ValueError(message)
    return found


def _name(name: str) -> str:
    try:
        one_line(name)
    except ValueError as error:
        message = f"{name!r}: a file name {error}"
        raise ValueError(message) from None
    if not name.strip():
        message = "a file name must not be blank"
        raise ValueError(message)
    if _MISLEADING.search(name):
        message = f'{name!r}: a file name must not contain / \\ " or signs that turn the direction of text'
        raise ValueError(message)
    return name


def _plain(name: str, content: object) -> str:
    """Return base64 without line breaks, with padding, and in the alphabet that is not URL-safe."""
    try:
        if not isinstance(content, str) or not content.strip():
            raise ValueError  # noqa: TRY301 - one message for all that is no base64
        text = _BREAKS.sub("", content.strip()).translate(_PLAIN).rstrip("=")
        return base64.b64encode(base64.b64decode(text + "=" * (-len(text) % 4), validate=True)).decode()
    except (binascii.Error, ValueError):
        message = f"{name}: is not base64; a file needs its content in base64"
        raise ValueError(message) from None


Attachments = Annotated[JsonObject, AfterValidator(_attachments)]

"""Paths of requests, filled so that no value can change them."""

from urllib.parse import quote

from cio_mcp.errors import InvalidArgument

# Customer.io takes 150 bytes; httpx gives up on addresses beyond 65,536.
LONGEST_ID = 1000


def fill(path: str, ids: dict[str, object]) -> str:
    """Fill a path template with every value percent-encoded whole, so that none can change the path.

    Raises InvalidArgument for what no encoding makes safe: empty, `.`, `..`, control characters, text that
    is not valid Unicode, and text too long for any address.
    """
    return path.format(**{name: _segment(name, str(value)) for name, value in ids.items()})


def _segment(name: str, value: str) -> str:
    if value in {"", ".", ".."}:
        raise InvalidArgument(f"{name}: must not be empty, '.' or '..'")
    if len(value) > LONGEST_ID:
        raise InvalidArgument(f"{name}: must not be longer than {LONGEST_ID} characters")
    if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in value):
        raise InvalidArgument(f"{name}: must not contain control characters")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise InvalidArgument(f"{name}: is not valid Unicode text") from None

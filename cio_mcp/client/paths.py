"""Paths and queries of requests, filled so that no value can change them."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from cio_mcp.errors import InvalidArgument

# Customer.io takes 150 bytes; httpx gives up on addresses beyond 65,536.
LONGEST_ID, LONGEST_QUERY = 1000, 20_000

# What tools call the texts that Customer.io's queries have other names for.
ARGUMENTS = {"start": "cursor", "type": "activity_type", "from": "sender"}


def fill(path: str, ids: dict[str, object]) -> str:
    """Fill a path template with every value percent-encoded whole, so that none can change the path.

    Raises InvalidArgument for what no encoding makes safe: empty, `.`, `..`, control characters, text that
    is not valid Unicode, and text too long for any address.
    """
    return path.format(**{name: _segment(name, str(value)) for name, value in ids.items()})


def query_of(asked: Mapping[str, object]) -> str:
    """Return a query with its question mark, without what is None or empty; raises InvalidArgument."""
    given = {name: str(value) for name, value in asked.items() if value not in (None, "")}
    query = f"?{urlencode(given)}" if given else ""
    if len(query) > LONGEST_QUERY:
        longest = max(given, key=lambda name: len(given[name]))
        raise InvalidArgument(f"{ARGUMENTS.get(longest, longest)}: is too long for a request")
    return query


def _segment(name: str, value: str) -> str:
    if value in {"", ".", ".."}:
        raise InvalidArgument(f"{name}: must not be empty, '.' or '..'")
    if len(value) > LONGEST_ID:
        raise InvalidArgument(f"{name}: must not be longer than {LONGEST_ID} characters")
    if not value.isprintable() and any(ord(char) < 32 or 127 <= ord(char) < 160 for char in value):
        raise InvalidArgument(f"{name}: must not contain control characters")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise InvalidArgument(f"{name}: is not valid Unicode text") from None

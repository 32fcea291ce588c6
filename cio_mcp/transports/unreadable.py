"""What to answer to a line that is no message, so that nobody waits for ever."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from mcp.types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError

MARK = "\ufeff"

_KEY = re.compile(r'\s*[{,]\s*"((?:[^"\\]|\\.)*)"\s*:\s*')
_NEXT = re.compile(r"\s*[,}]")
_RAW = re.compile("[\udc80-\udcff]")  # as which Python keeps bytes that are no UTF-8


def answers(line: str) -> Iterator[JSONRPCError]:
    """Yield an error for each request in a line that is no message, or one without an id."""
    found, what = _read(line.strip())
    code = INVALID_REQUEST if isinstance(found, dict) and not what else PARSE_ERROR
    error = ErrorData(code=code, message=f"The message {what or 'is not JSON-RPC 2.0'}.")
    ids = [_id(message) for message in (found if isinstance(found, list) else [found])]
    for known in set(ids) - {None} or {None}:
        yield JSONRPCError(jsonrpc="2.0", id=known, error=error)


def _read(text: str) -> tuple[Any, str]:
    """Return what a text holds, as far as it can be read, and why it is no message; never a word of it."""
    text, marked = text.removeprefix(MARK), text.startswith(MARK)
    try:
        found, what = json.loads(text), ""
    except json.JSONDecodeError as error:
        found, what = _begun(text), f"is not JSON: {error.msg} at character {error.pos + 1}"
    except RecursionError:
        found, what = None, "is nested too deeply"
    if _RAW.search(text):
        what = "holds bytes that are not UTF-8, such as half an emoji"
    elif marked:
        what = "begins with a byte-order mark; send UTF-8 without one"
    elif isinstance(found, list):
        what = what or "is an array; send each message on a line of its own"
    elif not what and not _is_unicode(found):
        what = "holds half a character: a surrogate without the other one of its pair"
    return found, what


def _begun(text: str) -> dict[str, Any]:
    """Return the members of an object that are whole, up to where it breaks off."""
    found: dict[str, Any] = {}
    at, decode = 0, json.JSONDecoder().raw_decode
    with suppress(ValueError, RecursionError):
        while key := _KEY.match(text, at):
            value, at = decode(text, key.end())
            if not _NEXT.match(text, at):  # a number may have been longer
                break
            found[key[1]] = value
    return found


def _is_unicode(found: object) -> bool:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _id(message: object) -> int | str | None:
    """Return the id of a request; None for a notification, and for an answer, whose id is ours."""
    if not isinstance(message, dict) or "result" in message or "error" in message:
        return None
    found = message.get("id")
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None

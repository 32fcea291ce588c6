"""Answers' bodies, bounded in bytes, in values and in time: whoever answers cannot use up the memory."""

import asyncio
import json
import math
import re
import zlib
from typing import Any

import httpx

from cio_mcp.client.call import now

# The largest body, in bytes after decompression, and the most values in one, counted by the marks between
# them. Read and parsed, the worst of such bodies takes less than 64 MB.
LARGEST_BODY, MOST_MARKS = 4_000_000, 300_000

# The most times that a body may be packed.
MOST_CODINGS = 4

# So many bytes are kept of a body that is too large: an error's reason is at its start. What failed calls
# leave is collected late, so more would add up.
START = 4_096

# The most levels of an answer's JSON: everything that handles it later is recursive.
MOST_LEVELS = 400

# A whole number of so many digits is larger than any that a computer counts with.
LONG_NUMBER = 400

# An answer that begins when its call's time is over gets so many seconds: its status may tell the outcome.
LATE = 1.0

# Says in a response's extensions whether its body was too large to be read whole.
CUT = "cio-mcp/cut"


async def loaded(response: httpx.Response, until: float = math.inf) -> httpx.Response:
    """Read and decompress the body of a response, by the time `until` of the loop's clock, and return it.

    Of a body that is too large the start is kept. Raises httpx.RequestError.
    """
    if response.is_closed:
        return response
    try:
        async with asyncio.timeout_at(None if until == math.inf else max(until, now() + LATE)):
            body, cut = await _read(response)
    except TimeoutError:
        raise httpx.ReadTimeout("the answer did not end in time") from None
    finally:
        await response.aclose()
    codings = response.headers.get("content-encoding", "").lower().split(",")
    if len(codings) > MOST_CODINGS:
        message = "the body is packed too often"
        raise httpx.DecodingError(message)
    try:
        for coding in reversed(codings):
            if coding.strip() in {"gzip", "x-gzip", "deflate"}:
                body, more = _inflated(body)
                cut |= more
    except zlib.error as error:
        raise httpx.DecodingError(str(error)) from None
    response.extensions[CUT] = cut
    # httpx reads and decompresses without a bound; a new response would cost a 20th of the whole call.
    response._content = body[:START] if cut else body
    return response


async def _read(response: httpx.Response) -> tuple[bytes, bool]:
    body = bytearray()
    async for part in response.aiter_raw():
        body += part[: LARGEST_BODY - len(body)]
        if len(body) == LARGEST_BODY:
            return bytes(body), True
    return bytes(body), False


def _inflated(body: bytes) -> tuple[bytes, bool]:
    """Return a body decompressed, up to the bound, and whether there is more of it."""
    if not body:
        return body, False
    # gzip and zlib are told apart by how they begin; what some servers call deflate begins like neither.
    plain = body[0] & 15 != 8 and body[:1] != b"\x1f"
    inflating = zlib.decompressobj(-zlib.MAX_WBITS if plain else zlib.MAX_WBITS | 32)
    found = inflating.decompress(body, LARGEST_BODY)
    if len(found) < LARGEST_BODY and not inflating.eof:
        message = "the body ends too early"
        raise zlib.error(message)
    return found, not inflating.eof


class TooMuch(ValueError):
    """A body holds more values or levels than an answer may."""


def parsed_json(body: bytes) -> Any:
    """Return the JSON of a body; raises ValueError, and TooMuch for more of it than can be handled.

    What JSON's writers cannot write is told in other words, so that the rest can be read: half a character
    becomes U+FFFD; NaN, an infinity, and a number too large for a computer become text.
    """
    opened = body.count(b"[") + body.count(b"{")
    if opened + body.count(b",") + body.count(b":") > MOST_MARKS:
        raise TooMuch
    text = body.decode("utf-8-sig", "replace")
    if _HALF.search(text):
        text = _ESCAPED.sub(lambda escaped: "\\ufffd" if _HALF.fullmatch(escaped[0]) else escaped[0], text)
    try:
        found = (_JSON_WITH_LONG_NUMBERS if _may_have_long_number(text) else _JSON).decode(text)
    except RecursionError:
        raise TooMuch from None
    if opened > MOST_LEVELS and _is_deep(found):
        raise TooMuch
    return found


def json_of(response: httpx.Response) -> Any:
    """Return the JSON of a response, an empty object if it has no body; raises as `parsed_json` does."""
    if response.extensions.get(CUT):
        raise TooMuch
    return parsed_json(response.content) if response.content.strip() else {}


# Half of a character beyond U+FFFF, by its number; every escape, with both halves as one.
_HALF = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_ESCAPED = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")


def _number(text: str) -> float | str:
    return found if math.isfinite(found := float(text)) else text


def _whole(text: str) -> int | str:
    return int(text) if len(text) < LONG_NUMBER else text


def _may_have_long_number(text: str) -> bool:
    """Say whether a text has a number so long: it fills a stretch of half as many characters."""
    stretch = LONG_NUMBER // 2
    return any(text[at : at + stretch].isdigit() for at in range(0, len(text), stretch))


# The parser is half as slow again when it asks for each whole number.
_JSON = json.JSONDecoder(parse_constant=str, parse_float=_number)
_JSON_WITH_LONG_NUMBERS = json.JSONDecoder(parse_constant=str, parse_float=_number, parse_int=_whole)


def _is_deep(found: Any) -> bool:
    level, depth = [found], 0
    while level and depth <= MOST_LEVELS:
        inner = [item.values() if isinstance(item, dict) else item for item in level]
        level = [each for items in inner for each in items if isinstance(each, (dict, list))]
        depth += 1
    return depth > MOST_LEVELS

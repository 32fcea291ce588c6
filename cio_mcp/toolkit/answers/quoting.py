"""Quoting: text that an agent or a customer wrote never looks like our own words."""

import html
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from cio_mcp.toolkit.arguments.addresses import domain

# The longest quotation, in characters.
LONGEST = 200

# A name that is no sentence.
_NAME = re.compile(r"[\w.@+:\[\]-]{1,100}")

# Where a URL's host begins, as browsers read it, and everything up to its end.
_HOST = re.compile(r"""(?:\bhttps?:[\\/]+|["'=(]\s*[\\/]{2})([^\s\\/?#"'<>()]+)""", re.IGNORECASE)
_PLAIN_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*", re.ASCII)


def quoted(value: Any, longest: int = LONGEST) -> str:
    """Return a value on one line and in quotation marks, cut, with what cannot be seen written out."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    more = len(text) - longest
    shown = "".join(map(_visible, text[:longest] if more > 0 else text))
    return f'"{shown}"' + (f" and {more} more characters" if more > 0 else "")


def plain_name(name: str) -> str:
    """Return a name or identifier as it is, quoted if it could look like our own words."""
    return name if _NAME.fullmatch(name) else quoted(name)


def _visible(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character == "\n":
        return "\\n"
    if character != " " and unicodedata.category(character)[0] in "CZ":
        return f"\\u{{{ord(character):x}}}"
    return character


def hosts(value: Any) -> list[str]:
    """Return the hosts that the links in a value lead to, each once, as a browser would look them up."""
    return sorted({ascii_host(host) for text in _texts(value) for host in _HOST.findall(html.unescape(text))})


def ascii_host(host: str) -> str:
    """Return a host in ASCII, without user name and port; quoted if it is none."""
    try:
        name = domain((urlsplit(f"//{host}").hostname or "").rstrip("."))
    except ValueError:
        name = ""
    return name if _PLAIN_HOST.fullmatch(name) else quoted(host)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)

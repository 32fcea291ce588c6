"""Addresses in words, such as "ada [at] example.com" and "ada at example dot com"."""

import re

_NAME = r"(?<![\w.%+-])(?P<name>[\w%+-][\w.%+-]{0,63})"
_LABEL = r"[^\W_](?:[\w-]{0,62}[^\W_])?"
_LAST = r"[^\W\d_]{2,24}\b"
_BLANKS, _BLANK = r"[^\S\r\n]{0,3}", r"[^\S\r\n]{1,3}"

# In brackets, "at" is no ordinary word. Without them it is one, unless the dots are words too.
_BRACKETED = rf"{_BLANKS}[\[({{<]{_BLANKS}(?:%s){_BLANKS}[\])}}>]{_BLANKS}"
_SAID_DOT = rf"{_BLANK}dot{_BLANK}"
_DOT = rf"(?:\.|{_BRACKETED % r'dot|[.]'}|{_SAID_DOT})"
_NO_HOST = r"(?!(?:an?|the|this|that|my|our|your|its)\b)"

_IN_WORDS = re.compile(
    rf"{_NAME}(?:{_BRACKETED % 'at|@'}(?P<marked>{_LABEL}(?:{_DOT}{_LABEL})*{_DOT}{_LAST})"
    rf"|{_BLANK}at{_BLANK}{_NO_HOST}(?P<said>{_LABEL}(?:{_DOT}{_LABEL})*{_SAID_DOT}{_LAST}))",
    re.IGNORECASE,
)
_DOTS = re.compile(_DOT, re.IGNORECASE)


def written(text: str) -> str:
    """Return a text with the addresses that are in words in it in their usual form."""
    return _IN_WORDS.sub(lambda it: f"{it['name']}@{_DOTS.sub('.', it['marked'] or it['said'])}", text)

"""Filters of texts."""

import html
import re
from typing import Any

from cio_mcp.liquid.filters.table import Table, items, whole, written
from cio_mcp.liquid.metering import ITEM

filters = Table()

# What is no text, with what it begins and ends.
_HIDDEN = {"<script": "</script>", "<style": "</style>", "<!--": "-->"}

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})


@filters("append")
def append(value: Any, end: Any) -> str:
    return written(value) + written(end)


@filters("prepend")
def prepend(value: Any, start: Any) -> str:
    return written(start) + written(value)


@filters("capitalize")
def capitalize(value: Any) -> str:
    return written(value).capitalize()


@filters("upcase")
def upcase(value: Any) -> str:
    return written(value).upper()


@filters("downcase")
def downcase(value: Any) -> str:
    return written(value).lower()


@filters("titlecase")
def titlecase(value: Any) -> str:
    return re.sub(r"\S+", lambda word: word[0].capitalize(), written(value))


@filters("truncate")
def truncate(value: Any, length: Any = 50, end: Any = "...") -> str:
    text, mark, most = written(value), written(end), whole(length)
    return text if len(text) <= most else text[: max(0, most - len(mark))] + mark


@filters("truncatewords")
def truncatewords(value: Any, count: Any = 15, end: Any = "...") -> str:
    most = max(1, whole(count))
    words = written(value).split(None, most)
    return " ".join(words[:most]) + (written(end) if len(words) > most else "")


@filters("replace", in_context=True)
def replace(context: Any, value: Any, old: Any, new: Any = "") -> str:
    text, gone, put = written(value), written(old), written(new)
    context.meter.spend(len(text) + text.count(gone) * len(put))
    return text.replace(gone, put)


@filters("replace_first")
def replace_first(value: Any, old: Any, new: Any = "") -> str:
    return written(value).replace(written(old), written(new), 1)


@filters("replace_last")
def replace_last(value: Any, old: Any, new: Any = "") -> str:
    before, found, after = written(value).rpartition(written(old) or "\0")
    return before + written(new) + after if found else after


@filters("remove")
def remove(value: Any, gone: Any) -> Any:
    if isinstance(value, list):
        return [item for item in value if item != gone]
    return written(value).replace(written(gone), "")


@filters("remove_first")
def remove_first(value: Any, gone: Any) -> str:
    return replace_first(value, gone)


@filters("remove_last")
def remove_last(value: Any, gone: Any) -> str:
    return replace_last(value, gone)


@filters("split", in_context=True)
def split(context: Any, value: Any, separator: Any) -> list[str]:
    text, between = written(value), written(separator)
    context.meter.spend(ITEM * (len(text) // 2 if between == " " else text.count(between)))
    if not between:
        return list(text)
    found = text.split(None if between == " " else between)
    while found and not found[-1]:
        found.pop()
    return found


@filters("strip")
def strip(value: Any) -> str:
    return written(value).strip()


@filters("lstrip")
def lstrip(value: Any) -> str:
    return written(value).lstrip()


@filters("rstrip")
def rstrip(value: Any) -> str:
    return written(value).rstrip()


@filters("strip_html")
def strip_html(value: Any) -> str:
    text, parts, done = written(value), [], 0
    lower, never = text.lower(), set[str]()
    while (start := text.find("<", done)) >= 0:
        closing = next((end for opening, end in _HIDDEN.items() if lower.startswith(opening, start)), ">")
        end = -1 if closing in never else lower.find(closing, start)
        if end < 0:
            never.add(closing)
            closing = ">"
            if (end := text.find(closing, start)) < 0:
                break
        parts.append(text[done:start])
        done = end + len(closing)
    return "".join([*parts, text[done:]])


@filters("strip_newlines")
def strip_newlines(value: Any) -> str:
    return re.sub(r"\r?\n", "", written(value))


@filters("normalize_whitespace")
def normalize_whitespace(value: Any) -> str:
    return re.sub(r"\s+", " ", written(value))


@filters("newline_to_br")
def newline_to_br(value: Any) -> str:
    return re.sub(r"\r?\n", "<br />\n", written(value))


@filters("slice")
def slice_(value: Any, start: Any, length: Any = 1) -> Any:
    things = value if isinstance(value, list) else written(value)
    first, count = whole(start), max(0, whole(length))
    first = max(0, first + len(things)) if first < 0 else first
    return things[first : first + count]


@filters("slugify")
def slugify(value: Any) -> str:
    return re.sub(r"[\W_]+", "-", written(value).lower()).strip("-")


@filters("pluralize")
def pluralize(value: Any, one: Any, many: Any = None) -> str:
    single = written(one)
    return f"{written(value)} {single if written(value) == '1' else written(many) if many else f'{single}s'}"


@filters("number_of_words")
def number_of_words(value: Any) -> int:
    return sum(1 for _ in re.finditer(r"\S+", written(value)))


@filters("array_to_sentence_string", in_context=True)
def array_to_sentence_string(context: Any, value: Any, word: Any = "and") -> str:
    context.meter.spend(context.meter.weigh(value) + len(written(word)))
    parts, link = [written(item) for item in items(value)], written(word)
    if len(parts) <= 2:
        return f" {link} ".join(parts)
    return f"{', '.join(parts[:-1])}, {link} {parts[-1]}"


@filters("contains_")  # as scanning writes it
def contains(value: Any, sought: Any) -> bool:
    return sought in value if isinstance(value, list) else written(sought) in written(value)


@filters("escape")
def escape(value: Any) -> str:
    return written(value).translate(_ESCAPES)


@filters("escape_once")
def escape_once(value: Any) -> str:
    return escape(html.unescape(written(value)))


@filters("xml_escape")
def xml_escape(value: Any) -> str:
    return escape(value)


@filters("default")
def default(value: Any, other: Any = "", *, allow_false: Any = False) -> Any:
    """Stand in for nothing, false, and what is empty."""
    if value is False:
        return value if allow_false is True else other
    if value is None or (isinstance(value, (str, list, tuple, dict)) and not value):
        return other
    return value

"""Finds email addresses in text, however they are written or encoded, and with them phone numbers.

If a text is ambiguous, the longer reading counts as the address: hiding too much costs the reader a word, but
showing too much cannot be undone.
"""

import html
import json
import re
from bisect import bisect_right
from dataclasses import dataclass

from cio_mcp.safety.privacy import in_words
from cio_mcp.safety.privacy.numbers import ContactKind, StandIn, decoded, without_numbers

_Span = tuple[int, int]

# Characters that end an address unless it is in quotes: blanks, controls, ASCII and typographic punctuation.
_ENDS = (
    r"\s\x00-\x1f\x7f-\x9f<>()\[\],;:\"\\"
    r"\u00ab\u00bb\u2013\u2014\u2018\u201a-\u201e\u2026\u3001\u3008-\u3011\uff08\uff09\uff0c\uff1a\uff1b"
)
_NAME = rf"[^{_ENDS}@]"
_LABEL = rf"(?:[^{_ENDS}\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e\u2019]|%(?:25)*[89A-F][0-9A-F])"
_NUMERIC = r"(?:\[|%(?:25)*5B)(?:[\w.:]|%(?:25)*3A){2,}(?:\]|%(?:25)*5D)"
_DOMAIN = rf"(?:{_NUMERIC}|{_LABEL}(?:[-._@]*{_LABEL})*(?<![\u3002\uff0e\uff61]))"
_QUOTED = r'"(?:[^"\\]|\\.){1,200}"'

_AT = re.compile(r"[@\ufe6b\uff20]|%(?:25)*40")
_WHOLE = re.compile(rf"(?![/?#&]|\*+@)(?:{_NAME}+|{_QUOTED})@(?:{_DOMAIN})", re.IGNORECASE)
_AFTER = re.compile(_DOMAIN, re.IGNORECASE)

# A name is read backwards from its @, so that a text without @ costs nothing; at most this many characters.
_LONGEST = 1000
_BEFORE = re.compile(rf"{_NAME}*")
_QUOTED_BEFORE = re.compile(r'"(?:"\\|[^"]){1,200}"\\*')
_ENCODED_QUOTED = re.compile(rf"%(?:25)*22{_NAME}+%(?:25)*22\Z")

# Text that can precede an address without a blank, by how many times the address is percent-encoded: a URL,
# the name of a value, punctuation. Text that is encoded fewer times than the address is not part of the
# address.
_URL = r"(?:.*[/?&#=])?"
_MARKS = r"(?:.*%(?:25)*(?:0[9AD]|2[089C]|3[ABCE]|5[BD]))?"
_LEADS = [
    re.compile(lead, re.IGNORECASE | re.DOTALL)
    for lead in (
        r"(?:[/?&#](?:.*[/?&#])?(?:[\w.\[\]-]*=)?|\w*(?:id|mail|to|cc)=)?['*`~!|{}^\u2019]*",
        _URL + _MARKS,
        _URL + r"(?:.*%(?!25)[0-9A-F]{2})?" + _MARKS,
    )
]
# Letters, digits and punctuation of an address, as JSON, HTML, Python, JavaScript and mail escape them.
_ESCAPES = re.compile(
    r"\\{1,7}(?:x[0-9a-f]{2}|u\{[0-9a-f]{1,6}\}|(?-i:U)[0-9a-f]{8})"
    r"|(?:\\{1,7}ud[89ab][0-9a-f]{2})?\\{1,7}u[0-9a-f]{4}"
    r"|%u[0-9a-f]{4}|\\{1,7}100(?!\d)"
    r"|&(?:amp;){0,3}(?:#\d{2,7};?|#x[0-9a-f]{2,6};?|(?:commat|plus|period|nbsp|shy);?)"
    r"|(?<=[\w.+-])=40(?P<host>(?:[\w-]|=2D)+(?:(?:\.|=2E)[a-z](?:[\w-]|=2D)+)+)",
    re.IGNORECASE,
)
_BY_NUMBER = re.compile(r"(?:\\+(?:x|u\{?|U)|%u)(?P<hex>[0-9a-f]+)\}?", re.IGNORECASE)

# What can stand in the middle of an address without being part of it: tags, comments, ends of lines, blanks
# on both sides of the @, and after it alone, what cannot be seen, and a backslash.
_TAG = (
    r"(?:<(?:!--[^<>]{0,200}--|/?(?:a|font|span)\b[^<>]{0,200}|/?[a-z][\w:-]{0,30}(?:\s[^<>@]{0,200})?)/?>)"
)
_BLANKS = r"(?:[ \t\u00a0]|&nbsp;){1,3}"
_JOINTS = re.compile(
    rf"=\r?\n|(?<=[\w.+@-]){_TAG}{{1,9}}(?=[\w.+@-])|\s{{0,9}}[\r\n]\s{{0,9}}(?=@)|(?<=@)\s{{0,9}}[\r\n]\s{{0,9}}"
    rf"|(?<=@)\s{{0,9}}{_TAG}{{1,9}}\s{{0,9}}|\s{{0,9}}{_TAG}{{1,9}}\s{{0,9}}(?=@)"
    rf"|(?<=[\w+-]){_BLANKS}(?=@{_BLANKS}[\w-]+\.[a-z])|(?<=@){_BLANKS}(?=[\w-]+\.[a-z])"
    r"|(?<=[\w+-])[\x00-\x08\x7f\u00ad\\]{1,7}(?=@)",
    re.IGNORECASE,
)
# What an address or a number has, also escaped, and characters around a joint in which it is looked for.
_CAN_BE, _NEAR = re.compile(r"[@\ufe6b\uff20%&\\\d]"), 200
_BROKEN_HOST = re.compile(r"(@[\w-]{1,63})[ \t]{0,9}\r?\n[ \t]{0,9}([\w-]{0,63}\.[a-z]{2})", re.IGNORECASE)
_SYNTAX = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\"\\<>&]")


def replaced(text: str, stand_in: StandIn) -> str:
    """Return `text` with each address and phone number replaced by what `stand_in` returns for it."""
    if _WHOLE.fullmatch(text):
        return stand_in("email", text)
    joints = _joints(text)
    # Where nobody is found once what can split an address is out, somebody may stand in that: in a tag.
    for out in (joints, []) if joints else ([],):
        found, people = _read(text, out, stand_in)
        if people:
            near = [span for span in out if _is_in_word(text, *span)]
            # What stands in other words stays, if the same people are hidden with it.
            kept, same = _read(text, near, stand_in) if near != out else (found, people)
            return kept if same == people else found
    return text


def _read(text: str, out: list[_Span], stand_in: StandIn) -> tuple[str, list[str]]:
    """Return a text without some parts of it and with people hidden, and who they are."""
    people = list[str]()

    def noted(kind: ContactKind, who: str) -> str:
        people.append(who)
        return stand_in(kind, who)

    plain = _BROKEN_HOST.sub(r"\1\2", _ESCAPES.sub(_unescaped, _without(text, out)))
    return _hidden(in_words.written(plain), noted), people


def _is_in_word(text: str, start: int, end: int) -> bool:
    """Say whether what stands around a part of a text, up to a blank, can be of an address or a number."""
    first, last = max(0, start - _NEAR), end + _NEAR
    if not _CAN_BE.search(text, first, last):
        return False
    before, after = text[first:start], text[end:last]
    word = [*re.split(r"\s", before)[-1:], text[start:end], *re.split(r"\s", after, maxsplit=1)[:1]]
    return _CAN_BE.search("".join(word)) is not None


def _without(text: str, out: list[_Span]) -> str:
    """Return a text without some parts of it."""
    ends = [0, *(end for _, end in out)]
    starts = [*(start for start, _ in out), len(text)]
    return "".join(text[end:start] for end, start in zip(ends, starts, strict=True))


def _hidden(plain: str, stand_in: StandIn) -> str:
    pieces, done = [], 0
    for address in _addresses(plain):
        pieces += [plain[done : address.start], address.written(stand_in)]
        done = address.end
    return without_numbers("".join(pieces) + plain[done:], stand_in)


def _joints(text: str) -> list[_Span]:
    """Return what can split an address in `text`; a tag that a quoted name runs into is none."""
    found = [joint.span() for joint in _JOINTS.finditer(text)]
    if not found:
        return []
    quoted = [
        (at.start() - len(name), at.start())
        for at in _AT.finditer(text)
        if (name := _quoted(text[max(0, at.start() - _LONGEST) : at.start()], 0))
    ]

    def overlaps(joint: _Span) -> bool:
        nearest = bisect_right(quoted, (joint[1], 0)) - 1
        return nearest >= 0 and quoted[nearest][1] > joint[0]

    return [joint for joint in found if not overlaps(joint)]


@dataclass(frozen=True)
class _Address:
    start: int
    end: int
    text: str
    at: str

    def written(self, stand_in: StandIn) -> str:
        return stand_in("email", self.text).replace("@", self.at)


def _addresses(text: str) -> list[_Address]:
    """Return the addresses in `text`, in order."""
    found: list[_Address] = []
    for at in _AT.finditer(text):
        done = found[-1].end if found else 0
        if at.start() < done or not (domain := _AFTER.match(text, at.end())):
            continue
        times = at[0].count("25") + 1 if at[0].startswith("%") else 0
        reach = at.start() - _LONGEST
        quoted = _quoted(text[max(0, reach) : at.start()], times)
        name = quoted or _unquoted(text[max(done, reach) : at.start()], times)
        if not name or (quoted and "." not in domain[0]):
            continue
        start = at.start() - len(name)
        while found and found[-1].end > start:  # an apparent address inside a quoted name
            start = min(start, found.pop().start)
        address = f"{decoded(text[start : at.start()], times)}@{decoded(domain[0], times)}"
        found.append(_Address(start, domain.end(), address, at[0] if times else "@"))
    return found


def _quoted(before: str, times: int) -> str:
    """Return the quoted name that `before` ends with, if any; it is percent-encoded `times` times."""
    if times and before.endswith("22"):
        return encoded[0] if (encoded := _ENCODED_QUOTED.search(before)) else ""
    backwards = _QUOTED_BEFORE.match(before[::-1])
    return backwards[0][::-1] if backwards else ""


def _unquoted(before: str, times: int) -> str:
    """Return the name that `before` ends with."""
    backwards = _BEFORE.match(before[::-1])
    name = backwards[0][::-1] if backwards else ""
    lead = _LEADS[min(times, 2)].match(name)
    return name[lead.end() :] if lead else name


def _unescaped(escapes: re.Match[str]) -> str:
    """Return escapes decoded, unless the decoded text would have another meaning in its place."""
    text = escapes[0]
    if host := escapes["host"]:
        return "@" + re.sub("=2E", ".", host, flags=re.IGNORECASE).replace("=2D", "-")
    if text.startswith("&"):
        plain = html.unescape(f"&{text.removesuffix(';').rpartition('&')[2].replace('amp;', '')};")
    elif text.endswith("100"):
        plain = "@"
    elif (number := _BY_NUMBER.fullmatch(text)) and len(number["hex"]) != 4:
        plain = chr(int(number["hex"], 16)) if int(number["hex"], 16) < 0x110000 else text
    else:
        single = re.sub(r"(?:\\+|%)u", r"\\u", text, flags=re.IGNORECASE)
        plain = json.loads(f'"{single}"')
    return text if _SYNTAX.search(plain) else plain

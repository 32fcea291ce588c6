"""Finds phone numbers in text, in every country's form and however they are encoded."""

import re
from collections.abc import Callable
from typing import Literal
from urllib.parse import unquote

ContactKind = Literal["email", "phone"]
StandIn = Callable[[ContactKind, str], str]

# What can stand between two digits of a number, also where it cannot be seen.
_BETWEEN = (
    r"(?:[ \t\u00a0\u00ad\u2009\u200b-\u200f\u202f\u2060\ufeff().\-/\u2010-\u2015]|=(?:20|2D)"
    r"|%(?:25)*(?:09|20|28|29|2D|2E|2F|[89A-F][0-9A-F]))"
)
_PHONE = re.compile(
    rf"(?:(?P<plus>[+\uff0b]|%(?:25)*2B){_BETWEEN}{{0,2}}(?!0)\d|(?<=tel:)\d)(?:{_BETWEEN}{{0,8}}\d){{6,14}}",
    re.IGNORECASE,
)

# A number as people write it in their own country: with 00 and another country's code, with the 0 before a
# town's or a network's code (but no date), as North Americans write theirs, or after a word that says so.
_NATIONAL = re.compile(
    rf"""(?<![\w.:/+-])(?:
        \(?00[ -]?[1-9](?:{_BETWEEN}{{0,3}}\d){{7,13}}
      | (?!\d{{1,2}}([-./])\d{{1,2}}\1(?:\d\d){{1,2}}(?![-./]?\d))
        (?:\(0[1-9]\d{{0,4}}\)|\(0\)|0(?!\.))(?:{_BETWEEN}{{0,3}}\d){{7,12}}
      | (?:1[-. ])?(?:\([2-9]\d\d\)[ ]?|[2-9]\d\d[-. ])\d{{3}}[-. ]\d{{4}}
    )(?!\w|[-.:]\d)
    | \b(?:tele?(?:fon|phone)?|phone|mobile?|handy|cell|fax|whatsapp|sms|call)(?:[ ](?:number|no|is))?
      [.:#=]{{0,2}}[ ]{{0,2}}(?P<told>\(?\d(?:{_BETWEEN}{{0,3}}\d){{6,14}})(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)


def without_numbers(text: str, stand_in: StandIn) -> str:
    """Return `text` with each phone number replaced by what `stand_in` returns for it."""
    found = _PHONE.sub(lambda phone: _phone(phone, stand_in), text)
    return _NATIONAL.sub(lambda phone: _national(phone, stand_in), found)


def decoded(text: str, times: int) -> str:
    """Return text that is percent-encoded so many times."""
    for _ in range(times):
        text = unquote(text)
    return text


def _phone(phone: re.Match[str], stand_in: StandIn) -> str:
    plus = phone["plus"] or ""
    times = plus.count("25") + 1 if plus.startswith("%") else 0
    number = decoded(phone[0], times).replace("\uff0b", "+")
    return stand_in("phone", number).replace("@", f"{plus[:-2]}40" if times else "@")


def _national(phone: re.Match[str], stand_in: StandIn) -> str:
    return phone[0].removesuffix(number := phone["told"] or phone[0]) + stand_in("phone", number)

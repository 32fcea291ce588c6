"""Argument types that several tools share, with the words the model reads."""

import json
import unicodedata
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema


def at_most(limit: int) -> AfterValidator:
    """Return a validator for text of at most `limit` UTF-8 bytes, which is what Customer.io counts."""

    def check(text: str) -> str:
        if (size := len(text.encode())) > limit:
            message = f"at most {limit} bytes are allowed, this is {size}"
            raise ValueError(message)
        return text

    return AfterValidator(check)


def size_of(value: object) -> int:
    """Return how many bytes `value` takes as JSON in a request.

    Raises ValueError for what JSON cannot carry: NaN, infinities, broken Unicode and endless depth.
    """
    try:
        return len(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())
    except UnicodeEncodeError:
        message = "text must be valid Unicode"
        raise ValueError(message) from None
    except RecursionError:
        message = "is nested too deeply"
        raise ValueError(message) from None
    except ValueError:
        message = "numbers must be finite: NaN and infinity are not JSON"
        raise ValueError(message) from None


def from_json(kind: type[dict[Any, Any]] | type[list[Any]]) -> BeforeValidator:
    """Return a validator that takes a JSON text where an object or a list is wanted; agents send those."""
    name = "object" if kind is dict else "list"

    def parse(value: object) -> object:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                value = None
        if not isinstance(value, kind):
            message = f"must be a JSON {name}"
            raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors, and lets TypeErrors escape
        size_of(value)
        return value

    return BeforeValidator(parse)


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _not_blank(text: str) -> str:
    if not (text := text.strip()):
        message = "must not be blank"
        raise ValueError(message)
    return text


def one_line(text: str) -> str:
    """Return text without control characters and line breaks, or raise ValueError.

    In a header, a name or an address they would begin another header.
    """
    if any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in text):
        message = "must not contain control characters or line breaks"
        raise ValueError(message)
    return text


def _not_bool(value: object) -> object:
    if isinstance(value, bool):
        message = "must be a number"
        raise ValueError(message)  # noqa: TRY004 - as above
    return value


def _https(address: str) -> str:
    """Return an address that data may go to or come from: encrypted, and with no password in it."""
    try:
        parts = urlsplit(address)
        fits = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
        fits = fits and address.isprintable() and " " not in address and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        message = "must be an https:// address, without a name and password in it"
        raise ValueError(message)
    return address


def _count(value: object) -> int:
    if not isinstance(text := _as_text(value), str) or not text.isdecimal():
        message = "must be the next_cursor of an earlier answer"
        raise ValueError(message)
    return int(text)


def meant(value: Any, asked: ValidationInfo) -> Any:
    """Return who is meant by a value that names people: a pseudonym stands for somebody.

    Only the types that are validated by this take pseudonyms. Everywhere else they stay as they are: an agent
    could otherwise have an address that it must not see written to where it can read it.
    """
    reveal = (asked.context or {}).get("reveal")
    return reveal(value) if reveal and isinstance(value, str) else value


def compared(value: Any) -> Any:
    """Return what an attribute is compared with: numbers are texts there, and booleans may be themselves."""
    return json.dumps(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _filter(condition: dict[str, Any], asked: ValidationInfo) -> dict[str, Any]:
    """Return a filter whose attributes are compared with who is meant."""

    def told(node: dict[str, Any]) -> dict[str, Any]:
        if not {"field", "value"} <= node.keys():
            return node
        return node | {"value": compared(meant(node["value"], asked))}

    found: dict[str, Any] = json.loads(json.dumps(condition), object_hook=told)
    for part in found.values():
        _refuse_empty_groups(part)
    return found


def _refuse_empty_groups(part: object) -> None:
    """Raise ValueError for a group of conditions that holds none: it could mean everybody, or nobody."""
    if part in ([], {}):
        message = "has a group or condition that is empty; name what it must fit, or leave it out"
        raise ValueError(message)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _refuse_empty_groups(inner)


Text = Annotated[str, AfterValidator(_not_blank)]

# Text of a header, a name, or a title.
Line = Annotated[Text, AfterValidator(one_line)]

Address = Annotated[Line, AfterValidator(meant)]

Https = Annotated[Text, AfterValidator(_https)]

# What names a thing that has a number, a name or both.
ItemKey = Annotated[str, BeforeValidator(_as_text), AfterValidator(_not_blank)]

CustomerId = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_not_blank),
    AfterValidator(meant),
    at_most(150),
]

AnonymousId = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_not_blank),
    AfterValidator(meant),
    at_most(150),
    Field(description="Id of a visitor not yet identified."),
]

# The schema leaves out what a refusal can say: it is part of many tools.
ObjectId = Annotated[int, Field(gt=0), BeforeValidator(_not_bool), WithJsonSchema({"type": "integer"})]

JsonObject = Annotated[dict[str, Any], from_json(dict)]

Filter = Annotated[JsonObject, AfterValidator(_filter)]

Names = Annotated[list[str], from_json(list)]

Channel = Literal["email", "sms", "push", "in_app", "whatsapp", "slack", "webhook"]
Person = Annotated[str, BeforeValidator(_as_text), AfterValidator(_not_blank), AfterValidator(meant)]
People = Annotated[list[Person], from_json(list)]

Limit = Annotated[int, Field(ge=1, le=100), BeforeValidator(_not_bool)]

_CURSOR = "The last page's next_cursor."

Cursor = Annotated[str, Field(description=_CURSOR)]

# Where Customer.io has no cursor, or counts. An id as a cursor means that the page goes on below it: that
# stays right when things come and go between pages.
CountCursor = Annotated[
    int, BeforeValidator(_count), WithJsonSchema({"description": _CURSOR, "type": "string"})
]


def vendor_channel(channel: Channel | None) -> str | None:
    """Return what the App API calls a channel."""
    return "twilio" if channel == "sms" else channel

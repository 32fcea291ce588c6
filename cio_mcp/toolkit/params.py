"""Argument types that several tools share, with the descriptions that the model reads."""

import json
import unicodedata
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema


def at_most(limit: int) -> AfterValidator:
    """Return a validator for text of at most `limit` UTF-8 bytes: Customer.io counts bytes."""

    def check(text: str) -> str:
        if (size := len(text.encode())) > limit:
            message = f"at most {limit} bytes are allowed; this has {size}"
            raise ValueError(message)
        return text

    return AfterValidator(check)


def size_of(value: object) -> int:
    """Return the size of `value` in bytes, written as JSON.

    Raises ValueError for values that JSON cannot hold: NaN, infinity, broken Unicode, too deep a nesting.
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
        message = "numbers must be finite: JSON has no NaN and no infinity"
        raise ValueError(message) from None


def from_json(kind: type[dict[Any, Any]] | type[list[Any]]) -> BeforeValidator:
    """Return a validator that also accepts an object or a list as JSON text, which some agents send."""
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
    """Return `text` if it has no control characters and line breaks; else raise ValueError.

    In a header, a name or an address these could start another header.
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
    """Return `address` if it is an https URL without a user name and password; else raise ValueError."""
    try:
        parts = urlsplit(address)
        fits = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
        fits = fits and address.isprintable() and " " not in address and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        message = "must be an https:// URL without a user name and password"
        raise ValueError(message)
    return address


def _count(value: object) -> int:
    if not isinstance(text := _as_text(value), str) or not text.isdecimal():
        message = "must be the next_cursor of the previous page"
        raise ValueError(message)
    return int(text)


def meant(value: Any, asked: ValidationInfo) -> Any:
    """Return `value` with pseudonyms replaced by the people they stand for.

    Only argument types that name people use this validator. If other arguments took pseudonyms, an agent
    could write an address that it must not see to a place where it can read it.
    """
    reveal = (asked.context or {}).get("reveal")
    return reveal(value) if reveal and isinstance(value, str) else value


def compared(value: Any) -> Any:
    """Return the value to compare an attribute with: numbers become strings; booleans can stay booleans."""
    return json.dumps(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _filter(condition: dict[str, Any], asked: ValidationInfo) -> dict[str, Any]:
    """Return a filter with the pseudonyms among its attribute values replaced."""

    def told(node: dict[str, Any]) -> dict[str, Any]:
        if not {"field", "value"} <= node.keys():
            return node
        return node | {"value": compared(meant(node["value"], asked))}

    found: dict[str, Any] = json.loads(json.dumps(condition), object_hook=told)
    for part in found.values():
        _refuse_empty_groups(part)
    return found


def _refuse_empty_groups(part: object) -> None:
    """Raise ValueError for an empty group of conditions: it could mean everybody, or nobody."""
    if part in ([], {}):
        message = "has an empty group or condition; fill it in or remove it"
        raise ValueError(message)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _refuse_empty_groups(inner)


Text = Annotated[str, AfterValidator(_not_blank)]

NameContains = Annotated[Text, Field(description="Part of the name, in any case.")]

# The value of a header, a name or a title.
Line = Annotated[Text, AfterValidator(one_line)]

Address = Annotated[Line, AfterValidator(meant)]

Https = Annotated[Text, AfterValidator(_https)]

# The id or the name of an item.
ItemKey = Annotated[str, BeforeValidator(_as_text), AfterValidator(_not_blank)]

CustomerId = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_not_blank),
    AfterValidator(meant),
    at_most(150),
    Field(description="Id, email or cio_id: see id_type."),
]

AnonymousId = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_not_blank),
    AfterValidator(meant),
    at_most(150),
    Field(description="Your own id for a visitor who is not identified yet."),
]

# The schema omits the minimum, which costs bytes in many tools; a refusal states it.
ObjectId = Annotated[int, Field(gt=0), BeforeValidator(_not_bool), WithJsonSchema({"type": "integer"})]

JsonObject = Annotated[dict[str, Any], from_json(dict)]

CONDITIONS = (
    '{"segment": {"id": 7}}, {"attribute": {"field": "plan", "operator": "eq" or "exists", "value": "pro"}}, '
    '{"and" or "or": [...]} or {"not": {...}}.'
)

Filter = Annotated[JsonObject, AfterValidator(_filter), Field(description=CONDITIONS)]

Names = Annotated[list[str], from_json(list)]

Channel = Literal["email", "sms", "push", "in_app", "whatsapp", "slack", "webhook"]
Person = Annotated[str, BeforeValidator(_as_text), AfterValidator(_not_blank), AfterValidator(meant)]
People = Annotated[list[Person], from_json(list)]

Limit = Annotated[int, Field(ge=1, le=100), BeforeValidator(_not_bool)]

_CURSOR = "next_cursor of the previous page."

Cursor = Annotated[str, Field(description=_CURSOR)]

# A numeric cursor, for lists in which Customer.io has none or counts entries. An id as cursor means "continue
# below this id", which stays right when items are added or removed between pages.
CountCursor = Annotated[
    int, BeforeValidator(_count), WithJsonSchema({"description": _CURSOR, "type": "string"})
]


def vendor_channel(channel: Channel | None) -> str | None:
    """Return the App API's name for a channel."""
    return "twilio" if channel == "sms" else channel

"""Argument types that several tools share, with the descriptions that the model reads."""

import json
import re
import unicodedata
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from cio_mcp.client.identifiers import IdType
from cio_mcp.toolkit.arguments.parse_context import context_of
from cio_mcp.toolkit.arguments.sizes import excess, size_of

# Floats up to here hold every whole number; larger ones may have lost digits.
EXACT = 2**53

WHOLE = re.compile(r"(\d{1,20})(?:\.0+)?", re.ASCII)


def at_most(limit: int) -> AfterValidator:
    """Return a validator for text, or JSON, of at most `limit` UTF-8 bytes: Customer.io counts bytes."""

    def check(value: Any) -> Any:
        if why := excess(value, limit):
            raise ValueError(why)
        return value

    return AfterValidator(check)


def _object(value: object, asked: ValidationInfo) -> object:
    """Return an object; JSON text is one too, since some agents send it."""
    known_as_json = context_of(asked).is_json and not isinstance(value, str)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict):
        message = "must be a JSON object"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors, and lets TypeErrors escape
    if not known_as_json:
        size_of(value)
    return value


def as_id(value: object) -> str:
    """Return an id as text: it is text or a whole number, which some agents write as 1001.0."""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        message = "must be text or a whole number"
        raise ValueError(message)  # noqa: TRY004 - as above
    return str(value)


def integer(value: object) -> int:
    """Return a whole number, which some agents write as text or as 7.0."""
    try:
        found = WHOLE.fullmatch(as_id(value).strip())
    except ValueError:
        found = None
    if found is None:
        message = "must be a whole number"
        raise ValueError(message)
    return int(found[1])


def _no_phone(id_type: object) -> object:
    if id_type == "phone":
        message = "Customer.io accepts no phone number here; get_customer with id_type=phone returns the id"
        raise ValueError(message)
    return id_type


def _not_blank(text: str) -> str:
    if not (text := text.strip()):
        message = "must not be blank"
        raise ValueError(message)
    return text


# Text of a header as RFC 2047 encodes it, or nearly: some readers decode it, others do not.
_ENCODED_WORD = re.compile(r"=\?[^?]{0,99}\?[bq]\?[^?]*\?=", re.IGNORECASE)


def one_line(text: str) -> str:
    """Return `text` if it can be the value of a header; else raise ValueError, or TypeError.

    Control characters and line breaks could start another header, also where they are encoded.
    """
    if _ENCODED_WORD.search(_unbroken(text)):
        message = "must not be encoded for mail (=?…?=); write the text itself"
        raise ValueError(message)
    return text


def _unbroken(text: str) -> str:
    """Return `text` if it has no control characters and line breaks; else raise ValueError, or TypeError."""
    if not isinstance(text, str):
        raise TypeError("must be text")
    if not text.isprintable() and any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in text):
        message = "must not contain control characters or line breaks"
        raise ValueError(message)
    return text


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
    try:
        return integer(value)
    except ValueError:
        message = "must be the next_cursor of the previous page"
        raise ValueError(message) from None


def meant(value: Any, asked: ValidationInfo) -> Any:
    """Return `value` with pseudonyms replaced by the people they stand for.

    Only argument types that name people use this validator. If other arguments took pseudonyms, an agent
    could write an address that it must not see to a place where it can read it.
    """
    reveal = context_of(asked).reveal
    return reveal(value) if reveal and isinstance(value, str) else value


def comparison_value(value: Any) -> Any:
    """Return the value to compare an attribute with: numbers become strings; booleans can stay booleans."""
    return json.dumps(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def unguessed(values: dict[str, Any], asked: ValidationInfo) -> dict[str, Any]:
    """Return values that attributes are compared with; raises ValueError if one would confirm a guess."""
    for name, value in values.items():
        context_of(asked).check_guess(name, value)
    return values


class Naming:
    """Marks a type that names somebody or something: blank text is refused, and not taken as absent."""


Text = Annotated[str, AfterValidator(_not_blank)]

NameContains = Text

# The value of a header, a name or a title.
Line = Annotated[Text, AfterValidator(one_line)]

Address = Annotated[Line, AfterValidator(meant), Naming]

Https = Annotated[Text, AfterValidator(_https), Naming]

# The id or the name of an item. Who was once imported under an encoded one can be found and deleted.
ItemKey = Annotated[Text, AfterValidator(_unbroken), BeforeValidator(as_id), Naming]

CustomerKey = Annotated[ItemKey, AfterValidator(meant)]

CustomerId = Annotated[CustomerKey, at_most(150), Field(description="See id_type.")]

# How sends, merges and segments name a customer.
ExceptPhone = Annotated[IdType, BeforeValidator(_no_phone)]

AnonymousId = Annotated[CustomerKey, at_most(150), Field(description="Your own id for the visitor.")]

# The schema omits the minimum, here and in Limit: it costs bytes in many tools, and a refusal states it.
ObjectId = Annotated[int, Field(gt=0), BeforeValidator(integer), Naming, WithJsonSchema({"type": "integer"})]

JsonObject = Annotated[dict[str, Any], BeforeValidator(_object)]

Channel = Literal["email", "sms", "push", "in_app", "whatsapp", "slack", "webhook"]

WholeNumber = BeforeValidator(integer)
Number = Annotated[int, WholeNumber]
Limit = Annotated[int, Field(ge=1, le=100), WholeNumber, WithJsonSchema({"type": "integer", "maximum": 100})]

_CURSOR = "From next_cursor."

Cursor = Annotated[str, BeforeValidator(as_id), Field(description=_CURSOR)]

# A numeric cursor, for lists in which Customer.io has none or counts entries. An id as cursor means "continue
# below this id", which stays right when items are added or removed between pages.
CountCursor = Annotated[
    int, BeforeValidator(_count), WithJsonSchema({"description": _CURSOR, "type": "string"})
]


def vendor_channel(channel: Channel | None) -> str | None:
    """Return the App API's name for a channel."""
    return "twilio" if channel == "sms" else channel

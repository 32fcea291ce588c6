"""Argument types that several tools share, with the words the model reads."""

import json
import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

_NUMBER = re.compile(r"\s*-?\d+(\.\d+)?\s*")


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


def _not_bool(value: object) -> object:
    if isinstance(value, bool):
        message = "must be a number"
        raise ValueError(message)  # noqa: TRY004 - as above
    return value


def unix_seconds(value: object) -> int:
    """Read a time: unix seconds, or ISO 8601 (UTC where it names no zone); raises ValueError."""
    try:
        seconds = (
            _from_iso(value) if isinstance(value, str) and not _NUMBER.fullmatch(value) else _number(value)
        )
    except (ValueError, OverflowError):
        message = "must be ISO 8601 (2026-01-31T09:00:00Z) or unix seconds"
        raise ValueError(message) from None
    if seconds >= 1e11:
        unit, meant = "milliseconds", seconds // 1000
        while meant >= 1e11:
            unit, meant = "a finer unit than milliseconds", meant // 1000
        message = f"is in {unit}; Customer.io counts seconds: did you mean {meant}?"
        raise ValueError(message)
    if seconds < 0:
        message = "must not lie before 1970"
        raise ValueError(message)
    return seconds


def _local_or_unix(value: object) -> datetime | int:
    """Read a time as `unix_seconds` does, but leave one that names no zone for its zone to be filled in."""
    seconds = unix_seconds(value)
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        moment = datetime.fromisoformat(value.strip())
        return seconds if moment.tzinfo else moment
    return seconds


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


def _from_iso(text: str) -> int:
    moment = datetime.fromisoformat(text.strip())
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or not math.isfinite(float(value)):
        raise ValueError
    return int(float(value))


def meant(value: Any, asked: ValidationInfo) -> Any:
    """Return who is meant by a value that names people: a pseudonym stands for somebody.

    Only the types that are validated by this take pseudonyms. Everywhere else they stay as they are: an agent
    could otherwise have an address that it must not see written to where it can read it.
    """
    reveal = (asked.context or {}).get("reveal")
    return reveal(value) if reveal and isinstance(value, str) else value


def _filter(condition: dict[str, Any], asked: ValidationInfo) -> dict[str, Any]:
    """Return a filter whose attributes are compared with who is meant."""

    def compared(node: dict[str, Any]) -> dict[str, Any]:
        return node | {"value": meant(node["value"], asked)} if {"field", "value"} <= node.keys() else node

    found: dict[str, Any] = json.loads(json.dumps(condition), object_hook=compared)
    return found


Text = Annotated[str, AfterValidator(_not_blank)]

Address = Annotated[Text, AfterValidator(meant)]

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

Timestamp = Annotated[int, BeforeValidator(unix_seconds), WithJsonSchema({"type": "string"})]

LocalTime = Annotated[datetime | int, BeforeValidator(_local_or_unix), WithJsonSchema({"type": "string"})]

JsonObject = Annotated[dict[str, Any], from_json(dict)]

Filter = Annotated[JsonObject, AfterValidator(_filter)]

Names = Annotated[list[str], from_json(list)]

Channel = Literal["email", "sms", "push", "in_app", "whatsapp", "slack", "webhook"]
People = Annotated[list[Annotated[str, AfterValidator(meant)]], from_json(list)]

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


def iso(seconds: float | str | None) -> str | None:
    """Return a unix time as ISO 8601 in UTC; None for none, and for what is not a time."""
    try:
        moment = datetime.fromtimestamp(float(seconds or 0), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat().replace("+00:00", "Z") if seconds else None

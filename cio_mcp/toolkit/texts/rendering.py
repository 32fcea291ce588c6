"""Texts rendered here, with the data that a message would have."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.liquid import Meter, render, source_of
from cio_mcp.toolkit.answers.reading import Fields, needed, plain_value
from cio_mcp.toolkit.texts.messages import Kind, Text

# Sources whose values are known here: what is missing of them is missing for Customer.io too.
KNOWN = {"customer", "event", "trigger", "snippet", None}

# Texts that are exactly a number, so that a text made of it again is the same.
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{0,9}[1-9])?")

PARTS = ("subject", "preheader_text", "body", "from", "reply_to", "recipient", "url", "title", "message")


@dataclass
class RenderedText:
    """A text with its Liquid rendered, and what a reader must know about it.

    `missing` would make the message fail at Customer.io, as `faults` do; `not_read` are variables whose
    values are not known here; `empty` have a value that prints nothing.
    """

    parts: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    defaulted: list[str] = field(default_factory=list)
    not_read: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def fails(self) -> list[str]:
        """Why Customer.io would not send it."""
        untold = [path for path in self.missing if not any(f"'{path}'" in fault for fault in self.faults)]
        return self.faults + [f"{path} has no value" for path in untold]


def rendered_text(
    text: Text, data: Mapping[str, Any], now: float, unread: frozenset[str | None], meter: Meter
) -> RenderedText:
    """Return a text as `data` fills it; `unread` are sources of which nothing is known."""
    found = RenderedText()
    for name in PARTS:
        if not (words := text.fields.text(name)):
            continue
        rendered = render(words, data, now=now, meter=meter)
        found.parts[name] = rendered.text
        for path in rendered.missing:
            source = source_of(path)
            is_known = source in KNOWN and source not in unread
            _add(found.missing if is_known else found.not_read, [path])
        for names, more in (
            (found.empty, rendered.empty),
            (found.defaulted, rendered.defaulted),
            (found.unknown, rendered.unknown),
        ):
            _add(names, more)
        if rendered.fault:
            found.faults.append(f"{name}: {rendered.fault}")
    return found


def _add(names: list[str], more: list[str]) -> None:
    names += [name for name in more if name not in names]


def data_of(
    kind: Kind, text: Text, customer: Mapping[str, Any], given: Mapping[str, Any], snippets: Mapping[str, str]
) -> dict[str, Any]:
    """Return the variables of a message: of a campaign `given` stands for its event or other trigger."""
    return {
        "customer": customer,
        "trigger": given,
        **({"event": given} if kind == "campaign" else {}),
        "snippets": snippets,
        "message": message_data(text),
        # Customer.io's own previews print this.
        "delivery_id": "unsent",
    }


def message_data(text: Text) -> dict[str, Any]:
    """Return what a message's texts can say of the message itself."""
    fields = text.fields
    message = {
        "id": fields.whole("id"),
        "name": fields.text("name"),
        "subject": fields.text("subject"),
        "preheader": fields.text("preheader_text"),
    }
    return {name: value for name, value in message.items() if value is not None}


async def attributes_of(app: AppApi, customer_id: str, id_type: AnyIdType) -> dict[str, Any]:
    """Return a customer's attributes as Liquid sees them; raises Refused."""
    path = "/v1/customers/{customer_id}/attributes"
    answer = await app.get(path, {"id_type": id_type}, customer_id=app.person(customer_id, id_type))
    return attributes_in(Fields(answer).inside("customer", "attributes", "identifiers"))


def attributes_in(profile: Fields) -> dict[str, Any]:
    """Return the attributes of a profile as Liquid sees them.

    The API writes all values as texts. A text that is exactly a number, true, false, or an object is taken
    for that: it prints the same, and compares as it does at Customer.io.
    """
    known = needed(profile.mapping("attributes"), "attributes")
    identifiers = {name: value for name, value in profile.fields("identifiers").raw.items() if value}
    return identifiers | {name: _typed(value) for name, value in known.items()}


def _typed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value in {"true", "false"}:
        return value == "true"
    if _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    if value[:1] in {"{", "["}:
        try:
            return plain_value(json.loads(value))
        except (ValueError, RecursionError):
            return value
    return value

"""How each API names a customer."""

import re
from typing import Literal

from cio_mcp.errors import InvalidArgument

IdType = Literal["id", "email", "cio_id"]

# Track v2 also knows people by phone number.
AnyIdType = Literal["id", "email", "cio_id", "phone"]

# A phone number in E.164.
PHONE = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)


def in_track_path(customer_id: str, id_type: IdType) -> str:
    """Return the path value for a customer: Track v1 infers the kind of identifier from its shape."""
    if id_type == "cio_id":
        return f"cio_{customer_id.removeprefix('cio_')}"
    if id_type == "email" and "@" not in customer_id:
        raise InvalidArgument("customer_id: is not an email address, but id_type is email")
    if id_type == "id" and customer_id.startswith("cio_"):
        raise InvalidArgument(
            "customer_id: Track reads an id that starts with cio_ as a cio_id; did you mean id_type=cio_id?"
        )
    return customer_id


def in_app(customer_id: str, id_type: AnyIdType) -> str:
    """Return the identifier as the App API wants it: a cio_id bare."""
    if id_type == "phone":
        return _phone(customer_id)
    return customer_id.removeprefix("cio_") if id_type == "cio_id" else customer_id


def in_operation(customer_id: str, id_type: AnyIdType) -> dict[str, str]:
    """Return a customer's identifiers for Track v2, which names the kind, and has a cio_id bare."""
    if id_type == "phone":
        return {"phone": _phone(customer_id)}
    named = in_track_path(customer_id, id_type)
    return {id_type: named.removeprefix("cio_") if id_type == "cio_id" else named}


def _phone(customer_id: str) -> str:
    if not PHONE.fullmatch(customer_id):
        raise InvalidArgument("customer_id: a phone number is written as + and digits (E.164)")
    return customer_id

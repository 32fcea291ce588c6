"""Customers: identify, read back, delete."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cio_mcp.client import AppApi, IdType, TrackApi
from cio_mcp.toolkit.answers import PAGE_BYTES, Accepted, Cut, Quoted, Shape
from cio_mcp.toolkit.params import Address, AnonymousId, CustomerId, JsonObject, Names, size_of
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import Timestamp, iso

tools = Toolbox(__name__)

# Track API, "identify": names with a meaning of their own, which a custom attribute cannot have.
RESERVED = {
    "email": "pass it as the argument email",
    "created_at": "pass it as the argument created_at",
    "unsubscribed": "pass it as the argument unsubscribed",
    "anonymous_id": "pass it as the argument anonymous_id",
    "_update": "pass it as the argument update_only",
    "cio_id": "Customer.io sets it; to address a customer by it use id_type=cio_id",
    "_created_in_customerio_at": "Customer.io sets it",
    "_timestamp": "Customer.io orders updates by it; updates are applied in the order of the calls",
    "cio_relationships": "it relates a customer to objects and is not an attribute",
}


def _attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    faults = [f"{name} is reserved: {RESERVED[name]}" for name in attributes if name in RESERVED]
    if len(attributes) > 300:
        faults.append(f"at most 300 attributes are allowed, these are {len(attributes)}")
    for name, value in attributes.items():
        if not 0 < len(name.encode()) <= 150:
            faults.append(f"{name[:40]!r}: a name must have 1 to 150 bytes")
        elif (len(value.encode()) if isinstance(value, str) else size_of(value)) > 1000:
            faults.append(f"{name}: a value must have at most 1000 bytes")
    if faults:
        raise ValueError("; ".join(faults))
    return attributes


Attributes = Annotated[
    JsonObject,
    AfterValidator(_attributes),
    Field(description="Custom attributes, names case-sensitive; null or '' removes one."),
]


@tools.writes
async def identify_customer(
    track: TrackApi,
    customer_id: CustomerId,
    id_type: IdType = "id",
    email: Address | None = None,
    created_at: Timestamp | None = None,
    unsubscribed: Annotated[
        bool | None, Field(description="True stops all messages but keeps the profile.")
    ] = None,
    anonymous_id: AnonymousId | None = None,
    attributes: Attributes | None = None,
    update_only: Annotated[bool, Field(description="Never create: an unknown customer is left out.")] = False,
) -> Accepted:
    """Create a customer or update their attributes; what is not named stays as it is.

    created_at is when they signed up (ISO 8601 or unix seconds). anonymous_id joins the visitor's earlier
    anonymous events to this customer.
    """
    standard = {
        "email": email,
        "created_at": created_at,
        "unsubscribed": unsubscribed,
        "anonymous_id": anonymous_id,
        "_update": update_only or None,
    }
    body = {name: value for name, value in standard.items() if value is not None} | (attributes or {})
    await track.put("/api/v1/customers/{customer_id}", body, customer_id=track.person(customer_id, id_type))
    return Accepted()


@tools.deletes
async def delete_customer(track: TrackApi, customer_id: CustomerId, id_type: IdType = "id") -> Accepted:
    """Delete a customer and all their data, for good. To only stop messages, identify with unsubscribed=true.

    Does not block the identifiers: a later identify or event with them creates the customer anew.
    """
    await track.delete("/api/v1/customers/{customer_id}", customer_id=track.person(customer_id, id_type))
    return Accepted()


class Device(Shape):
    """A device that can receive push messages."""

    id: str
    platform: str | None = None
    last_used: str | None = None


class Customer(Quoted, Cut):
    """A customer as Customer.io knows them now."""

    id: str | None = None
    email: str | None = None
    cio_id: str | None = Field(None, description="Customer.io's own id; never changes.")
    created_at: str | None = Field(None, description="Sign-up, ISO 8601 UTC.")
    unsubscribed: bool = False
    subscription_preferences: dict[str, Any] | None = None
    attributes: dict[str, Any] = Field(description="Custom and computed attributes; all values are strings.")
    devices: list[Device] = []


STANDARD = {"id", "email", "cio_id", "created_at", "unsubscribed", "cio_subscription_preferences"}


@tools.reads
async def get_customer(
    app: AppApi,
    customer_id: CustomerId,
    id_type: IdType = "id",
    fields: Annotated[
        Names | None, Field(description="Only these attributes, besides the standard ones.")
    ] = None,
) -> Customer:
    """Read one customer: standard fields, custom and computed attributes, devices.

    Also the way to see whether an accepted write was applied.
    """
    answer = await app.get(
        "/v1/customers/{customer_id}/attributes",
        {"id_type": id_type},
        customer_id=app.person(customer_id, id_type),
    )
    found = answer.get("customer") or {}
    known = found.get("attributes") or {}
    identifiers = found.get("identifiers") or {}
    custom = {
        name: value for name, value in known.items() if name not in STANDARD and not name.startswith("_cio_")
    }
    custom, left_out = _chosen(custom, fields)
    return Customer(
        id=identifiers.get("id") or known.get("id") or None,
        email=identifiers.get("email") or known.get("email") or None,
        cio_id=identifiers.get("cio_id") or known.get("cio_id"),
        created_at=iso(known.get("created_at")),
        unsubscribed=found.get("unsubscribed") is True,
        subscription_preferences=_preferences(known.get("cio_subscription_preferences")),
        attributes=custom,
        devices=[
            Device(
                id=str(device.get("id")),
                platform=device.get("platform"),
                last_used=iso(device.get("last_used")),
            )
            for device in found.get("devices") or []
        ],
        left_out=left_out,
    )


def _chosen(custom: dict[str, Any], fields: list[str] | None) -> tuple[dict[str, Any], str | None]:
    """Return the attributes asked for, whole ones up to the byte cap, and a note on the rest."""
    asked = custom if fields is None else {name: custom[name] for name in fields if name in custom}
    kept: dict[str, Any] = {}
    room = PAGE_BYTES
    for name, value in asked.items():
        room -= len(name) + size_of(value)
        if room > 0:
            kept[name] = value
    missing = [name for name in fields or asked if name not in kept and name not in STANDARD]
    if not missing:
        return kept, None
    too_large = set(missing) & set(asked)
    why = "too large for one answer; name some in fields" if too_large else "not set"
    return kept, f"{', '.join(missing)}: {why}"


def _preferences(text: object) -> dict[str, Any] | None:
    """Return the subscription preferences, which the App API answers as JSON in a string."""
    try:
        preferences = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return None
    return preferences if isinstance(preferences, dict) else None

"""Customers: identify, read, delete."""

import asyncio
import json
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cio_mcp.client import AnyIdType, AppApi, TrackApi, people
from cio_mcp.toolkit.answers.pages import PAGE_BYTES
from cio_mcp.toolkit.answers.reading import Fields, needed, plain_value
from cio_mcp.toolkit.answers.shapes import Accepted, Cut, Quoted, Shape
from cio_mcp.toolkit.arguments.lists import SomeNames
from cio_mcp.toolkit.arguments.sizes import size_of
from cio_mcp.toolkit.arguments.times import Timestamp
from cio_mcp.toolkit.arguments.types import AnonymousId, CustomerId
from cio_mcp.toolkit.arguments.values import Email, Values, text_values_note, within_limits
from cio_mcp.toolkit.people.automations import started_by_change
from cio_mcp.toolkit.people.consequences import Consequence, Outlook, affects
from cio_mcp.toolkit.people.habits import OfPeople
from cio_mcp.toolkit.people.losses import UNKNOWN, of_customer, whom
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

# Track API, "identify": names that have a special meaning and cannot be custom attributes.
RESERVED = {
    "email": "pass it as the argument email",
    "created_at": "pass it as the argument created_at",
    "unsubscribed": "pass it as the argument unsubscribed",
    "anonymous_id": "pass it as the argument anonymous_id",
    "_update": "pass it as the argument update_only",
    "cio_id": "Customer.io sets it; to identify a customer by it use id_type=cio_id",
    "_created_in_customerio_at": "Customer.io sets it",
    "_timestamp": "Customer.io orders updates by it; without it they apply in the order of the calls",
    "cio_relationships": "it is not an attribute; use set_relationships",
}


def _attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    faults = [f"{name} is reserved: {RESERVED[name]}" for name in attributes if name in RESERVED]
    if faults:
        raise ValueError("; ".join(faults))
    return within_limits(attributes)


Attributes = Annotated[
    Values,
    AfterValidator(_attributes),
    OfPeople,
    Field(
        description='Custom attributes, such as {"plan": "pro"}; names are case-sensitive, null removes one.'
    ),
]


async def _started(
    app: AppApi,
    customer_id: str,
    id_type: AnyIdType,
    created_at: int | None,
    attributes: dict[str, Any] | None,
    update_only: bool,
) -> Outlook:
    dated = ["created_at"] if created_at else []
    known, started = await asyncio.gather(
        whom(app, customer_id, id_type), started_by_change(app, [*(attributes or {}), *dated])
    )
    if known is None and update_only:
        return Outlook(f"{UNKNOWN}, so nothing is changed (update_only)", covers=frozenset(Consequence))
    return Outlook(known or f"{UNKNOWN} yet", sets_off=started, covers=frozenset({Consequence.IDENTIFY}))


@tools.writes
@affects(Consequence.IDENTIFY, Consequence.SUBSCRIPTIONS, shows=_started)
async def identify_customer(
    track: TrackApi,
    customer_id: CustomerId,
    id_type: AnyIdType = "id",
    email: Email | None = None,
    created_at: Annotated[Timestamp | None, Field(description="Sign-up, in ISO 8601.")] = None,
    unsubscribed: Annotated[
        bool | None, Field(description="true: only transactional messages; false: all.")
    ] = None,
    anonymous_id: Annotated[
        AnonymousId | None,
        Field(description="Visitor's id: adds their last 30 days' events."),
    ] = None,
    attributes: Attributes | None = None,
    update_only: Annotated[bool, Field(description="Do not create an unknown customer.")] = False,
) -> Accepted:
    """Create a customer (person, profile) or update their attributes.

    Attributes you leave out keep their values. check_write tells whether it was applied.
    """
    body = identify_body(email, created_at, unsubscribed, anonymous_id, attributes, update_only)
    await people.identify(track, customer_id, id_type, body)
    return Accepted()


def identify_body(
    email: str | None,
    created_at: int | None,
    unsubscribed: bool | None,
    anonymous_id: str | None,
    attributes: dict[str, Any] | None,
    update_only: bool,
) -> dict[str, Any]:
    """Return the attributes that an identify writes, those with a meaning of their own among them."""
    standard = {
        "email": email,
        "created_at": created_at,
        "unsubscribed": unsubscribed,
        "anonymous_id": anonymous_id,
        "_update": update_only or None,
    }
    return {name: value for name, value in standard.items() if value is not None} | (attributes or {})


@tools.deletes
@affects(shows=of_customer)
async def delete_customer(track: TrackApi, customer_id: CustomerId, id_type: AnyIdType = "id") -> Accepted:
    """Delete a customer (person, profile) and all their data, permanently.

    A later identify or event creates the customer again, unless suppress_customer is used. To only stop
    messages use identify_customer with unsubscribed=true.
    """
    await people.delete(track, customer_id, id_type)
    return Accepted()


class Device(Shape):
    """A device that can receive push messages."""

    id: str | None = None
    platform: str | None = None
    last_used: str | None = None


class Customer(Quoted, Cut):
    """A customer as stored in Customer.io now."""

    id: str | None = None
    email: str | None = None
    cio_id: str | None = Field(None, description="Customer.io's own id, which never changes.")
    created_at: str | None = Field(None, description="When they signed up.")
    unsubscribed: bool | None = Field(None, description="true: they receive no messages.")
    subscription_preferences: dict[str, Any] | None = None
    attributes: dict[str, Any] = Field(description="Custom and computed attributes; all values are strings.")
    devices: list[Device] | None = None


STANDARD = {"id", "email", "cio_id", "created_at", "unsubscribed", "cio_subscription_preferences"}


@tools.reads
async def get_customer(
    app: AppApi,
    customer_id: CustomerId,
    id_type: AnyIdType = "id",
    fields: Annotated[
        SomeNames | None,
        Field(description='Attributes to return, such as ["plan"]. Default: all.'),
    ] = None,
) -> Customer:
    """Read one customer (person, profile): attributes, subscription state and devices."""
    path, query = "/v1/customers/{customer_id}/attributes", {"id_type": id_type}
    answer = Fields(await app.get(path, query, customer_id=app.person(customer_id, id_type)))
    found = answer.inside("customer", "attributes", "identifiers")
    known = Fields(needed(found.mapping("attributes"), "attributes"))
    identifiers, devices = found.fields("identifiers"), found.objects("devices")
    custom = {
        name: value
        for name, value in known.raw.items()
        if name not in STANDARD and not name.startswith("_cio_")
    }
    custom, left_out = _chosen(custom, fields)
    return Customer(
        id=identifiers.text("id") or known.text("id"),
        email=identifiers.text("email") or known.text("email"),
        cio_id=identifiers.text("cio_id") or known.text("cio_id"),
        created_at=known.time("created_at"),
        unsubscribed=found.flag("unsubscribed"),
        subscription_preferences=_preferences(known.raw.get("cio_subscription_preferences")),
        attributes=custom,
        devices=None if devices is None else [_device(device) for device in devices],
        left_out=left_out,
        notes=text_values_note(custom.values()),
    )


def _device(device: Fields) -> Device:
    return Device(id=device.text("id"), platform=device.text("platform"), last_used=device.time("last_used"))


def _chosen(custom: dict[str, Any], fields: list[str] | None) -> tuple[dict[str, Any], str | None]:
    """Return the requested attributes, as many as fit the byte cap, and a note on the rest."""
    asked = custom if fields is None else {name: custom[name] for name in fields if name in custom}
    kept, room = asked, PAGE_BYTES
    if size_of(asked) > room:
        kept = {}
        for name, value in asked.items():
            room -= len(name) + size_of(value)
            if room > 0:
                kept[name] = value
    missing = [name for name in fields or asked if name not in kept and name not in STANDARD]
    if not missing:
        return kept, None
    too_large = set(missing) & set(asked)
    why = "too large for one answer; request fewer with fields" if too_large else "not set"
    return kept, f"{', '.join(missing)}: {why}"


def _preferences(text: object) -> dict[str, Any] | None:
    """Return the subscription preferences, which the App API returns as JSON in a string."""
    try:
        preferences = plain_value(json.loads(text)) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return None
    return preferences if isinstance(preferences, dict) else None

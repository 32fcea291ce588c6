"""What Track does to one customer: by its v1, and by v2 where a phone number names them."""

import json
from typing import Any, Literal

from cio_mcp.client.api import SAFE_TO_REPEAT, TrackApi
from cio_mcp.client.batches import size_in_batch, too_large
from cio_mcp.client.call import RequestKind
from cio_mcp.client.identifiers import AnyIdType, in_operation
from cio_mcp.errors import InvalidArgument

ENTITY, CUSTOMER = "/api/v2/entity", "/api/v1/customers/{customer_id}"


async def entity(
    track: TrackApi, operation: dict[str, Any], *, if_unknown: str = SAFE_TO_REPEAT
) -> dict[str, Any]:
    """Send one operation that may be repeated; raises InvalidArgument for one that is too large."""
    if why := too_large(size_in_batch(operation)):
        raise InvalidArgument(f"what is written in all {why}")
    return await track.post(ENTITY, operation, kind=RequestKind.REPEATABLE, if_unknown=if_unknown)


async def _by_phone(track: TrackApi, action: str, customer_id: str, more: dict[str, Any], **how: str) -> None:
    who = in_operation(customer_id, "phone")
    await entity(track, {"type": "person", "action": action, "identifiers": who} | more, **how)


async def identify(track: TrackApi, customer_id: str, id_type: AnyIdType, body: dict[str, Any]) -> None:
    """Write attributes, and relationships as v1 has them in `cio_relationships`."""
    if id_type != "phone":
        await track.put(CUSTOMER, body, customer_id=track.person(customer_id, id_type))
        return
    related = body.get("cio_relationships", {})
    more = {"cio_relationships": related["relationships"]} if related else {}
    if related.get("action") == "delete_relationships":
        await _by_phone(track, "delete_relationships", customer_id, more)
        return
    attributes = {name: value for name, value in body.items() if name != "cio_relationships"}
    await _by_phone(track, "identify", customer_id, {"attributes": attributes} | more)


async def record(
    track: TrackApi, customer_id: str, id_type: AnyIdType, event: dict[str, Any], if_unknown: str
) -> None:
    """Record an event in the form of v1, with its id."""
    if id_type != "phone":
        who = track.person(customer_id, id_type)
        path, kind = f"{CUSTOMER}/events", RequestKind.REPEATABLE
        await track.post(path, event, kind=kind, if_unknown=if_unknown, customer_id=who)
        return
    named = {"data": "attributes"}
    more = {named.get(name, name): value for name, value in event.items() if name != "type"}
    await _by_phone(track, event.get("type", "event"), customer_id, more, if_unknown=if_unknown)


async def delete(track: TrackApi, customer_id: str, id_type: AnyIdType) -> None:
    """Delete a customer."""
    if id_type != "phone":
        await track.delete(CUSTOMER, customer_id=track.person(customer_id, id_type))
        return
    await _by_phone(track, "delete", customer_id, {})


async def block(
    track: TrackApi, change: Literal["suppress", "unsuppress"], customer_id: str, id_type: AnyIdType
) -> None:
    """Suppress an identifier, or lift that."""
    if id_type != "phone":
        who = track.person(customer_id, id_type)
        await track.post(f"{CUSTOMER}/{change}", {}, kind=RequestKind.REPEATABLE, customer_id=who)
        return
    await _by_phone(track, change, customer_id, {})


async def add_device(
    track: TrackApi, customer_id: str, id_type: AnyIdType, token: str, device: dict[str, Any]
) -> None:
    """Add a device, or update it."""
    if id_type != "phone":
        who = track.person(customer_id, id_type)
        await track.put(f"{CUSTOMER}/devices", {"device": {"id": token, **device}}, customer_id=who)
        return
    attributes = {
        name: _text(value) for name, value in device.get("attributes", {}).items() if value is not None
    }
    more = {"attributes": attributes} if attributes else {}
    await _by_phone(track, "add_device", customer_id, {"device": {"token": token, **device} | more})


def _text(value: Any) -> str:
    """Return a value as v2 takes it for a device: as text."""
    return value if isinstance(value, str) else json.dumps(value)


async def remove_device(track: TrackApi, customer_id: str, id_type: AnyIdType, token: str) -> None:
    """Remove a device."""
    if id_type != "phone":
        who = track.person(customer_id, id_type)
        await track.delete(f"{CUSTOMER}/devices/{{device_id}}", customer_id=who, device_id=token)
        return
    await _by_phone(track, "delete_device", customer_id, {"device": {"token": token}})

"""Devices, which get push messages. get_customer lists those of a customer."""

from typing import Literal

from cio_mcp.client import IdType, TrackApi
from cio_mcp.toolkit.answers import Accepted
from cio_mcp.toolkit.params import CustomerId, JsonObject, Text
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import Timestamp

tools = Toolbox(__name__)


@tools.writes
async def add_device(
    track: TrackApi,
    customer_id: CustomerId,
    device_id: Text,
    platform: Literal["ios", "android"],
    id_type: IdType = "id",
    last_used: Timestamp | None = None,
    attributes: JsonObject | None = None,
) -> Accepted:
    """Add or update a device for push messages; device_id is its token."""
    optional = {"last_used": last_used, "attributes": attributes or None}
    device = {
        "id": device_id,
        "platform": platform,
        **{name: value for name, value in optional.items() if value is not None},
    }
    await track.put(
        "/api/v1/customers/{customer_id}/devices",
        {"device": device},
        customer_id=track.person(customer_id, id_type),
    )
    return Accepted()


@tools.writes
async def remove_device(
    track: TrackApi, customer_id: CustomerId, device_id: Text, id_type: IdType = "id"
) -> Accepted:
    """Remove a device from a customer."""
    await track.delete(
        "/api/v1/customers/{customer_id}/devices/{device_id}",
        customer_id=track.person(customer_id, id_type),
        device_id=device_id,
    )
    return Accepted()

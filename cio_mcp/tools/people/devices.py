"""Devices, which receive push notifications. get_customer lists a customer's devices."""

from typing import Annotated, Literal

from pydantic import Field

from cio_mcp.client import AnyIdType, TrackApi, people
from cio_mcp.toolkit.answers.shapes import Accepted
from cio_mcp.toolkit.arguments.times import Timestamp
from cio_mcp.toolkit.arguments.types import CustomerId, ItemKey
from cio_mcp.toolkit.arguments.values import Values
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

DeviceId = Annotated[ItemKey, Field(description="The device's push token.")]


@tools.writes
@affects(Consequence.DEVICES)
async def add_device(
    track: TrackApi,
    customer_id: CustomerId,
    device_id: DeviceId,
    platform: Literal["ios", "android"],
    id_type: AnyIdType = "id",
    last_used: Annotated[Timestamp | None, Field(description="ISO 8601.")] = None,
    attributes: Annotated[Values | None, Field(description='Such as {"app_version": "4.2"}.')] = None,
) -> Accepted:
    """Add a customer's device for push notifications, or update it. get_customer lists devices."""
    given = {"platform": platform, "last_used": last_used, "attributes": attributes or None}
    device = {name: value for name, value in given.items() if value is not None}
    await people.add_device(track, customer_id, id_type, device_id, device)
    return Accepted()


@tools.writes
@affects(Consequence.DEVICES)
async def remove_device(
    track: TrackApi, customer_id: CustomerId, device_id: DeviceId, id_type: AnyIdType = "id"
) -> Accepted:
    """Remove a device from a customer, to stop its push notifications. get_customer lists devices."""
    await people.remove_device(track, customer_id, id_type, device_id)
    return Accepted()

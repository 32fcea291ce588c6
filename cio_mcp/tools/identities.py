"""Identities: which identifiers are blocked, and which two profiles are one person."""

from typing import Annotated

from pydantic import Field

from cio_mcp.client import AppApi, IdType, RequestKind, TrackApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Accepted
from cio_mcp.toolkit.params import CustomerId
from cio_mcp.toolkit.registry import Toolbox

identities = Toolbox("people")

UNSURE = (
    "Where customer_id names nobody nothing happens, and right after an identify it may not be known yet: "
    "get_customer for both shows whether they were merged."
)


@identities.deletes
async def suppress_customer(track: TrackApi, customer_id: CustomerId, id_type: IdType = "id") -> Accepted:
    """Delete a customer and block their identifiers, so that they are never messaged again."""
    return await _change(track, "suppress", customer_id, id_type)


@identities.writes
async def unsuppress_customer(track: TrackApi, customer_id: CustomerId, id_type: IdType = "id") -> Accepted:
    """Unblock a suppressed identifier; the deleted profile does not come back."""
    return await _change(track, "unsuppress", customer_id, id_type)


async def _change(track: TrackApi, change: str, customer_id: str, id_type: IdType) -> Accepted:
    person = track.person(customer_id, id_type)
    path = f"/api/v1/customers/{{customer_id}}/{change}"
    await track.post(path, {}, kind=RequestKind.REPEATABLE, customer_id=person)
    return Accepted()


@identities.deletes
async def merge_customers(
    track: TrackApi,
    customer_id: CustomerId,
    secondary_id: Annotated[CustomerId, Field(description="The duplicate; it is deleted.")],
    id_type: IdType = "id",
    secondary_id_type: IdType = "id",
) -> Accepted:
    """Merge a duplicate into a customer, who keeps their own values and gets what they lack."""
    # Here a cio_id is bare (Track API, merge), as App has it.
    primary = {id_type: AppApi.person(customer_id, id_type)}
    secondary = {secondary_id_type: AppApi.person(secondary_id, secondary_id_type)}
    if primary == secondary:
        raise InvalidArgument("secondary_id: is the same customer")
    body = {"primary": primary, "secondary": secondary}
    await track.post("/api/v1/merge_customers", body, kind=RequestKind.REPEATABLE)
    return Accepted(notes=[UNSURE])

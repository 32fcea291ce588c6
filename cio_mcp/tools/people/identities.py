"""Identities: blocked identifiers, and profiles that are the same person."""

from typing import Annotated

from pydantic import Field

from cio_mcp.client import AnyIdType, AppApi, RequestKind, TrackApi, people
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.shapes import Accepted
from cio_mcp.toolkit.arguments.types import CustomerId, ExceptPhone
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.people.losses import of_customer, of_merge
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

UNSURE = (
    "Nothing is merged if customer_id is unknown, as it can be for some seconds after an identify. Read both "
    "with get_customer to see whether they were merged."
)


@tools.deletes
@affects(shows=of_customer)
async def suppress_customer(track: TrackApi, customer_id: CustomerId, id_type: AnyIdType = "id") -> Accepted:
    """Delete a customer (profile) and block their identifiers: they cannot be messaged or created again.

    unsuppress_customer lifts the block. To only stop messages use identify_customer with unsubscribed=true.
    """
    await people.block(track, "suppress", customer_id, id_type)
    return Accepted()


@tools.writes
@affects(Consequence.SUBSCRIPTIONS)
async def unsuppress_customer(
    track: TrackApi, customer_id: CustomerId, id_type: AnyIdType = "id"
) -> Accepted:
    """Lift the block on a suppressed identifier. The deleted profile does not come back."""
    await people.block(track, "unsuppress", customer_id, id_type)
    return Accepted()


@tools.deletes
@affects(Consequence.IDENTIFY, shows=of_merge)
async def merge_customers(
    track: TrackApi,
    customer_id: CustomerId,
    secondary_id: Annotated[
        CustomerId,
        Field(description="The duplicate, which is deleted."),
    ],
    id_type: ExceptPhone = "id",
    secondary_id_type: ExceptPhone = "id",
) -> Accepted:
    """Merge a duplicate profile into another customer and delete the duplicate, permanently.

    The customer in customer_id keeps their own values and takes over those they lack. Read both with
    get_customer first.
    """
    # This endpoint wants a cio_id without prefix (Track API, merge), like the App API.
    primary = {id_type: AppApi.person(customer_id, id_type)}
    secondary = {secondary_id_type: AppApi.person(secondary_id, secondary_id_type)}
    if primary == secondary:
        raise InvalidArgument("secondary_id: is the same customer")
    body = {"primary": primary, "secondary": secondary}
    await track.post("/api/v1/merge_customers", body, kind=RequestKind.REPEATABLE)
    return Accepted(notes=[UNSURE])

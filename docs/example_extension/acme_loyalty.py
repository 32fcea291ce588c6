"""Acme's own toolset and rule for cio-mcp."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from cio_mcp.client import IdType, TrackApi
from cio_mcp.errors import NotAllowed
from cio_mcp.safety import ToolCall
from cio_mcp.toolkit.answers.shapes import Accepted
from cio_mcp.toolkit.arguments.types import CustomerId
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.registry import Effect, Toolbox

# The name of the toolset, in CIO_TOOLSETS and in the entry point.
loyalty = Toolbox("loyalty")

Tier = Literal["bronze", "silver", "gold"]


@loyalty.writes
@affects(Consequence.IDENTIFY)
async def set_loyalty_tier(
    track: TrackApi,
    customer_id: CustomerId,
    tier: Annotated[Tier, Field(description="The customer's new tier.")],
    id_type: IdType = "id",
) -> Accepted:
    """Set a customer's loyalty tier, which is stored in the attribute loyalty_tier."""
    await track.put(
        "/api/v1/customers/{customer_id}",
        {"loyalty_tier": tier},
        customer_id=track.person(customer_id, id_type),
    )
    return Accepted()


async def quiet_hours(call: ToolCall) -> None:
    """Refuse all sends between 22:00 and 06:00 UTC."""
    hour = datetime.fromtimestamp(call.called_at, UTC).hour
    if call.tool.effect is Effect.SENDS and (hour >= 22 or hour < 6):
        raise NotAllowed("Nothing was sent: Acme sends nothing between 22:00 and 06:00 UTC.", do="Wait.")

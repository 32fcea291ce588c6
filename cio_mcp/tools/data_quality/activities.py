"""Activities: what customers did, what was sent to them, and what became of writes about them."""

from typing import Annotated, Any

from pydantic import Field

from cio_mcp.client import AppApi, IdType, Query
from cio_mcp.toolkit.answers import Anything, Page, Quoted, Shape, cut, identifiers
from cio_mcp.toolkit.params import Cursor, CustomerId, Limit, Text
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import iso

tools = Toolbox(__name__)


class Activity(Shape):
    """One thing that happened to a customer."""

    type: str
    name: str | None = Field(None, description="Of an event, or the address of a page.")
    time: str | None = Field(None, description="The event's own time where it has one.")
    customer: dict[str, str] = Field({}, description="Identifiers of the customer.")
    delivery_id: str | None = None
    data: Anything = Field(
        None, description="The event's data, or from and to of each attribute that changed."
    )


class Activities(Quoted, Page):
    """Activities, newest first."""

    activities: list[Activity]


@tools.reads
async def list_activities(
    app: AppApi,
    activity_type: Annotated[
        Text | None, Field(description="event, page, attribute_change, sent_email, failed_event, ...")
    ] = None,
    name: Annotated[Text | None, Field(description="Of the event or attribute.")] = None,
    customer_id: CustomerId | None = None,
    id_type: IdType = "id",
    limit: Limit = 20,
    cursor: Cursor | None = None,
) -> Activities:
    """List what happened in the last 30 days, newest first, in the workspace or to one customer."""
    asked = {"type": activity_type, "name": name, "limit": limit, "start": cursor}
    answer = await read_activities(app, asked, customer_id, id_type)
    found = [activity(item) for item in answer.get("activities") or []]
    kept, next_cursor, left_out = cut(found, answer.get("next"))
    return Activities(activities=kept, next_cursor=next_cursor, left_out=left_out)


async def read_activities(
    app: AppApi, asked: Query, customer_id: str | None, id_type: IdType
) -> dict[str, Any]:
    """Ask for a page of activities, of one customer or of all.

    By the customer's own path: the workspace's takes one as well, but spells a cio_id in another way.
    """
    if customer_id is None:
        return await app.get("/v1/activities", asked)
    return await app.get(
        "/v1/customers/{customer_id}/activities",
        {**asked, "id_type": id_type},
        customer_id=app.person(customer_id, id_type),
    )


def activity(item: dict[str, Any]) -> Activity:
    """Return one of Customer.io's activities in short."""
    return Activity(
        type=str(item.get("type") or ""),
        name=item.get("name") or item.get("url") or None,
        time=iso(item.get("timestamp")),
        customer=identifiers(item),
        delivery_id=item.get("delivery_id") or None,
        data=item.get("data") or None,
    )

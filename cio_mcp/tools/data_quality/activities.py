"""Activities: what customers did, what was sent to them, and which writes about them were dropped."""

from typing import Annotated

from pydantic import Field

from cio_mcp.client import AnyIdType, AppApi, Query
from cio_mcp.toolkit.answers.pages import cut_page
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Anything, Page, Quoted, Shape
from cio_mcp.toolkit.answers.things import customer_identifiers
from cio_mcp.toolkit.arguments.types import Cursor, CustomerId, Limit, Text
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)


class Activity(Shape):
    """Something that happened to a customer."""

    type: str | None = None
    name: str | None = Field(None, description="Name of the event or attribute, or URL of the page.")
    time: str | None = Field(None, description="When it happened; for an event, the event's own timestamp.")
    customer: dict[str, str] | None = Field(None, description="Identifiers of the customer.")
    delivery_id: str | None = None
    data: Anything = Field(
        None, description="The event's data, or for each changed attribute its values from and to."
    )


class Activities(Quoted, Page):
    """Activities, newest first."""

    activities: list[Activity]


@tools.reads
async def list_activities(
    app: AppApi,
    activity_type: Annotated[
        Text | None,
        Field(description="event, page, attribute_change, sent_email, failed_event, ..."),
    ] = None,
    name: Annotated[Text | None, Field(description="Name of an event or attribute.")] = None,
    customer_id: CustomerId | None = None,
    id_type: AnyIdType = "id",
    limit: Limit = 20,
    cursor: Cursor | None = None,
) -> Activities:
    """List the activity log of the last 30 days, newest first, for the workspace or one customer.

    For dropped writes use find_rejected_data, for messages list_customer_messages.
    """
    asked = {"type": activity_type, "name": name, "limit": limit, "start": cursor}
    answer = await read_activities(app, asked, customer_id, id_type)
    found = [activity(item) for item in answer.listed("activities")]
    kept, next_cursor, left_out = cut_page(found, answer.following())
    return Activities(activities=kept, next_cursor=next_cursor, left_out=left_out)


async def read_activities(app: AppApi, asked: Query, customer_id: str | None, id_type: AnyIdType) -> Fields:
    """Read a page of activities, of one customer or of all.

    One customer's come from the customer's own path: the workspace's path also takes a customer, but expects
    a cio_id in another form.
    """
    if customer_id is None:
        return Fields(await app.get("/v1/activities", asked))
    path, query = "/v1/customers/{customer_id}/activities", {**asked, "id_type": id_type}
    return Fields(await app.get(path, query, customer_id=app.person(customer_id, id_type)))


def activity(item: Fields) -> Activity:
    """Return one of Customer.io's activities in brief."""
    return Activity(
        type=item.text("type"),
        name=item.text("name", "url"),
        time=item.time("timestamp"),
        customer=customer_identifiers(item),
        delivery_id=item.text("delivery_id"),
        data=item.value("data") or None,
    )


def happened_since(item: Fields, start: float) -> bool:
    """Return whether an activity may have happened since a time; it may where its own cannot be read."""
    return (when := item.seconds("timestamp")) is None or when >= start

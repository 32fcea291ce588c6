"""Deliveries: what was sent to whom, and what became of it."""

from typing import Any

from pydantic import BaseModel, Field

from cio_mcp.answers import Page, Quoted, page
from cio_mcp.client import AppApi, IdType
from cio_mcp.params import Cursor, CustomerId, Limit, iso
from cio_mcp.registry import Toolbox

messages = Toolbox("messages")

# The states of a delivery in the order in which they count; the first that was reached is told.
STATES = (
    *("undeliverable", "failed", "dropped", "bounced", "spammed", "unsubscribed", "converted", "clicked"),
    *("opened", "delivered", "sent", "attempted", "drafted", "created"),
)

SOURCES = ("transactional_message_id", "campaign_id", "newsletter_id", "broadcast_id")


class Message(BaseModel):
    """One message to one customer."""

    delivery_id: str
    type: str = Field(description="email, push, twilio (SMS), in_app, ...")
    state: str | None = Field(None, description="How far it has come.")
    recipient: str | None = None
    subject: str | None = None
    created: str | None = None
    source: dict[str, int] = Field(
        {}, description="Which template, campaign, newsletter or broadcast it is from."
    )
    failure: str | None = None


class Messages(Quoted, Page):
    """Messages, newest first."""

    messages: list[Message]


@messages.reads
async def list_customer_messages(
    app: AppApi,
    customer_id: CustomerId,
    id_type: IdType = "id",
    limit: Limit = 20,
    cursor: Cursor | None = None,
) -> Messages:
    """List what was sent to one customer in the last six months, newest first, and what became of it.

    Also the way to find out whether a send whose outcome is unknown went out.
    """
    asked = {"id_type": id_type, "limit": str(limit), "start": cursor}
    answer = await app.get(
        "/v1/customers/{customer_id}/messages",
        {name: value for name, value in asked.items() if value is not None},
        customer_id=app.person(customer_id, id_type),
    )
    found = [_message(item) for item in answer.get("messages") or []]
    kept, left_out = page(found, limit)
    note = f"{len(found) - len(kept)} were too long for this answer; ask again with limit={len(kept)}"
    return Messages(
        messages=kept,
        next_cursor=None if left_out else answer.get("next") or None,
        left_out=left_out and note,
    )


def _message(item: dict[str, Any]) -> Message:
    reached = item.get("metrics") or {}
    return Message(
        delivery_id=str(item.get("id") or ""),
        type=str(item.get("type") or ""),
        state=next((state for state in STATES if reached.get(state)), None),
        recipient=item.get("recipient"),
        subject=item.get("subject") or None,
        created=iso(item.get("created")),
        source={name: item[name] for name in SOURCES if item.get(name)},
        failure=item.get("failure_message") or None,
    )

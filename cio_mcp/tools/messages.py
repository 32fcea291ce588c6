"""Deliveries: what was sent to whom, and what became of it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import AppApi, IdType
from cio_mcp.errors import InvalidArgument, Refused
from cio_mcp.toolkit.answers import Page, Quoted, Shape, cut, identifiers
from cio_mcp.toolkit.params import Channel, Cursor, CustomerId, Limit, ObjectId, Text, vendor_channel
from cio_mcp.toolkit.polling import Polling
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import Timestamp, iso

tools = Toolbox(__name__)

# The states of a delivery in the order in which they count; the first that was reached is told.
STATES = (
    *("undeliverable", "failed", "dropped", "bounced", "spammed", "unsubscribed", "converted", "clicked"),
    *("opened", "delivered", "sent", "attempted", "drafted", "created"),
)

# fmt: off
Metric = Literal[
    "attempted", "sent", "delivered", "opened", "clicked", "converted",
    "bounced", "spammed", "unsubscribed", "dropped", "failed", "undeliverable",
]
# fmt: on

SOURCES = ("transactional_message_id", "campaign_id", "newsletter_id", "broadcast_id")

# A delivery in one of these comes no further by itself, except by what its recipient does.
UNDERWAY = {None, "created", "attempted", "sent"}

# Channels that report a message as delivered; of any other, `sent` is the last that Customer.io learns.
CONFIRMED = {"email", "push", "twilio", "whatsapp"}

# App API, "listMessages".
HALF_A_YEAR = 184 * 86400

# Seconds: between looks at a delivery, and for how long one that was queued just now may be unknown.
LONGEST_PAUSE, APPEARS_WITHIN = 5.0, 5.0


class Message(Shape):
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


@tools.reads
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
    answer = await app.get(
        "/v1/customers/{customer_id}/messages",
        {"id_type": id_type, "limit": limit, "start": cursor},
        customer_id=app.person(customer_id, id_type),
    )
    return _page(answer)


@tools.reads
async def list_messages(
    app: AppApi,
    channel: Channel | None = None,
    metric: Metric | None = None,
    campaign_id: ObjectId | None = None,
    newsletter_id: ObjectId | None = None,
    broadcast_id: ObjectId | None = None,
    action_id: ObjectId | None = None,
    start: Annotated[Timestamp | None, Field(description="At most 6 months to end.")] = None,
    end: Timestamp | None = None,
    drafts: bool = False,
    limit: Limit = 20,
    cursor: Cursor | None = None,
) -> Messages:
    """List messages (deliveries) to anybody in the last 6 months, newest first.

    To one customer: list_customer_messages.
    """
    if start is not None and end is not None and not 0 < end - start <= HALF_A_YEAR:
        raise InvalidArgument("end: must be later than start, and at most 6 months")
    of = {"campaign_id": campaign_id, "newsletter_id": newsletter_id, "action_id": action_id}
    if broadcast_id and any(of.values()):
        raise InvalidArgument("broadcast_id: stands alone, without campaign_id, newsletter_id and action_id")
    asked = {
        "type": vendor_channel(channel),
        "metric": metric,
        **of,
        "start_ts": start,
        "end_ts": end,
        "limit": limit,
        "start": cursor,
    }
    if broadcast_id:
        # Drafts are a state here (App API, listBroadcastDeliveries).
        path, state = "/v1/broadcasts/{broadcast_id}/messages", "drafted" if drafts else None
        return _page(await app.get(path, {**asked, "state": state}, broadcast_id=broadcast_id))
    return _page(await app.get("/v1/messages", {**asked, "drafts": "true" if drafts else None}))


class Delivery(Quoted, Message):
    """One message, with all that is known of it."""

    customer: dict[str, str] = Field({}, description="Identifiers of the customer.")
    action_id: int | None = Field(None, description="The campaign's or broadcast's action it is from.")
    reached: dict[str, str] = Field({}, description="When it reached each state.")
    final: bool = Field(description="It comes no further, except by what the recipient does.")
    next: str | None = Field(None, description="What to do now.")


@tools.reads
async def get_message(app: AppApi, delivery_id: Text) -> Delivery:
    """Read one message: how far it came and when, or why it failed."""
    return _delivery(await app.get("/v1/messages/{delivery_id}", delivery_id=delivery_id))


@tools.reads
async def wait_for_delivery(
    app: AppApi, delivery_id: Text, seconds: Annotated[int, Field(ge=1, le=600)] = 20
) -> Delivery:
    """Wait until a message is delivered or has failed, or the seconds are over."""
    looks = Polling(app.call, seconds, LONGEST_PAUSE)
    while True:
        still = ""
        try:
            found = await get_message(app, delivery_id)
        except Refused as refused:
            if refused.status != 404 or looks.over or looks.elapsed >= APPEARS_WITHIN:
                raise
        else:
            if found.final:
                return found
            if looks.over:
                found.next = "Not final yet: wait again, or read it later with get_message."
                return found
            still = f"Still {found.state or 'not there'}"
        await looks.pause(still)


def _page(answer: dict[str, Any]) -> Messages:
    found = [Message(**_told(item)) for item in answer.get("messages") or []]
    kept, next_cursor, left_out = cut(found, answer.get("next"))
    return Messages(messages=kept, next_cursor=next_cursor, left_out=left_out)


def _told(item: dict[str, Any]) -> dict[str, Any]:
    reached = item.get("metrics") or {}
    return {
        "delivery_id": str(item.get("id") or ""),
        "type": str(item.get("type") or ""),
        "state": next((state for state in STATES if reached.get(state)), None),
        "recipient": item.get("recipient"),
        "subject": item.get("subject") or None,
        "created": iso(item.get("created")),
        "source": {name: item[name] for name in SOURCES if item.get(name)},
        "failure": item.get("failure_message") or None,
    }


def _delivery(answer: dict[str, Any]) -> Delivery:
    item = answer.get("message") or {}
    told, reached = _told(item), item.get("metrics") or {}
    last_known = told["state"] == "sent" and told["type"] not in CONFIRMED
    return Delivery(
        **told,
        customer=identifiers(item),
        action_id=item.get("action_id") or None,
        reached={name: at for name in reversed(STATES) if (at := iso(reached.get(name)))},
        final=last_known or told["state"] not in UNDERWAY,
        next="A draft: a person must send it in Customer.io." if told["state"] == "drafted" else None,
    )

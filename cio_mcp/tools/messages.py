"""The toolset `messages`: deliveries, which are single messages to customers, and what became of them."""

from calendar import monthrange
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.errors import InvalidArgument, Refused
from cio_mcp.toolkit.answers.deliveries import SOURCES, is_final, reached, state_in
from cio_mcp.toolkit.answers.pages import cut_page
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Page, Quoted, Shape
from cio_mcp.toolkit.answers.things import customer_identifiers
from cio_mcp.toolkit.arguments.times import Timestamp
from cio_mcp.toolkit.arguments.types import (
    Channel,
    Cursor,
    CustomerId,
    ItemKey,
    Limit,
    ObjectId,
    WholeNumber,
    vendor_channel,
)
from cio_mcp.toolkit.polling import Polling
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

# fmt: off
Metric = Literal[
    "attempted", "sent", "delivered", "opened", "clicked", "converted",
    "bounced", "spammed", "unsubscribed", "dropped", "failed", "undeliverable",
]
# fmt: on

Since = Annotated[Timestamp | None, Field(description="ISO 8601, at most 6 months before end.")]
Until = Annotated[Timestamp | None, Field(description="ISO 8601. Default: now.")]

# Seconds: the longest pause between reads, and how long a message that was just queued may be unknown.
LONGEST_PAUSE, APPEARS_WITHIN = 5.0, 5.0


class Message(Shape):
    """One message to one customer."""

    delivery_id: str | None = None
    type: str | None = Field(None, description="Channel: email, push, twilio (SMS), in_app, ...")
    state: str | None = Field(
        None,
        description="Most significant state reached, such as delivered, clicked or bounced; absent if "
        "Customer.io named none.",
    )
    recipient: str | None = None
    subject: str | None = None
    created: str | None = None
    source: dict[str, int] | None = Field(
        None,
        description="Id of the transactional message, campaign, newsletter or broadcast that it belongs to.",
    )
    failure: str | None = Field(None, description="Why it failed, in Customer.io's words.")


class Messages(Quoted, Page):
    """Messages, newest first."""

    messages: list[Message]


@tools.reads
async def list_customer_messages(
    app: AppApi,
    customer_id: CustomerId,
    id_type: AnyIdType = "id",
    start: Since = None,
    end: Until = None,
    limit: Limit = 20,
    cursor: Cursor | None = None,
) -> Messages:
    """List one customer's messages of the last 6 months with their states, newest first.

    After a send of unknown outcome, this shows whether it went out.
    """
    asked = {"id_type": id_type, "limit": limit, "start": cursor, **_span(app, start, end)}
    path, person = "/v1/customers/{customer_id}/messages", app.person(customer_id, id_type)
    return _page(Fields(await app.get(path, asked, customer_id=person)))


@tools.reads
async def list_messages(
    app: AppApi,
    channel: Channel | None = None,
    metric: Annotated[Metric | None, Field(description="Only messages that reached this state.")] = None,
    campaign_id: ObjectId | None = None,
    newsletter_id: ObjectId | None = None,
    broadcast_id: Annotated[
        ObjectId | None,
        Field(description="Not with campaign_id, newsletter_id or action_id."),
    ] = None,
    action_id: Annotated[
        ObjectId | None, Field(description="One message of a campaign, from get_campaign.")
    ] = None,
    transactional_message_id: Annotated[
        ObjectId | None, Field(description="Not with another source or channel.")
    ] = None,
    start: Since = None,
    end: Until = None,
    drafts: Annotated[bool, Field(description="Include drafts.")] = False,
    limit: Limit = 20,
    cursor: Cursor | None = None,
) -> Messages:
    """List messages (deliveries) to all customers in the last 6 months, newest first.

    For one customer use list_customer_messages; for counts and rates get_message_metrics.
    """
    of = {"campaign_id": campaign_id, "newsletter_id": newsletter_id, "action_id": action_id}
    if broadcast_id and any(of.values()):
        raise InvalidArgument("broadcast_id: cannot be combined with campaign_id, newsletter_id or action_id")
    if transactional_message_id and (channel or broadcast_id or any(of.values())):
        raise InvalidArgument("transactional_message_id: cannot be combined with other sources or a channel")
    asked = {
        "type": vendor_channel(channel),
        "metric": metric,
        **of,
        **_span(app, start, end),
        "limit": limit,
        "start": cursor,
    }
    # Drafts are a state here (App API, listBroadcastDeliveries and transactionalMessages).
    of_one = {**asked, "state": "drafted" if drafts else None}
    if broadcast_id:
        path = "/v1/broadcasts/{broadcast_id}/messages"
        return _page(Fields(await app.get(path, of_one, broadcast_id=broadcast_id)))
    if transactional_message_id:
        path = "/v1/transactional/{template_id}/messages"
        return _page(Fields(await app.get(path, of_one, template_id=transactional_message_id)))
    return _page(Fields(await app.get("/v1/messages", {**asked, "drafts": "true" if drafts else None})))


def _span(app: AppApi, start: int | None, end: int | None) -> dict[str, int | None]:
    until = app.call.called_at if end is None else end
    # Live, 2026-10: of a longer span Customer.io tells the last 6 months alone, without a word. That these
    # are months of the calendar is how its documents read.
    if start is not None and not _half_a_year_before(until) <= start < until:
        raise InvalidArgument("end: must be later than start, by at most 6 months")
    return {"start_ts": start, "end_ts": end}


def _half_a_year_before(moment: float) -> float:
    at = datetime.fromtimestamp(moment, UTC)
    year, month = divmod(at.year * 12 + at.month - 1 - 6, 12)
    day = min(at.day, monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day).timestamp()


class MessageDetails(Quoted, Message):
    """One message in full."""

    customer: dict[str, str] | None = Field(None, description="Identifiers of the customer.")
    action_id: int | None = Field(None, description="The action of a campaign or broadcast that sent it.")
    reached: dict[str, str] | None = Field(None, description="Each state it reached, with the time.")
    responses: dict[str, str] | None = Field(
        None, description="Answers to a survey in an in-app message, with the time of each."
    )
    final: bool = Field(
        description="true: delivery is over, well or badly; only the recipient can still change the state."
    )
    next: str | None = Field(None, description="What to do next.")


DeliveryId = Annotated[ItemKey, Field(description="From a send or a list of messages.")]


@tools.reads
async def get_message(app: AppApi, delivery_id: DeliveryId) -> MessageDetails:
    """Read one message (delivery): the states it reached and when, or why it failed."""
    return _delivery(Fields(await app.get("/v1/messages/{delivery_id}", delivery_id=delivery_id)))


@tools.reads
async def wait_for_delivery(
    app: AppApi,
    delivery_id: DeliveryId,
    seconds: Annotated[int, Field(ge=1, le=600, description="Longest time to wait."), WholeNumber] = 20,
) -> MessageDetails:
    """Wait until a message is delivered or has failed, and read it. Call it after a transactional send."""
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
                found.next = "Not final yet: call wait_for_delivery again, or get_message later."
                return found
            still = f"Still {found.state or 'in no known state'}"
        await looks.pause(still)


def _page(answer: Fields) -> Messages:
    found = [Message(**_told(item, reached(item))) for item in answer.listed("messages")]
    kept, next_cursor, left_out = cut_page(found, answer.following())
    return Messages(messages=kept, next_cursor=next_cursor, left_out=left_out)


def _told(item: Fields, metrics: dict[str, str]) -> dict[str, Any]:
    return {
        "delivery_id": item.text("id"),
        "type": item.text("type"),
        "state": state_in(metrics),
        "recipient": item.text("recipient"),
        "subject": item.text("subject"),
        "created": item.time("created"),
        "source": {name: number for name in SOURCES if (number := item.whole(name))} or None,
        "failure": item.text("failure_message"),
    }


def _delivery(answer: Fields) -> MessageDetails:
    item = answer.inside("message", "id", "type", "metrics")
    metrics, survey = reached(item), item.fields("tracked_responses")
    told = _told(item, metrics)
    return MessageDetails(
        **told,
        customer=customer_identifiers(item),
        action_id=item.whole("action_id") or None,
        reached=metrics or None,
        responses={name: at for name in survey.raw if (at := survey.fields(name).time("ts"))} or None,
        final=is_final(told["state"], told["type"]),
        next="This is a draft: a person must send it in Customer.io." if told["state"] == "drafted" else None,
    )

"""Transactional messages by push, SMS, in-app and inbox."""

import re
from typing import Annotated, Literal

from pydantic import Field

from cio_mcp.client import AppApi, IdType
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.audience import Audience, reaches
from cio_mcp.toolkit.fitting import check_fit
from cio_mcp.toolkit.params import Address, CustomerId, JsonObject, Line, Text
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.transactional.sending import (
    AsDraft,
    Language,
    MessageData,
    NotKept,
    Queued,
    SendAt,
    send,
)
from cio_mcp.tools.transactional.templates import MessageId, template_of

tools = Toolbox(__name__)

# The arguments of each channel, beside those that all channels take (App API, "sendPush", "sendSMS",
# "sendInApp", "sendInboxMessage").
TAKES: dict[str, tuple[str, ...]] = {
    "push": ("to", "title", "message", "image_url", "link", "custom_data", "send_to_unsubscribed=false"),
    "sms": ("to", "from_number", "send_to_unsubscribed=false"),
    "in_app": (),
    "inbox": (),
}

PATHS = {
    "push": "/v1/send/push",
    "sms": "/v1/send/sms",
    "in_app": "/v1/send/in_app",
    "inbox": "/v1/send/inbox_message",
}

E164 = re.compile(r"\+[1-9]\d{1,14}")

# Values of `to` for a push that name no particular device.
ANY_DEVICE = {"all", "last_used"}


async def _reached(
    app: AppApi,
    transactional_message_id: int | str,
    customer_id: str,
    id_type: IdType,
    to: str | None,
) -> Audience:
    async def template() -> str:
        return await template_of(app, transactional_message_id)

    return Audience(
        "the customer, or the owner of the number or device in to" if to else "the customer",
        1,
        # The number or device may belong to somebody other than the customer.
        addresses=[to] if to and to not in ANY_DEVICE else [],
        people={id_type: [customer_id]},
        to_one=True,
        template=template,
    )


@tools.sends
@reaches(_reached)
async def send_transactional_message(
    app: AppApi,
    channel: Literal["push", "sms", "in_app", "inbox"],
    transactional_message_id: Annotated[MessageId, Field(description="Template: id or trigger name.")],
    customer_id: CustomerId,
    id_type: IdType = "id",
    message_data: MessageData | None = None,
    to: Annotated[
        Address | None,
        Field(description="sms: a number, such as +4930123456. push: all, last_used or a device token."),
    ] = None,
    from_number: Annotated[Line | None, Field(description="sms only: number to send from.")] = None,
    title: Annotated[Line | None, Field(description="push only.")] = None,
    message: Annotated[Text | None, Field(description="push only: the text.")] = None,
    image_url: Annotated[Text | None, Field(description="push only.")] = None,
    link: Annotated[Text | None, Field(description="push only: what a tap opens.")] = None,
    custom_data: Annotated[JsonObject | None, Field(description="push only: strings for the app.")] = None,
    language: Language | None = None,
    send_at: SendAt = None,
    send_to_unsubscribed: Annotated[
        bool, Field(description="sms, push only; false: skip if the customer is unsubscribed.")
    ] = True,
    disable_message_retention: NotKept = False,
    queue_draft: AsDraft = False,
) -> Queued:
    """Send one push, SMS, in-app or inbox message to one person at once.

    What you pass replaces the template's own; an unknown customer is created. wait_for_delivery tells whether
    it arrived. For email use send_transactional_email.
    """
    own = {
        "to": to,
        "title": title,
        "message": message,
        "image_url": image_url,
        "link": link,
        "custom_data": custom_data or None,
    }
    renamed = {"from_number": from_number, "send_to_unsubscribed=false": not send_to_unsubscribed}
    check_fit(f"channel={channel}", own | renamed, TAKES[channel])
    if channel == "sms" and to and not E164.fullmatch(to):
        raise InvalidArgument("to: must be a phone number in E.164 form, such as +4930123456")
    fields = own | {
        "from": from_number,
        "transactional_message_id": transactional_message_id,
        "message_data": message_data or None,
        "language": language,
        "send_at": send_at,
        "send_to_unsubscribed": None if send_to_unsubscribed else False,
        "disable_message_retention": disable_message_retention or None,
        "queue_draft": queue_draft or None,
    }
    return await send(app, PATHS[channel], customer_id, id_type, fields)

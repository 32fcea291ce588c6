"""Transactional messages of the channels that are no email: push, SMS, in-app and inbox."""

import re
from typing import Annotated, Literal

from pydantic import Field

from cio_mcp.client import AppApi, IdType
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.audience import Audience, reaches
from cio_mcp.toolkit.fitting import check_fit
from cio_mcp.toolkit.params import Address, CustomerId, JsonObject, Line, Text
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import Timestamp
from cio_mcp.tools.transactional.sending import Queued, check_send_at, send
from cio_mcp.tools.transactional.templates import MessageId, template_of

tools = Toolbox(__name__)

# What a channel takes beyond what all of them take (App API, "sendPush", "sendSMS", "sendInApp",
# "sendInboxMessage").
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

# Where a push goes that names no device.
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
        "the customer, or whose number or device to is" if to else "the customer",
        1,
        # A number or a device can be anybody's, whoever the customer is.
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
    transactional_message_id: Annotated[MessageId, Field(description="Number or trigger name.")],
    customer_id: CustomerId,
    id_type: IdType = "id",
    message_data: JsonObject | None = None,
    to: Annotated[
        Address | None,
        Field(description="sms: +4930123456. push: all (the default), last_used, or a device token."),
    ] = None,
    from_number: Line | None = None,
    title: Annotated[Line | None, Field(description="push, as the next four.")] = None,
    message: Text | None = None,
    image_url: Text | None = None,
    link: Text | None = None,
    custom_data: JsonObject | None = None,
    language: Text | None = None,
    send_at: Timestamp | None = None,
    send_to_unsubscribed: bool = True,
    disable_message_retention: bool = False,
    queue_draft: bool = False,
) -> Queued:
    """Send one push, SMS, in-app or inbox message to one person. Email: send_transactional_email.

    Without to it goes where the template says. An unknown customer is created.
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
        raise InvalidArgument("to: must be a number in E.164 form, such as +4930123456")
    check_send_at(app, send_at)
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

"""Transactional messages of the channels that are no email: push, SMS, WhatsApp, in-app and inbox."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import IdType, SendApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.audience import Audience, reaches
from cio_mcp.toolkit.fitting import check_fit
from cio_mcp.toolkit.params import Address, CustomerId, JsonObject, Line, Text
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import Timestamp
from cio_mcp.tools.transactional.push import CustomDevice, CustomPayload
from cio_mcp.tools.transactional.sending import AutoCreate, Queued, check_send_at, send
from cio_mcp.tools.transactional.templates import MessageId, template_of

tools = Toolbox(__name__)

# What a channel takes beyond what all of them take (App API, "sendPush", "sendSMS", "sendWhatsApp",
# "sendInApp", "sendInboxMessage").
TAKES: dict[str, tuple[str, ...]] = {
    "push": (
        *("to", "title", "message", "image_url", "link", "sound", "custom_data", "custom_device"),
        *("custom_payload", "auto_create", "send_to_unsubscribed=false"),
    ),
    "sms": ("to", "from_number", "tracked=false", "auto_create", "send_to_unsubscribed=false"),
    "whatsapp": ("to", "from_number", "tracked=false", "send_to_unsubscribed=false"),
    "in_app": ("auto_create",),
    "inbox": ("auto_create",),
}

PATHS = {
    "push": "/v1/send/push",
    "sms": "/v1/send/sms",
    "whatsapp": "/v1/send/whatsapp",
    "in_app": "/v1/send/in_app",
    "inbox": "/v1/send/inbox_message",
}

# A number, or Liquid, which Customer.io fills in for the customer.
NUMBER = re.compile(r"\+[1-9]\d{1,14}|.*\{\{.+\}\}.*")

# What goes to the customer themselves: by push to devices of theirs, by SMS and WhatsApp to their number.
THEIR_OWN = re.compile(r"all|last_used|\{\{\s*customer\.phone\s*\}\}")


async def _reached(
    app: SendApi,
    transactional_message_id: int | str,
    customer_id: str,
    id_type: IdType,
    to: str | None,
    custom_device: dict[str, Any] | None,
) -> Audience:
    async def template() -> str:
        return await template_of(app, transactional_message_id)

    # A number or a device can be anybody's, whoever the customer is, and other Liquid can be any number.
    elsewhere = [to] if to and not THEIR_OWN.fullmatch(to) else []
    elsewhere += [custom_device["token"]] if custom_device else []
    return Audience(
        "the customer, or whose number or device is named" if elsewhere else "the customer",
        1,
        addresses=elsewhere,
        people={id_type: [customer_id]},
        to_one=True,
        template=template,
    )


@tools.sends
@reaches(_reached)
async def send_transactional_message(
    app: SendApi,
    channel: Literal["push", "sms", "whatsapp", "in_app", "inbox"],
    transactional_message_id: Annotated[MessageId, Field(description="Number or trigger name.")],
    customer_id: CustomerId,
    id_type: IdType = "id",
    message_data: JsonObject | None = None,
    to: Annotated[
        Address | None,
        Field(
            description="sms and whatsapp need it: +4930123456, or {{customer.phone}} for the customer's "
            "own. push: all (the default), last_used, or a device token."
        ),
    ] = None,
    from_number: Annotated[Line | None, Field(description="Sender, for sms and whatsapp.")] = None,
    title: Annotated[Line | None, Field(description="For push.")] = None,
    message: Annotated[Text | None, Field(description="Text of a push.")] = None,
    image_url: Annotated[Text | None, Field(description="For push.")] = None,
    link: Annotated[Text | None, Field(description="What a push opens.")] = None,
    sound: Annotated[Literal["default", "none"] | None, Field(description="For push on iOS.")] = None,
    custom_data: Annotated[JsonObject | None, Field(description="Texts that come with a push.")] = None,
    custom_device: Annotated[
        CustomDevice | None,
        Field(
            description="{token, platform: ios or android, last_used?, attributes?}: added to the customer "
            "when the push is sent."
        ),
    ] = None,
    custom_payload: Annotated[
        CustomPayload | None,
        Field(
            description="{ios?, android?}: a push as Apple or Google takes it, in place of all other content."
        ),
    ] = None,
    language: Text | None = None,
    send_at: Timestamp | None = None,
    send_to_unsubscribed: bool = True,
    tracked: Annotated[bool, Field(description="Track links of sms and whatsapp.")] = True,
    disable_message_retention: bool = False,
    queue_draft: bool = False,
    auto_create: AutoCreate = False,
) -> Queued:
    """Send one push, SMS, WhatsApp, in-app or inbox message to one person. Email: send_transactional_email.

    An unknown customer is created.
    """
    own = {
        "to": to,
        "title": title,
        "message": message,
        "image_url": image_url,
        "link": link,
        "sound": sound,
        "custom_data": custom_data or None,
        "custom_device": custom_device,
        "custom_payload": custom_payload or None,
        "auto_create": auto_create or None,
    }
    renamed = {
        "from_number": from_number,
        "send_to_unsubscribed=false": not send_to_unsubscribed,
        "tracked=false": not tracked,
    }
    check_fit(f"channel={channel}", own | renamed, TAKES[channel])
    if channel in {"sms", "whatsapp"} and not (to and NUMBER.fullmatch(to)):
        raise InvalidArgument(
            "to: must be a number in E.164 form, such as +4930123456, or {{customer.phone}} for the "
            "customer's own"
        )
    check_send_at(app, send_at)
    fields = own | {
        "from": from_number,
        "transactional_message_id": transactional_message_id,
        "message_data": message_data or None,
        "language": language,
        "send_at": send_at,
        "send_to_unsubscribed": None if send_to_unsubscribed else False,
        "tracked": None if tracked else False,
        "disable_message_retention": disable_message_retention or None,
        "queue_draft": queue_draft or None,
    }
    return await send(app, PATHS[channel], customer_id, id_type, fields)

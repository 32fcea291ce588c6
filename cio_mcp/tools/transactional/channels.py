"""Transactional messages by push, SMS, WhatsApp, in-app and inbox."""

import re
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import IdType, SendApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments.fitting import check_fit
from cio_mcp.toolkit.arguments.types import Address, CustomerId, ExceptPhone, JsonObject, Line, Text
from cio_mcp.toolkit.people.audience import DEVICE, OWN_NUMBER, Audience, reaches
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.words import AllowMissing
from cio_mcp.tools.transactional.push import CustomDevice, CustomPayload
from cio_mcp.tools.transactional.sending import (
    DRAFTED,
    AsDraft,
    AutoCreate,
    Language,
    MessageData,
    NotKept,
    Queued,
    SendAt,
    content_of,
    send,
    unsubscribed_get,
)
from cio_mcp.tools.transactional.templates import MessageId, template_of

tools = Toolbox(__name__)

# The arguments of each channel, beside those that all channels take (App API, "sendPush", "sendSMS",
# "sendWhatsApp", "sendInApp", "sendInboxMessage").
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

# A number, or Liquid that Customer.io fills in for the customer.
NUMBER = re.compile(r"\+[1-9][0-9]{1,14}|.*\{\{.+\}\}.*")


async def _reached(
    app: SendApi,
    channel: str,
    transactional_message_id: int | str,
    customer_id: str,
    id_type: IdType,
    to: str | None,
    custom_device: dict[str, Any] | None,
    message_data: dict[str, Any] | None,
    title: str | None,
    message: str | None,
    link: str | None,
    custom_payload: dict[str, Any] | None,
    language: str | None,
    send_to_unsubscribed: bool,
    queue_draft: bool,
) -> Audience:
    replaced = {"subject": title, "title": title, "body": message, "message": message, "link": link}
    # A number or device may belong to somebody other than the customer; other Liquid can be any number.
    own = not to or bool(OWN_NUMBER.fullmatch(to))
    if channel == "push":
        own = to in {None, "all", "last_used"} and not custom_device
        named = [DEVICE + (to or "all"), *([DEVICE + custom_device["token"]] if custom_device else [])]
    else:
        named = [] if own or to is None else [to]
    return Audience(
        "the customer" if own else "the customer, or the owner of the number or device that is named",
        1,
        addresses=named,
        own_number=channel != "push" and own and to is not None,
        people={id_type: [customer_id]},
        to_one=True,
        template=partial(template_of, app, transactional_message_id),
        content=None
        if custom_payload
        else content_of(app, transactional_message_id, message_data, language, replaced),
        instead=DRAFTED if queue_draft else "",
        if_unknown="a new customer would be created",
        if_unsubscribed=unsubscribed_get(channel, send_to_unsubscribed=send_to_unsubscribed),
    )


@tools.sends
@reaches(_reached)
async def send_transactional_message(
    app: SendApi,
    channel: Literal["push", "sms", "whatsapp", "in_app", "inbox"],
    transactional_message_id: Annotated[MessageId, Field(description="Template: id or trigger name.")],
    customer_id: CustomerId,
    id_type: ExceptPhone = "id",
    message_data: MessageData | None = None,
    to: Annotated[
        Address | None,
        Field(
            description="sms, whatsapp (required): +4930123456 or {{customer.phone}}. push: all (default), "
            "last_used or a device token."
        ),
    ] = None,
    from_number: Annotated[Line | None, Field(description="sms, whatsapp only: number to send from.")] = None,
    title: Annotated[Line | None, Field(description="push only.")] = None,
    message: Annotated[Text | None, Field(description="push only: the text.")] = None,
    image_url: Annotated[Line | None, Field(description="push only.")] = None,
    link: Annotated[Line | None, Field(description="push only: what a tap opens.")] = None,
    sound: Annotated[Literal["default", "none"] | None, Field(description="push only, on iOS.")] = None,
    custom_data: Annotated[JsonObject | None, Field(description="push only: strings for the app.")] = None,
    custom_device: Annotated[
        CustomDevice | None,
        Field(
            description="push only: a device to add and send to: {token, platform, last_used?, attributes?}."
        ),
    ] = None,
    custom_payload: Annotated[
        CustomPayload | None,
        Field(description="push only: {ios?, android?}, payloads that replace all other content."),
    ] = None,
    language: Language | None = None,
    send_at: SendAt = None,
    send_to_unsubscribed: Annotated[
        bool, Field(description="push, sms, whatsapp only; false: skip if the customer is unsubscribed.")
    ] = True,
    tracked: Annotated[bool, Field(description="sms, whatsapp only; false: do not track links.")] = True,
    disable_message_retention: NotKept = False,
    queue_draft: AsDraft = False,
    auto_create: AutoCreate = False,
    allow_missing: AllowMissing = False,  # noqa: ARG001 - the guard heeds it
) -> Queued:
    """Send one push, SMS, WhatsApp, in-app or inbox message to one person at once.

    What you pass replaces the template's own; an unknown customer is created. wait_for_delivery tells whether
    it arrived. For email use send_transactional_email.
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
        "auto_create": auto_create,
    }
    renamed = {
        "from_number": from_number,
        "send_to_unsubscribed=false": not send_to_unsubscribed,
        "tracked=false": not tracked,
    }
    check_fit(f"channel={channel}", own | renamed, TAKES[channel])
    if channel in {"sms", "whatsapp"} and not (to and NUMBER.fullmatch(to)):
        raise InvalidArgument(
            "to: must be a phone number in E.164 form, such as +4930123456, or {{customer.phone}} for the "
            "customer's own"
        )
    fields = own | {
        "from": from_number,
        "transactional_message_id": transactional_message_id,
        "message_data": message_data,
        "language": language,
        "send_at": send_at,
        "send_to_unsubscribed": send_to_unsubscribed,
        "tracked": tracked,
        "disable_message_retention": disable_message_retention,
        "queue_draft": queue_draft,
    }
    return await send(app, PATHS[channel], customer_id, id_type, fields)

"""Transactional email: one email to one person at once."""

from functools import partial
from typing import Annotated, Any

from pydantic import Field

from cio_mcp.client import IdType, SendApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments.addresses import THEIR_OWN, Recipient, Recipients, recipients
from cio_mcp.toolkit.arguments.headers import Headers
from cio_mcp.toolkit.arguments.types import CustomerId, ExceptPhone, Line, Text
from cio_mcp.toolkit.people.audience import Audience, reaches
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.words import AllowMissing
from cio_mcp.tools.transactional.attachments import Attachments
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


def _recipients(*texts: str | None) -> list[Recipient]:
    return [recipient for text in texts if text for recipient in recipients(text)]


async def _reached(
    app: SendApi,
    to: str,
    cc: str | None,
    bcc: str | None,
    customer_id: str,
    id_type: IdType,
    transactional_message_id: int | str | None,
    message_data: dict[str, Any] | None,
    subject: str | None,
    body: str | None,
    from_address: str | None,
    preheader: str | None,
    body_amp: str | None,
    reply_to: str | None,
    language: str | None,
    send_to_unsubscribed: bool,
    queue_draft: bool,
) -> Audience:
    found = _recipients(to, cc, bcc)
    replaced = {
        "subject": subject,
        "body": body,
        "body_amp": body_amp,
        "from": from_address,
        "preheader_text": preheader,
        "reply_to": reply_to,
    }
    own = [recipient for recipient in found if THEIR_OWN.fullmatch(recipient.address)]
    known = all(not recipient.liquid or recipient in own for recipient in found)
    return Audience(
        "the addresses in to, cc and bcc" + ("" if known else ", some known only to Customer.io"),
        len(found) if known else None,
        addresses=[recipient.address for recipient in found if recipient not in own],
        people={id_type: [customer_id]},
        to_one=known and len(found) == 1,
        blind_copies=bool(bcc),
        template=partial(template_of, app, transactional_message_id),
        content=content_of(app, transactional_message_id, message_data, language, replaced),
        instead=DRAFTED if queue_draft else "",
        if_unknown="a new customer would be created",
        if_unsubscribed=unsubscribed_get("email", send_to_unsubscribed=send_to_unsubscribed),
    )


@tools.sends
@reaches(_reached)
async def send_transactional_email(
    app: SendApi,
    to: Annotated[
        Recipients,
        Field(description="Address, or several separated by commas; at most 15 with cc and bcc."),
    ],
    customer_id: CustomerId,
    id_type: ExceptPhone = "id",
    transactional_message_id: Annotated[
        MessageId | None,
        Field(description="Template: id or trigger name; without it give body, subject and from_address."),
    ] = None,
    message_data: MessageData | None = None,
    from_address: Annotated[Line | None, Field(description="Such as Shop <shop@example.com>.")] = None,
    subject: Line | None = None,
    body: Annotated[Text | None, Field(description="HTML.")] = None,
    body_plain: Annotated[Text | None, Field(description="Default: made from body.")] = None,
    body_amp: Text | None = None,
    preheader: Line | None = None,
    reply_to: Line | None = None,
    cc: Recipients | None = None,
    bcc: Recipients | None = None,
    fake_bcc: Annotated[bool, Field(description="Send bcc as separate copies.")] = False,
    headers: Annotated[
        Headers | None,
        Field(description='X-… and List-…, such as {"X-Order": "42"}.'),
    ] = None,
    language: Language | None = None,
    send_at: SendAt = None,
    attachments: Annotated[
        Attachments | None,
        Field(description="Base64 by file name, under 2 MB in all."),
    ] = None,
    send_to_unsubscribed: Annotated[bool, Field(description="false: skip the unsubscribed.")] = True,
    tracked: Annotated[bool, Field(description="Track opens and clicks.")] = True,
    disable_message_retention: NotKept = False,
    disable_css_preprocessing: Annotated[bool, Field(description="Do not inline CSS.")] = False,
    queue_draft: AsDraft = False,
    auto_create: AutoCreate = False,
    allow_missing: AllowMissing = False,  # noqa: ARG001 - the guard heeds it
) -> Queued:
    """Send one email to one person, such as a receipt.

    It is recorded for customer_id; an unknown customer is created. What you pass replaces the template's own.
    list_customer_messages shows whether it arrived.
    """
    if (number := len(_recipients(to, cc, bcc))) > 15:
        raise InvalidArgument(f"to, cc, bcc: 1 to 15 recipients are allowed in all; these are {number}")
    given = {"body": body, "subject": subject, "from_address": from_address}
    if transactional_message_id is None and (missing := [name for name, value in given.items() if not value]):
        raise InvalidArgument(f"{', '.join(missing)}: required without transactional_message_id")
    if auto_create and transactional_message_id is None:
        raise InvalidArgument(
            "auto_create: needs transactional_message_id, the trigger name of the new template"
        )
    optional = {
        "transactional_message_id": transactional_message_id,
        "message_data": message_data,
        "from": from_address,
        "subject": subject,
        "body": body,
        "body_plain": body_plain,
        "body_amp": body_amp,
        "preheader": preheader,
        "reply_to": reply_to,
        "cc": cc,
        "bcc": bcc,
        "fake_bcc": fake_bcc,
        "headers": headers,
        "language": language,
        "send_at": send_at,
        "send_to_unsubscribed": send_to_unsubscribed,
        "tracked": tracked,
        "disable_message_retention": disable_message_retention,
        "disable_css_preprocessing": disable_css_preprocessing,
        "queue_draft": queue_draft,
        "auto_create": auto_create,
    }
    return await send(app, "/v1/send/email", customer_id, id_type, {"to": to} | optional, attachments)

"""Transactional email: one message to one person, now."""

import base64
import binascii
from email.utils import getaddresses
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from cio_mcp.client import AppApi, IdType, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Acted
from cio_mcp.toolkit.audience import Audience, reaches
from cio_mcp.toolkit.params import Address, CustomerId, JsonObject, Text, Timestamp, iso, size_of
from cio_mcp.toolkit.registry import Toolbox

transactional = Toolbox("transactional")

# App API, "sendEmail": in bytes, attachments counted once decoded.
ATTACHMENTS_LIMIT = 2_000_000
PAYLOAD_LIMIT = 1_000_000

FIND_OUT = (
    "Do not send it again before looking: list_customer_messages with customer_id={customer_id} and "
    "id_type={id_type} shows, some seconds later, whether it went out."
)


def _number_or_name(value: object) -> object:
    """Take a number as it is and text trimmed: a numeric text works too, and leaves as it came."""
    if isinstance(value, bool):
        message = "must be a number or a trigger name"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors
    return value.strip() if isinstance(value, str) else value


def _attachments(attachments: dict[str, Any]) -> dict[str, str]:
    total = 0
    for name, content in attachments.items():
        try:
            total += len(base64.b64decode(content, validate=True))
        except (binascii.Error, TypeError, ValueError):
            message = f"{name}: must be base64"
            raise ValueError(message) from None
    if total >= ATTACHMENTS_LIMIT:
        message = f"must be under {ATTACHMENTS_LIMIT} bytes in all, these are {total}"
        raise ValueError(message)
    return attachments


MessageId = Annotated[int | str, BeforeValidator(_number_or_name), WithJsonSchema({"type": "string"})]
Attachments = Annotated[JsonObject, AfterValidator(_attachments)]


class Queued(Acted):
    """Customer.io queued the message; it can still fail, which its delivery shows."""

    outcome: Literal["queued"] = Field("queued", description="Queued by Customer.io, not yet sent.")
    delivery_id: str
    queued_at: str | None = None
    send_at: str | None = None


def _recipients(to: str, cc: str | None, bcc: str | None) -> list[str]:
    """Return the addresses in to, cc and bcc; raises InvalidArgument for text that can be read otherwise."""
    given = [text for text in (to, cc, bcc) if text]
    found = [(name, address) for name, address in getaddresses(given) if name or address]
    if sum(text.count("@") for text in given) != sum(
        f"{name}{address}".count("@") for name, address in found
    ):
        raise InvalidArgument('to, cc, bcc: write addresses as a@example.com, or "Name" <a@example.com>')
    return [address for _, address in found]


async def _reached(
    app: AppApi,
    to: str,
    cc: str | None,
    bcc: str | None,
    customer_id: str,
    id_type: IdType,
    transactional_message_id: int | str | None,
) -> Audience:
    async def template() -> str:
        return await template_of(app, transactional_message_id)

    recipients = _recipients(to, cc, bcc)
    return Audience(
        "whom to, cc and bcc name",
        len(recipients),
        addresses=recipients,
        people={id_type: [customer_id]},
        to_one=len(recipients) == 1,
        blind_copies=bool(bcc),
        template=template,
    )


async def template_of(app: AppApi, number_or_name: int | str | None) -> str:
    """Return what is sent, in words."""
    if number_or_name is None:
        return "none: the call brings its own subject and body"
    if str(number_or_name).isdecimal():
        answer = await app.get("/v1/transactional/{number}", number=number_or_name)
        return f"transactional message {number_or_name}: {(answer.get('message') or {}).get('name')}"
    answer = await app.get("/v1/transactional")
    wanted = str(number_or_name).casefold()
    for message in answer.get("messages") or []:
        if str(message.get("trigger_name") or "").casefold() == wanted:
            return f"transactional message {message['id']}: {message.get('name')}"
    # Not every answer names its triggers, so a name that is not found may still be one.
    return f"transactional message {number_or_name}"


@transactional.sends
@reaches(_reached)
async def send_transactional_email(
    app: AppApi,
    to: Annotated[Address, Field(description="Address, or several separated by commas; 15 with cc and bcc.")],
    customer_id: CustomerId,
    id_type: IdType = "id",
    transactional_message_id: Annotated[
        MessageId | None,
        Field(description="Template: number or trigger name. Without it: body, subject, from_address."),
    ] = None,
    message_data: Annotated[JsonObject | None, Field(description="Values for the template.")] = None,
    from_address: Text | None = None,
    subject: Text | None = None,
    body: Annotated[Text | None, Field(description="HTML, in place of the template's.")] = None,
    body_plain: Text | None = None,
    preheader: Text | None = None,
    reply_to: Text | None = None,
    cc: Address | None = None,
    bcc: Address | None = None,
    headers: Annotated[JsonObject | None, Field(description="Header names and values.")] = None,
    language: Text | None = None,
    send_at: Annotated[
        Timestamp | None, Field(description="Later, within 90 days. What is past goes out now.")
    ] = None,
    attachments: Annotated[
        Attachments | None, Field(description="File names and base64 contents, under 2 MB in all.")
    ] = None,
    send_to_unsubscribed: bool = True,
    tracked: Annotated[bool, Field(description="Track opens and clicks.")] = True,
    disable_message_retention: bool = False,
    queue_draft: Annotated[bool, Field(description="Keep it as a draft for a person to send.")] = False,
) -> Queued:
    """Send one email to one person at once, such as a receipt. For many people use trigger_broadcast.

    customer_id is the person it is recorded for; an unknown one is created.
    """
    recipients = _recipients(to, cc, bcc)
    if not 0 < len(recipients) <= 15:
        raise InvalidArgument(
            f"to, cc, bcc: 1 to 15 recipients are allowed in all, these are {len(recipients)}"
        )
    given = {"body": body, "subject": subject, "from_address": from_address}
    if transactional_message_id is None and (missing := [name for name, value in given.items() if not value]):
        raise InvalidArgument(f"{', '.join(missing)}: needed without transactional_message_id")
    optional = {
        "transactional_message_id": transactional_message_id,
        "message_data": message_data or None,
        "from": from_address,
        "subject": subject,
        "body": body,
        "body_plain": body_plain,
        "preheader": preheader,
        "reply_to": reply_to,
        "cc": cc,
        "bcc": bcc,
        "headers": headers or None,
        "language": language,
        "send_at": send_at,
        "send_to_unsubscribed": None if send_to_unsubscribed else False,
        "tracked": None if tracked else False,
        "disable_message_retention": disable_message_retention or None,
        "queue_draft": queue_draft or None,
    }
    return await send(app, "/v1/send/email", customer_id, id_type, {"to": to} | optional, attachments)


async def send(
    app: AppApi,
    path: str,
    customer_id: str,
    id_type: IdType,
    fields: dict[str, Any],
    attachments: dict[str, str] | None = None,
) -> Queued:
    """Send one message of what is set in `fields`; raises InvalidArgument for one that is too large."""
    request = {
        "identifiers": {id_type: app.person(customer_id, id_type)},
        **{name: value for name, value in fields.items() if value is not None},
    }
    if (size := size_of(request)) > PAYLOAD_LIMIT:
        raise InvalidArgument(
            f"message_data, texts: at most {PAYLOAD_LIMIT} bytes without attachments, this is {size}"
        )
    if attachments:
        request["attachments"] = attachments
    answer = await app.post(
        path,
        request,
        kind=RequestKind.ONCE,
        if_unknown=FIND_OUT.format(customer_id=customer_id, id_type=id_type),
        expect="delivery_id",
    )
    return Queued(
        delivery_id=str(answer["delivery_id"]),
        queued_at=iso(answer.get("queued_at")),
        send_at=iso(answer.get("send_at")),
    )

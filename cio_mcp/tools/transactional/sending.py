"""Sending one message to one person, by any channel, and the arguments that all channels share."""

from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import IdType, RequestKind, SendApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.limits import MESSAGE_BYTES
from cio_mcp.toolkit.answers.reading import Fields, made
from cio_mcp.toolkit.answers.shapes import Acted
from cio_mcp.toolkit.arguments.sizes import excess
from cio_mcp.toolkit.arguments.times import SendTime
from cio_mcp.toolkit.arguments.types import JsonObject, Line
from cio_mcp.toolkit.texts.words import Sending

AutoCreate = Annotated[bool, Field(description="Create a template if none has this name.")]

FIND_OUT = (
    "Do not send it again yet: wait some seconds, then call list_customer_messages with "
    "customer_id={customer_id} and id_type={id_type} to see whether it went out."
)

MessageData = Annotated[
    JsonObject, Field(description='For the template: {"total": 25} fills {{trigger.total}}.')
]
Language = Annotated[Line, Field(description="Such as de.")]
SendAt = Annotated[
    SendTime | None,
    Field(description="ISO 8601, within 90 days. Default: now."),
]
NotKept = Annotated[bool, Field(description="Do not store the content.")]
AsDraft = Annotated[bool, Field(description="Create a draft that a person must send.")]


# What Customer.io does unless a request says otherwise (App API, "sendEmail"); any other flag is off.
ON = {"send_to_unsubscribed", "tracked"}

# What a send does with queue_draft.
DRAFTED = "Make a draft, which a person must send, of"

# A service account token cannot list messages.
ASK = "Do not send it again before a person has checked in Customer.io whether it went out."


class Queued(Acted):
    """A message that Customer.io queued. It can still fail."""

    outcome: Literal["queued"] = Field(
        "queued", description="Customer.io queued the message and has not sent it yet."
    )
    delivery_id: str = Field(
        description="Pass it to wait_for_delivery or get_message to learn what became of it."
    )
    queued_at: str | None = None
    send_at: str | None = None


def content_of(
    app: SendApi,
    template: int | str | None,
    data: dict[str, Any] | None,
    language: str | None,
    replaced: dict[str, str | None],
) -> Sending | None:
    """Return what a send sends; None where nothing of it can be read. `replaced` are fields of its own."""
    if template is not None and not app.reads:
        return None
    return Sending("transactional", template, [data or {}], "message_data", replaced, language)


def unsubscribed_get(channel: str, *, send_to_unsubscribed: bool) -> str:
    """Return what becomes of a message to somebody who is unsubscribed (App API, send_to_unsubscribed)."""
    if channel in {"in_app", "inbox"}:
        return "the message goes to them all the same"
    if not send_to_unsubscribed:
        return "they are skipped"
    return "it goes to them unless the template is set otherwise; send_to_unsubscribed=false skips them"


async def send(
    app: SendApi,
    path: str,
    customer_id: str,
    id_type: IdType,
    fields: dict[str, Any],
    attachments: dict[str, str] | None = None,
) -> Queued:
    """Send one message with the `fields` that say something; raises InvalidArgument if it is too large."""
    request = {
        "identifiers": {id_type: app.person(customer_id, id_type)},
        **{
            name: value
            for name, value in fields.items()
            if value not in (None, {}) and value is not (name in ON)
        },
    }
    if why := excess(request, MESSAGE_BYTES):
        raise InvalidArgument(f"message_data and texts: without attachments {why}")
    if attachments:
        request["attachments"] = attachments
    find_out = FIND_OUT.format(customer_id=customer_id, id_type=id_type) if app.reads else ASK
    answer = Fields(await app.post(path, request, kind=RequestKind.ONCE, if_unknown=find_out))
    return Queued(
        delivery_id=made(answer.text("delivery_id"), "delivery_id", find_out),
        queued_at=answer.time("queued_at"),
        send_at=answer.time("send_at"),
    )

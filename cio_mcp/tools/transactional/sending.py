"""Sending one message to one person, by any channel."""

from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import IdType, Kind, SendApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Acted
from cio_mcp.toolkit.params import size_of
from cio_mcp.toolkit.times import iso

# App API, "sendEmail": bytes of a request without its attachments.
PAYLOAD_LIMIT = 1_000_000

# How many seconds ago send_at may be: as long as a confirmation takes, the message still goes out.
LATE = 600

AutoCreate = Annotated[
    bool, Field(description="Where no template has this trigger name, create an empty one and use it.")
]

FIND_OUT = (
    "Do not send it again before looking: list_customer_messages with customer_id={customer_id} and "
    "id_type={id_type} shows, some seconds later, whether it went out."
)


# A service account token opens no list of messages.
ASK = "Do not send it again before a person has looked, in Customer.io, whether it went out."


class Queued(Acted):
    """Customer.io queued the message; it can still fail, which its delivery shows."""

    outcome: Literal["queued"] = Field("queued", description="Queued by Customer.io, not yet sent.")
    delivery_id: str
    queued_at: str | None = None
    send_at: str | None = None


def check_send_at(app: SendApi, send_at: int | None) -> None:
    """Raise InvalidArgument for a time that has passed: the message would go out at once."""
    if send_at is not None and send_at < app.call.called_at - LATE:
        raise InvalidArgument(
            f"send_at: {iso(send_at)} has passed, and the message would go out at once; correct it, or leave "
            "it out to send now"
        )


async def send(
    app: SendApi,
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
        kind=Kind.ONCE,
        if_unknown=FIND_OUT.format(customer_id=customer_id, id_type=id_type) if app.reads else ASK,
        expect="delivery_id",
    )
    return Queued(
        delivery_id=str(answer["delivery_id"]),
        queued_at=iso(answer.get("queued_at")),
        send_at=iso(answer.get("send_at")),
    )

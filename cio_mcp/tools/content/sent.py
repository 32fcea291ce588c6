"""Reading what a delivery said."""

from typing import Annotated, ClassVar

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Cut, Quoted
from cio_mcp.toolkit.arguments.types import ItemKey
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.bodies import body_texts

tools = Toolbox(__name__)


class SentMessage(Quoted, Cut):
    """What a message said to one customer."""

    # Values of attributes stand in these as text, where no rule can tell them from other words.
    quotes_attributes: ClassVar[frozenset[str]] = frozenset(
        {"sender", "subject", "preheader", "body", "links", "html", "url"}
    )

    delivery_id: str
    recipient: str | None = None
    sender: str | None = None
    reply_to: str | None = None
    subject: str | None = None
    preheader: str | None = None
    url: str | None = Field(None, description="The address, for a webhook.")
    body: str | None = Field(None, description="As text; [1] stands for the first of links.")
    links: list[str] | None = None
    html: str | None = Field(None, description="The body as it was sent.")
    forgotten: bool | None = Field(None, description="true: Customer.io did not keep the text.")
    left_today: int | None = Field(
        None, description="How many more can be read today; Customer.io allows 100 a day."
    )


@tools.reads
async def get_sent_message(
    app: AppApi,
    delivery_id: Annotated[ItemKey, Field(description="From a send or a list of messages.")],
    html: Annotated[bool, Field(description="Include the HTML.")] = False,
) -> SentMessage:
    """Read what one sent message (delivery) said: subject and body. At most 100 a day.

    To read the message as set up for everyone, use get_content.
    """
    path = "/v1/messages/{delivery_id}/archived_message"
    answer = Fields(await app.get(path, delivery_id=delivery_id))
    item = answer.inside("archived_message", "id", "body", "subject", "forgotten")
    return SentMessage(
        delivery_id=delivery_id,
        recipient=item.text("recipient"),
        sender=item.text("from"),
        reply_to=item.text("reply_to"),
        subject=item.text("subject"),
        preheader=item.text("preheader_text"),
        url=item.text("url"),
        forgotten=item.flag("forgotten") or None,
        left_today=app.call.quota_left,
        **body_texts(item.text("body") or "", app.call.conceal, html=html),
    )

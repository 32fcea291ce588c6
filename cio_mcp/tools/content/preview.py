"""Showing a message as one person would get it."""

import asyncio
from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.liquid import Meter
from cio_mcp.toolkit.answers.shapes import Cut, Quoted
from cio_mcp.toolkit.arguments.types import CustomerId, ItemKey, JsonObject, Line, ObjectId
from cio_mcp.toolkit.people.filters import Filter
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.bodies import body_texts
from cio_mcp.toolkit.texts.data import fit
from cio_mcp.toolkit.texts.design_studio import rendered_email
from cio_mcp.toolkit.texts.messages import message_number, read_snippets, read_texts, the_one
from cio_mcp.toolkit.texts.rendering import RenderedText, attributes_of, data_of, rendered_text
from cio_mcp.toolkit.texts.variables import variables_of
from cio_mcp.tools.content.examples import Example, audience_of, chosen, people_with

tools = Toolbox(__name__)


class RenderedMessage(Quoted, Cut):
    """A message as one person would get it."""

    rendered_by: Literal["cio-mcp", "customer.io"] = Field(
        "cio-mcp",
        description="cio-mcp: this server rendered it, as far as Customer.io's Liquid is documented.",
    )
    part_id: int | None = None
    language: str | None = None
    channel: str | None = None
    sender: str | None = None
    recipient: str | None = None
    subject: str | None = None
    preheader: str | None = None
    body: str | None = Field(None, description="As text; [1] stands for the first of links.")
    links: list[str] | None = None
    html: str | None = None
    fails: list[str] | None = Field(
        None, description="Why Customer.io would not send it: variables without a value, wrong Liquid."
    )
    empty: list[str] | None = Field(None, description="Variables whose value prints nothing.")
    defaults_used: list[str] | None = Field(None, description="Variables for which a default stands.")
    unused_data: list[str] | None = Field(None, description="Keys of data that the message does not use.")
    not_read: list[str] | None = Field(
        None, description="Variables whose values this server does not know; printed as nothing here."
    )
    unknown: list[str] | None = Field(None, description="Liquid filters and tags that are not known here.")
    customer: str | None = Field(
        None, description="For an audience: a typical person, whose message this is."
    )
    others: list[Example] | None = Field(
        None, description="For an audience: the people with the most missing values and the longest text."
    )
    looked_at: int | None = Field(
        None, description="For an audience: the number of people that the three were chosen from."
    )


@tools.reads
async def preview_message(
    app: AppApi,
    kind: Literal["campaign", "broadcast", "newsletter", "transactional", "design_studio"],
    message_id: Annotated[ItemKey, Field(description="As in get_content; for design_studio, the email_id.")],
    customer_id: CustomerId | None = None,
    id_type: AnyIdType = "id",
    recipients: Annotated[
        Filter | None,
        Field(description="Instead of a customer: a filter as in search_customers; shows three people."),
    ] = None,
    data: Annotated[
        JsonObject | None,
        Field(description="data or message_data of the send; for a campaign, its event's data."),
    ] = None,
    part_id: Annotated[
        ObjectId | None, Field(description="Which action or content, if there are several.")
    ] = None,
    language: Annotated[Line | None, Field(description="Default: the message's own.")] = None,
    html: Annotated[bool, Field(description="Include the HTML.")] = False,
) -> RenderedMessage:
    """Show a message as one customer would get it with this data, and what is missing. Sends nothing."""
    if recipients and (customer_id or kind == "design_studio"):
        raise InvalidArgument(
            "recipients: give recipients or customer_id, and for Design Studio only customer_id"
        )
    if kind == "design_studio":
        return await _by_customerio(app, message_id, language, customer_id, id_type, data or {}, html=html)
    number = await message_number(app, kind, message_id)
    texts = await read_texts(app, kind, number, part_id, language)
    text = the_one(texts)
    uses_snippets = any("snippets" in part for part in text.written.values())
    customers, snippets = await asyncio.gather(
        _customers(app, customer_id, id_type, recipients),
        read_snippets(app) if uses_snippets else _nothing(),
    )
    given, hide = data or {}, app.call.conceal
    unread = frozenset({"customer"} if not (customer_id or recipients) else ()) | (
        frozenset({"event", "trigger"}) if kind == "campaign" and data is None else frozenset()
    )

    def here(customer: dict[str, Any]) -> RenderedText:
        # Hidden before it is rendered: in the text no rule could tell a name from other words.
        filled = data_of(kind, text, hide(customer), given, snippets)
        return rendered_text(text, filled, app.call.called_at, unread, Meter())

    people = await people_with(customers, here, hide)
    typical, others = chosen(people)
    found = typical.shown
    fits = fit(variables_of(text.written, snippets, Meter()), [given], sources=("trigger", "event"))
    return RenderedMessage(
        part_id=text.number,
        language=text.language,
        channel=text.fields.text("type"),
        sender=found.parts.get("from"),
        recipient=found.parts.get("recipient"),
        subject=found.parts.get("subject"),
        preheader=found.parts.get("preheader_text"),
        fails=found.fails or None,
        empty=found.empty or None,
        defaults_used=found.defaulted or None,
        unused_data=[*fits.spare] or None,
        not_read=found.not_read or None,
        unknown=found.unknown or None,
        customer=typical.name if recipients else None,
        others=others or None,
        looked_at=len(people) if recipients else None,
        **body_texts(found.parts.get("body", ""), hide, html=html),
    )


async def _customers(
    app: AppApi, customer_id: str | None, id_type: AnyIdType, recipients: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Return the attributes of the customers whom the message is shown for; none are known of nobody."""
    if recipients:
        return await audience_of(app, recipients)
    return [await attributes_of(app, customer_id, id_type) if customer_id else {}]


async def _by_customerio(
    app: AppApi,
    email_id: str,
    language: str | None,
    customer_id: str | None,
    id_type: AnyIdType,
    data: dict[str, Any],
    *,
    html: bool,
) -> RenderedMessage:
    """Return an email of Design Studio as Customer.io's own preview shows it."""
    found, fails = await rendered_email(app, email_id, language, customer_id, id_type, data)
    return RenderedMessage(
        rendered_by="customer.io",
        language=found.text("language"),
        sender=found.text("from"),
        subject=found.text("subject"),
        preheader=found.text("preheader_text"),
        fails=fails or None,
        **body_texts(found.text("html") or "", app.call.conceal, html=html),
    )


async def _nothing() -> dict[str, str]:
    return {}

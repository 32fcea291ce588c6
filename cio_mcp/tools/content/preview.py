"""Showing a message as one person would get it."""

import asyncio
from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.liquid import Meter
from cio_mcp.toolkit.answers import Cut, Quoted
from cio_mcp.toolkit.design_studio import rendered
from cio_mcp.toolkit.params import CustomerId, ItemKey, JsonObject, Line, ObjectId
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.bodies import body_of
from cio_mcp.toolkit.texts.messages import message_number, read_snippets, read_texts, the_one
from cio_mcp.toolkit.texts.rendering import attributes_of, data_of, shown
from cio_mcp.toolkit.texts.variables import variables_of

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


@tools.reads
async def preview_message(
    app: AppApi,
    kind: Literal["campaign", "broadcast", "newsletter", "transactional", "design_studio"],
    message_id: Annotated[ItemKey, Field(description="As in get_content; of design_studio the email_id.")],
    customer_id: CustomerId | None = None,
    id_type: AnyIdType = "id",
    data: Annotated[
        JsonObject | None,
        Field(description="data, message_data, or of a campaign the data of its event."),
    ] = None,
    part_id: Annotated[
        ObjectId | None, Field(description="Which action or content, if there are several.")
    ] = None,
    language: Annotated[Line | None, Field(description="Default: the message's own.")] = None,
    html: Annotated[bool, Field(description="Add the HTML.")] = False,
) -> RenderedMessage:
    """Show a message as one customer would get it with this data, and what is missing. Sends nothing."""
    if kind == "design_studio":
        return await _by_customerio(app, message_id, language, customer_id, id_type, data or {}, html=html)
    number = await message_number(app, kind, message_id)
    texts = await read_texts(app, kind, number, part_id, language)
    text = the_one(texts)
    uses_snippets = any("snippets" in part for part in text.written.values())
    customer, snippets = await asyncio.gather(
        attributes_of(app, customer_id, id_type) if customer_id else _nothing(),
        read_snippets(app) if uses_snippets else _nothing(),
    )
    given = data or {}
    unread = frozenset({"customer"} if customer_id is None else ()) | (
        frozenset({"event", "trigger"}) if kind == "campaign" and data is None else frozenset()
    )
    # Hidden before it is rendered: in the text no rule could tell a name from other words.
    filled = data_of(kind, text, app.call.conceal(customer), given, snippets)
    meter = Meter()
    found = shown(text, filled, app.call.called_at, unread, meter)
    used = variables_of(text.written, snippets, meter).keys_of({"trigger", "event"})
    printed = found.parts.get("body", "")
    body = body_of(printed, app.call.conceal, html=html)
    fails = found.faults + [f"{path} has no value" for path in found.missing if not _told(path, found.faults)]
    return RenderedMessage(
        part_id=text.number,
        language=text.fields.text("language"),
        channel=text.fields.text("type"),
        sender=found.parts.get("from"),
        recipient=found.parts.get("recipient"),
        subject=found.parts.get("subject"),
        preheader=found.parts.get("preheader_text"),
        body=body.text,
        links=body.links,
        html=body.html,
        fails=fails or None,
        empty=found.empty or None,
        defaults_used=found.defaulted or None,
        unused_data=[key for key in given if key not in used] or None,
        not_read=found.not_read or None,
        unknown=found.unknown or None,
        left_out=body.left_out,
    )


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
    found, fails = await rendered(app, email_id, language, customer_id, id_type, data)
    body = body_of(found.text("html") or "", app.call.conceal, html=html)
    return RenderedMessage(
        rendered_by="customer.io",
        language=found.text("language"),
        channel="email",
        sender=found.text("from"),
        subject=found.text("subject"),
        preheader=found.text("preheader_text"),
        body=body.text,
        links=body.links,
        html=body.html,
        fails=fails or None,
        left_out=body.left_out,
    )


async def _nothing() -> dict[str, str]:
    return {}


def _told(path: str, faults: list[str]) -> bool:
    return any(f"'{path}'" in fault for fault in faults)

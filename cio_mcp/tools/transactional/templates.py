"""Transactional messages: templates of messages to one person."""

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from cio_mcp.client import AppApi, SendApi
from cio_mcp.toolkit.answers.pages import newest_first, page_by_id
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Numbered, Page
from cio_mcp.toolkit.arguments.types import CountCursor, Naming, as_id, one_line
from cio_mcp.toolkit.people.audience import MessageSetup
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

PATH = "/v1/transactional/{transactional_message_id}"


def _number_or_name(value: object) -> int | str:
    """Return a number as it is, and text trimmed; the API takes a number as text too."""
    try:
        text = as_id(value).strip()
    except ValueError:
        message = "must be an id or a trigger name"
        raise ValueError(message) from None
    if not text:
        message = "must not be blank; give an id or a trigger name, or leave it out"
        raise ValueError(message)
    return one_line(text) if isinstance(value, str) else int(text)


MessageId = Annotated[int | str, BeforeValidator(_number_or_name), Naming, WithJsonSchema({"type": "string"})]


class TransactionalMessage(Numbered):
    """A template of messages to one person."""

    trigger_name: str | None = Field(None, description="Can be used in sends instead of the id.")
    description: str | None = None
    send_to_unsubscribed: bool | None = None
    queue_drafts: bool | None = Field(
        None, description="true: each send becomes a draft, which a person must send in Customer.io."
    )
    updated: str | None = None


class TransactionalMessages(Page):
    """Transactional messages, newest first."""

    messages: list[TransactionalMessage]


@tools.reads
async def list_transactional_messages(
    app: AppApi, cursor: CountCursor | None = None
) -> TransactionalMessages:
    """List transactional messages (templates) with their ids and trigger names, newest first."""
    # The endpoint takes no parameters and returns everything at once (App API, listTransactional).
    answer = Fields(await app.get("/v1/transactional"))
    found = [_message(item) for item in newest_first(answer.listed("messages"), cursor)]
    kept, next_cursor, left_out = page_by_id(found, len(found))
    return TransactionalMessages(messages=kept, next_cursor=next_cursor, left_out=left_out)


def _message(item: Fields) -> TransactionalMessage:
    return TransactionalMessage(
        id=item.whole("id"),
        name=item.text("name"),
        trigger_name=item.text("trigger_name"),
        description=item.text("description"),
        send_to_unsubscribed=item.flag("send_to_unsubscribed"),
        queue_drafts=item.flag("queue_drafts"),
        updated=item.time("updated_at", "created_at"),
    )


async def template_of(app: SendApi, number_or_name: int | str | None) -> MessageSetup:
    """Return what the template is called, for a preview."""
    if number_or_name is None:
        return MessageSetup("no template: the call has its own subject and body")
    if not app.reads:
        return MessageSetup(f"transactional message {number_or_name}")
    if str(number_or_name).isdecimal():
        named = await app.get(PATH, transactional_message_id=number_or_name)
        return _template(number_or_name, Fields(named).wrapped("message"))
    answer = Fields(await app.get("/v1/transactional"))
    wanted = str(number_or_name).casefold()
    for message in answer.objects("messages") or []:
        if (message.text("trigger_name") or "").casefold() == wanted:
            return _template(message.whole("id"), message)
    # Not every answer includes trigger names, so a name that is not found can still be valid.
    return MessageSetup("transactional message", str(number_or_name))


def _template(number: int | str | None, message: Fields) -> MessageSetup:
    drafts = message.flag("queue_drafts") is True
    return MessageSetup(f"transactional message {number}", message.text("name") or "", drafts)

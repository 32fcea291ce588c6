"""Transactional messages: the templates that are sent to one person at a time."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from cio_mcp.client import AppApi, SendApi
from cio_mcp.toolkit.answers import Numbered, Page, newest, page_by_id
from cio_mcp.toolkit.params import CountCursor
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import iso

tools = Toolbox(__name__)


def _number_or_name(value: object) -> object:
    """Take a number as it is and text trimmed: a numeric text works too, and leaves as it came."""
    if isinstance(value, bool):
        message = "must be a number or a trigger name"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors
    if isinstance(value, str) and not (value := value.strip()):
        message = "is blank: name a template, or leave it out"
        raise ValueError(message)
    return value


MessageId = Annotated[int | str, BeforeValidator(_number_or_name), WithJsonSchema({"type": "string"})]


class TransactionalMessage(Numbered):
    """A template that is sent to one person at a time."""

    trigger_name: str | None = Field(None, description="Names it in a send, as its id does.")
    description: str | None = None
    send_to_unsubscribed: bool | None = None
    queue_drafts: bool | None = Field(None, description="True: each send waits as a draft for a person.")
    updated: str | None = None


class TransactionalMessages(Page):
    """Transactional messages, newest first."""

    messages: list[TransactionalMessage]


@tools.reads
async def list_transactional_messages(
    app: AppApi, cursor: CountCursor | None = None
) -> TransactionalMessages:
    """List transactional messages (templates), newest first."""
    # The endpoint takes no parameters and answers everything at once (App API, listTransactional).
    answer = await app.get("/v1/transactional")
    found = [_message(item) for item in newest(answer.get("messages"), cursor)]
    kept, next_cursor, left_out = page_by_id(found, len(found))
    return TransactionalMessages(messages=kept, next_cursor=next_cursor, left_out=left_out)


def _message(item: dict[str, Any]) -> TransactionalMessage:
    return TransactionalMessage(
        id=int(item["id"]),
        name=str(item.get("name") or ""),
        trigger_name=item.get("trigger_name") or None,
        description=item.get("description") or None,
        send_to_unsubscribed=item.get("send_to_unsubscribed"),
        queue_drafts=item.get("queue_drafts"),
        updated=iso(item.get("updated_at") or item.get("created_at")),
    )


async def template_of(app: SendApi, number_or_name: int | str | None) -> str:
    """Return what is sent, in words."""
    if number_or_name is None:
        return "none: the call brings its own subject and body"
    if not app.reads:
        return f"transactional message {number_or_name}"
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

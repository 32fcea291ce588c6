"""Changing what messages say, and bringing back what they said."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cio_mcp.client import AppApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Acted
from cio_mcp.toolkit.arguments.types import ItemKey, Line, Naming, ObjectId, one_line
from cio_mcp.toolkit.arguments.types import Text as Written
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.difference import difference
from cio_mcp.toolkit.texts.edits import FIELDS, Edit, Pairs, replaced_in, values_of
from cio_mcp.toolkit.texts.history import History
from cio_mcp.toolkit.texts.messages import Kind, Text, message_number, read_texts, the_one

tools = Toolbox(__name__)


MessageId = Annotated[ItemKey, Field(description="As in get_content.")]
PartId = Annotated[ObjectId | None, Field(description="Which action or content, if there are several.")]


class ContentUpdated(Acted):
    """A changed text of a message."""

    outcome: Literal["updated"] = Field("updated", description="Messages sent from now on use the new text.")
    part_id: int | None = None
    language: str | None = None
    changes: dict[str, list[str]] = Field(
        description="What changed, by field: removed lines begin with -, added lines with +."
    )
    change_id: int = Field(description="Pass it to restore_content to undo this change.")
    not_taken: list[str] | None = Field(
        None, description="Fields that Customer.io returned with values other than those sent."
    )


async def _text_of(
    app: AppApi, kind: Kind, message_id: str, part_id: int | None, language: str | None
) -> tuple[int, Text]:
    number = await message_number(app, kind, message_id)
    if kind == "newsletter":
        answer = Fields(await app.get("/v1/newsletters/{newsletter_id}", newsletter_id=number))
        if sent := answer.wrapped("newsletter").time("sent_at"):
            raise InvalidArgument(f"message_id: newsletter {number} was sent on {sent}; nobody gets it again")
    return number, the_one(await read_texts(app, kind, number, part_id, language))


async def _changed(app: AppApi, history: History, edit: Edit) -> ContentUpdated:
    number, not_taken = await edit.write(app, history)
    return ContentUpdated(
        part_id=edit.text.number,
        language=edit.text.language,
        changes={name: difference(before, after) for name, (before, after) in edit.pairs.items()},
        change_id=number,
        not_taken=not_taken or None,
    )


def _in_language(kind: Kind, language: str | None) -> str | None:
    """Return the language of a path; contents have an id of their own in each."""
    return language if kind in {"campaign", "broadcast"} else None


@tools.writes
@affects(Consequence.CONTENT)
async def update_content(
    app: AppApi,
    history: History,
    kind: Kind,
    message_id: MessageId,
    part_id: PartId = None,
    language: Annotated[Line | None, Field(description="Default: the message's own.")] = None,
    subject: Line | None = None,
    preheader: Annotated[str, AfterValidator(one_line), Naming] | None = None,
    body: Annotated[Written | None, Field(description="The whole body: HTML, or the text of an SMS.")] = None,
    replace: Annotated[
        Pairs | None, Field(description="Instead of body: parts of the body, each with its new text.")
    ] = None,
    body_amp: Annotated[str | None, Naming] = None,
    sender_id: Annotated[ObjectId | None, Field(description="Id of a sender identity.")] = None,
    reply_to_id: Annotated[
        ObjectId | None, Field(description="Id of a sender identity, for replies.")
    ] = None,
) -> ContentUpdated:
    """Change a text of a message, live or draft. Every message sent from then on uses the new text.

    Fields that you leave out keep their values. restore_content undoes the change. For texts made in Design
    Studio use update_email.
    """
    number, found = await _text_of(app, kind, message_id, part_id, language)
    if replace and body:
        raise InvalidArgument("replace: cannot be combined with body")
    if replace:
        body = replaced_in(found.fields.text("body") or "", replace)
    given = {
        "subject": subject,
        "preheader": preheader,
        "body": body,
        "body_amp": body_amp,
        "sender_id": sender_id,
        "reply_to_id": reply_to_id,
    }
    if all(value is None for value in given.values()):
        raise InvalidArgument("subject, body, replace or another part of the text is needed")
    values = values_of(kind, found, given)
    return await _changed(app, history, Edit(kind, number, found, values, _in_language(kind, language)))


@tools.writes
@affects(Consequence.CONTENT)
async def restore_content(
    app: AppApi,
    history: History,
    kind: Kind,
    message_id: MessageId,
    part_id: PartId = None,
    language: Annotated[Line | None, Field(description="As in update_content.")] = None,
    change_id: Annotated[ObjectId | None, Field(description="Default: the last change.")] = None,
) -> ContentUpdated:
    """Undo a change that update_content made, through this server or another.

    The last ten changes of a text are kept for 90 days. An unknown change_id is refused with a list of them.
    """
    number, found = await _text_of(app, kind, message_id, part_id, language)
    edit = Edit(kind, number, found, {}, _in_language(kind, language))
    changes = await history.of(edit.name)
    if not changes:
        raise InvalidArgument("message_id: no change of this text is kept")
    change = changes.get(change_id or next(iter(changes)))
    if change is None:
        kept = "; ".join(
            f"{number} of {before.changed_at} ({', '.join(before.fields)})"
            for number, before in changes.items()
        )
        raise InvalidArgument(f"change_id: is no change of this text; kept changes are {kept}")
    values = values_of(kind, found, _arguments(change.fields))
    return await _changed(app, history, Edit(kind, number, found, values, edit.in_language))


def _arguments(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what fields held as arguments; a sender that was none cannot be written."""
    return {name: fields.get(field) for name, field in FIELDS.items() if field in fields}

"""The texts of a message, read by its kind and id."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from cio_mcp.client import AppApi
from cio_mcp.errors import InvalidArgument, Refused
from cio_mcp.toolkit.answers.reading import Fields, unusable

Kind = Literal["campaign", "broadcast", "newsletter", "transactional"]

# Pages, of ten actions each, of a campaign that are looked through (App API, listCampaignActions).
PAGES = 10

# How a language is refused that an action does not have: the documents say 400, and 404 what is not there.
NO_LANGUAGE = {400, 404}

# Types of actions that say something to somebody. Others have no text, but for types that are new.
MESSAGES = {
    "email",
    "push",
    "twilio",
    "sms",
    "in_app",
    "inbox",
    "whatsapp",
    "slack",
    "webhook",
    "urban_airship",
}

# Where the texts of each kind are, and the name of the list of them. The language of an action is a path of
# its own; the parts of other messages have it among themselves.
_ROUTES: dict[Kind, tuple[str, str]] = {
    "campaign": ("/v1/campaigns/{message_id}/actions", "action"),
    "broadcast": ("/v1/broadcasts/{message_id}/actions", "action"),
    "newsletter": ("/v1/newsletters/{message_id}/contents", "content"),
    "transactional": ("/v1/transactional/{message_id}/contents", "content"),
}

# Fields that Liquid is rendered in, in the order in which people read them.
WRITTEN = (
    *("from", "reply_to", "recipient", "cc", "bcc", "subject", "preheader_text", "body", "body_amp"),
    *("headers", "url", "link", "image_url", "title", "message"),
)


@dataclass(frozen=True)
class Text:
    """One text of a message: an action's, or a variant's in one language."""

    fields: Fields

    @property
    def number(self) -> int | None:
        """The id of the action or content."""
        return self.fields.whole("id")

    @cached_property
    def language(self) -> str | None:
        """Its language; None for the default one."""
        return self.fields.text("language")

    @cached_property
    def sending_state(self) -> str | None:
        """What becomes of the message: sent automatically, a draft for a person, or off."""
        return self.fields.text("sending_state")

    def with_fields(self, given: Mapping[str, Any]) -> "Text":
        """Return the text with some of its fields replaced; None replaces none."""
        told = {name: value for name, value in given.items() if value is not None}
        return Text(Fields(self.fields.raw | told)) if told else self

    @property
    def says_something(self) -> bool:
        """Whether this is a message: steps of a workflow are listed with them."""
        return (self.fields.text("type") or "email") in MESSAGES or bool(self.fields.text("subject", "body"))

    @cached_property
    def written(self) -> dict[str, str]:
        """The parts that hold text, by field; without the recipient that all messages have."""
        found = {name: text for name in WRITTEN if (text := self.fields.text(name))}
        if "".join(found.get("recipient", "").split()) == "{{customer.email}}":
            del found["recipient"]
        return found


async def read_texts(
    app: AppApi, kind: Kind, message_id: int, part_id: int | None = None, language: str | None = None
) -> list[Text]:
    """Return the texts of a message, or the one that is asked for; raises Refused.

    `part_id` is that of an action or of a content.
    """
    route, envelope = _ROUTES[kind]
    if part_id is not None:
        ids: dict[str, object] = {"message_id": message_id, "part_id": part_id}
        path = f"{route}/{{part_id}}"
        if language and envelope == "action":
            path, ids = f"{path}/language/{{language}}", ids | {"language": language}
        return [Text(_inside(Fields(await app.get(path, None, **ids)), envelope))]
    if language and envelope == "content":
        path = f"{route.removesuffix('/contents')}/language/{{language}}"
        answer = Fields(await app.get(path, message_id=message_id, language=language))
        return [Text(_inside(answer, envelope))]
    found = [Text(item) for item in await _listed(app, route, f"{envelope}s", message_id)]
    if envelope == "action":
        found = [text for text in found if text.says_something]
    return await _in_language(app, kind, message_id, found, language) if language else found


async def _in_language(
    app: AppApi, kind: Kind, message_id: int, actions: list[Text], language: str
) -> list[Text]:
    """Return the texts of actions in a language; raises InvalidArgument if there is none.

    Live: a broadcast's actions are listed in each language. A campaign's are not, so each is asked for it.
    """

    async def of(action: Text) -> list[Text]:
        try:
            return await read_texts(app, kind, message_id, action.number, language)
        except Refused as refused:
            if refused.status not in NO_LANGUAGE:
                raise
            return []

    if listed := [text for text in actions if text.language == language]:
        return listed
    asked = [text for text in actions if text.number is not None and not text.language]
    if found := [text for texts in await asyncio.gather(*map(of, asked)) for text in texts]:
        return found
    others = ", ".join(sorted({text.language for text in actions if text.language}))
    parts = ", ".join(str(text.number) for text in asked[:10]) + (", ..." if asked[10:] else "")
    looked = f"; looked in part {parts}" if asked else ""
    raise InvalidArgument(
        f"language: no text of this message is in this language{looked}"
        + (f"; there are {others}" if others else "")
    )


async def _listed(app: AppApi, route: str, name: str, message_id: int) -> list[Fields]:
    """Return all parts of a message; only those of campaigns come in pages."""
    found, start = list[Fields](), None
    for _ in range(PAGES if "campaigns" in route else 1):
        answer = Fields(await app.get(route, {"start": start}, message_id=message_id))
        found += answer.listed(name)
        if (start := answer.following()) is None:
            break
    return found


def _inside(answer: Fields, envelope: str) -> Fields:
    """Return the text in an answer; the spec types some as an array."""
    inner: Any = answer.raw.get(envelope)
    found = Fields(inner[0]) if isinstance(inner, list) and inner else answer.wrapped(envelope)
    if all(found.raw.get(name) is None for name in ("id", "body", "subject", "type")):
        raise unusable(f"it has no {envelope}")
    return found


def the_one(texts: list[Text]) -> Text:
    """Return the text that is meant: the only one, or the only one in the default language."""
    default = [text for text in texts if not text.language]
    for found in (texts, default):
        if len(found) == 1:
            return found[0]
    if not texts:
        raise Refused("This message has no text.", do="Read it with get_content.")
    names = ", ".join(f"{text.number} ({text.fields.text('name', 'subject') or ''})" for text in texts[:10])
    raise InvalidArgument(f"part_id: is needed, since there are several texts: {names}")


async def message_number(app: AppApi, kind: Kind, name: str) -> int:
    """Return the number of a message by its number or, if transactional, its trigger name.

    Raises InvalidArgument.
    """
    if name.isdecimal():
        return int(name)
    if kind != "transactional":
        raise InvalidArgument(f"message_id: must be the number of the {kind}")
    for message in Fields(await app.get("/v1/transactional")).listed("messages"):
        number = message.whole("id")
        if number is not None and (message.text("trigger_name") or "").casefold() == name.casefold():
            return number
    # Not every answer includes trigger names, so a name that is not found can still be one.
    raise InvalidArgument(
        f"message_id: no transactional message with this id or name was found: {name[:100]}; "
        "list_transactional_messages has the ids"
    )


async def read_snippets(app: AppApi) -> dict[str, str]:
    """Return the workspace's snippets by name; raises Refused."""
    snippets = Fields(await app.get("/v1/snippets")).listed("snippets")
    return {name: item.text("value") or "" for item in snippets if (name := item.text("name"))}

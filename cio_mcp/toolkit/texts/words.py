"""The texts that a send sends: read once for many sends, and compared with those that a preview showed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import Field

from cio_mcp.client import AppApi, Call
from cio_mcp.client.read_cache import NotYet
from cio_mcp.errors import CustomerIOError, InvalidArgument
from cio_mcp.toolkit.answers.quoting import quoted
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.texts.checking import MessageCheck, check_message, uses_in
from cio_mcp.toolkit.texts.data import ALLOWED, Fit, fit
from cio_mcp.toolkit.texts.messages import Kind, Text, message_number, read_snippets, read_texts
from cio_mcp.toolkit.texts.readable import readable

AllowMissing = Annotated[bool, Field(description="Send even if data is missing.")]

# The key under which the workspace's snippets are kept.
SNIPPETS = "snippets"

# What stands before a snippet's name, among the fields of a message.
SNIPPET = "snippet "

# The stamp of texts that cannot be read: a code that is issued then is not for those that can be later.
UNREAD = {"what could not be read": "unread"}

# Lines of a body that a difference shows, and characters of each.
LINES, LINE = 3, 100


@dataclass(frozen=True)
class Sending:
    """What a call sends: a message of a kind, by its number or trigger name, and what fills it.

    `message` is None where the call has all texts itself. `sets` are the data of each person, or one for
    all, from the argument of that name, if it takes data; None where they are not known. `whose` are the
    identifiers of those persons, in the same order. `instead` are fields that the call has in place of the
    message's own. `way_out` says what to do where data is missing.
    """

    kind: Kind
    message: int | str | None
    sets: Sequence[Mapping[str, Any]] | None = None
    argument: str = ""
    instead: Mapping[str, Any] = field(default_factory=dict)
    language: str | None = None
    whose: Sequence[str] = ()
    way_out: str = ALLOWED

    def data_of(self, name: str | None) -> Mapping[str, Any] | None:
        """Return the data of a person, of somebody unnamed that of the first; None if it is not known."""
        if self.sets is None:
            return None
        own = dict(zip(self.whose, self.sets, strict=False)).get(name or "")
        return next(iter(self.sets), {}) if own is None else own


@dataclass(frozen=True)
class Words:
    """The texts of a message as they are now, and before they were read for this call, if they were.

    `snippets` are None where they are not known; `unread` tells what could not be read of the texts, and
    `without` of the snippets.
    """

    texts: tuple[Text, ...] = ()
    before: "Words | None" = None
    unread: str = ""
    snippets: Mapping[str, str] | None = None
    without: str = ""

    def sent(self, content: Sending) -> list[Text]:
        """Return the texts that a call sends: in its language, with its own fields in them.

        What goes to many goes to each in their own language: all texts, those in the default language first.
        """
        texts = [text for text in self.texts if text.sending_state != "off"] or [*self.texts]
        language = content.language or None
        found = [text for text in texts if text.language == language]
        if content.kind != "transactional":
            found += [text for text in texts if text.language != language]
        return [text.with_fields(content.instead) for text in found or texts]

    def are_drafts(self, content: Sending) -> bool:
        """Say whether all that a call sends waits as drafts until a person sends it."""
        texts = self.sent(content)
        return bool(texts) and all(text.sending_state == "draft" for text in texts)

    def fit(self, content: Sending) -> Fit:
        """Return how the data of a call fits what it sends."""
        return fit(uses_in(self.sent(content), self.snippets), content.sets, content.whose)

    def checked(
        self, content: Sending, call: Call, name: str | None, customer: Mapping[str, Any] | None
    ) -> MessageCheck:
        """Return what the call says to a person, of whom the attributes are None if they are not known."""
        known = {"customer": customer, "trigger": content.data_of(name), "snippets": self.snippets}
        filled = {root: values for root, values in known.items() if values is not None}
        return check_message(self.sent(content), filled, call.called_at, call.conceal)

    @property
    def stamps(self) -> dict[str, str]:
        """What tells each field of each text from another version of it, and from what cannot be read."""
        return UNREAD if self.unread else stamps_of(self.fields)

    @property
    def fields(self) -> dict[str, str]:
        """All that is written in the texts, and in the snippets that they use, by field."""
        if not self.snippets:
            return _fields(self.texts)
        used = uses_in(self.texts, self.snippets).keys_of({"snippet"})
        return _fields(self.texts) | {
            f"{SNIPPET}{name}": words for name, words in self.snippets.items() if name in used
        }

    def changes(self, stamps: Mapping[str, str], hide: Callable[[str], str]) -> list[str]:
        """Tell what has changed since the texts had these stamps, in as far as the old texts are known."""
        old = self.before.fields if self.before and self.before.stamps == stamps else {}
        new, now = self.fields, self.stamps
        changed = [name for name in dict(stamps) | now if stamps.get(name) != now.get(name)]
        told = [name for name in changed if name in new or not name.startswith(SNIPPET)]
        return [_difference(name, old.get(name), new.get(name, ""), hide) for name in told]


async def words_of(app: AppApi, content: Sending, *, fresh: bool) -> Words:
    """Return the texts that a call sends; `fresh` ones are read now, others as they are at hand."""
    key, kept = (content.kind, str(content.message)), app.kept
    before = Words(kept.at_hand(key) or (), snippets=kept.at_hand(SNIPPETS))

    async def read(app: AppApi) -> tuple[Text, ...]:
        number = await message_number(app, content.kind, str(content.message))
        return tuple(await read_texts(app, content.kind, number))

    try:
        if content.message is None:
            texts: tuple[Text, ...] = (Text(Fields({})),)
        elif fresh:
            texts = await kept.read(key, lambda: read(app))
        else:
            texts = await kept.get(key, lambda: read(app.beside()))
    except NotYet:
        return Words()
    except InvalidArgument:
        return Words(unread="the template's texts (no template with this trigger name is listed)")
    except CustomerIOError as error:
        return Words(unread=f"the template's texts ({error.what})")
    words = Words(texts, before)
    if any(SNIPPETS in part for text in words.sent(content) for part in text.written.values()):
        return await _with_snippets(app, words, fresh=fresh)
    return words


async def _with_snippets(app: AppApi, words: Words, *, fresh: bool) -> Words:
    """Return the words with the workspace's snippets: a send alone does not read them, if nobody else has."""
    kept = app.kept
    try:
        if fresh:
            return replace(words, snippets=await kept.read(SNIPPETS, lambda: read_snippets(app)))
        if kept.at_hand(SNIPPETS) is None:
            return words
        return replace(words, snippets=await kept.get(SNIPPETS, lambda: read_snippets(app.beside())))
    except CustomerIOError as error:
        return replace(words, without=f"snippets ({error.what})")


def stamps_of(fields: Mapping[str, str]) -> dict[str, str]:
    """Return a hash of each field."""
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in fields.items()}


def _fields(texts: Sequence[Text]) -> dict[str, str]:
    if len(texts) == 1:
        return texts[0].written
    return {f"{name} of {text.number}": words for text in texts for name, words in text.written.items()}


def _difference(name: str, old: str | None, new: str, hide: Callable[[str], str]) -> str:
    if old is None:
        return name
    if not name.startswith("body"):
        return f"{name}: was {quoted(hide(old), LINE)}, is {quoted(hide(new), LINE)}"
    before, after = (readable(words, hide).text.split("\n") for words in (old, new))
    lines = {"without": _only_in(before, after), "with": _only_in(after, before)}
    told = [f"{word} {quoted(line, LINE)}" for word, some in lines.items() for line in some[:LINES]]
    return f"{name}: now {', '.join(told)}" if told else f"{name}: what cannot be read as text"


def _only_in(lines: Sequence[str], others: Sequence[str]) -> list[str]:
    known = set(others)
    return [line for line in lines if line not in known]

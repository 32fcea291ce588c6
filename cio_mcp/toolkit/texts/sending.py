"""The texts that a send sends: read once for many sends, and compared with those that a preview showed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from cio_mcp.client import AppApi, Call
from cio_mcp.client.keeping import NotYet
from cio_mcp.errors import CustomerIOError, InvalidArgument
from cio_mcp.toolkit.quoting import quoted
from cio_mcp.toolkit.reading import Fields
from cio_mcp.toolkit.texts.checking import Checked, checked, is_absent, uses_in
from cio_mcp.toolkit.texts.messages import Kind, Text, message_number, read_texts
from cio_mcp.toolkit.texts.readable import readable

AllowMissing = Annotated[bool, Field(description="Send though data is missing.")]

# Keys of data that a refusal names.
UNUSED = 10

# The stamp of texts that cannot be read: a code that is issued then is not for those that can be later.
UNREAD = {"what could not be read": "unread"}

# Lines of a body that a difference shows, and characters of each.
LINES, LINE = 3, 100


@dataclass(frozen=True)
class Sending:
    """What a call sends: a message of a kind, by its number or trigger name, and what fills it.

    `message` is None where the call has all texts itself. `sets` are the data of each person, or one for
    all, from the argument of that name, if it takes data; None where they are not known. `instead` are
    fields that the call has in place of the message's own. `way_out` says what to do where data is missing.
    """

    kind: Kind
    message: int | str | None
    sets: Sequence[Mapping[str, Any]] | None = None
    argument: str = ""
    instead: Mapping[str, Any] = field(default_factory=dict)
    language: str | None = None
    way_out: str = "pass it, or allow_missing=true to send it so"


@dataclass(frozen=True)
class Words:
    """The texts of a message as they are now, and before they were read for this call, if they were."""

    texts: tuple[Text, ...] = ()
    before: tuple[Text, ...] = ()
    unread: str = ""

    def sent(self, content: Sending) -> list[Text]:
        """Return the texts that a call sends: in its language, with its own fields in them."""
        texts = [text for text in self.texts if text.fields.text("sending_state") != "off"] or self.texts
        language = content.language or None
        found = [text for text in texts if text.fields.text("language") == language] or texts
        return [text.with_fields(content.instead) for text in found]

    def check(self, content: Sending) -> None:
        """Raise InvalidArgument where the data lacks what the subject or a link needs."""
        if content.sets is None:
            return
        uses, some = uses_in(self.sent(content)), content.sets or [{}]
        vital = uses.vital("trigger")
        if lacking := [path for path in vital if any(is_absent(data, path) for data in some)]:
            unused = ", ".join(sorted(some[0].keys() - uses.keys_of({"trigger"}))[:UNUSED])
            raise InvalidArgument(
                f"{content.argument}: lacks {', '.join(lacking)}, which the subject or a link of the message "
                f"needs{unused and f' (not used: {unused})'}; {content.way_out}"
            )

    def checked(self, content: Sending, call: Call) -> Checked:
        """Return what the call says, for a preview."""
        return checked(self.sent(content), content.sets, call.called_at, call.conceal)

    @property
    def stamps(self) -> dict[str, str]:
        """What tells each field of each text from another version of it, and from what cannot be read."""
        return UNREAD if self.unread else stamps_of(self.texts)

    def changes(self, stamps: Mapping[str, str], hide: Callable[[str], str]) -> list[str]:
        """Tell what has changed since the texts had these stamps, in as far as the old texts are known."""
        old = _fields(self.before) if stamps_of(self.before) == stamps else {}
        new, now = _fields(self.texts), self.stamps
        changed = [name for name in dict(stamps) | now if stamps.get(name) != now.get(name)]
        return [_difference(name, old.get(name), new.get(name, ""), hide) for name in changed]


async def words_of(app: AppApi, content: Sending, *, fresh: bool) -> Words:
    """Return the texts that a call sends; `fresh` ones are read now, others as they are at hand."""
    if content.message is None:
        return Words((Text(Fields({})),))
    key, kept = (content.kind, str(content.message)), app.call.kept

    async def read(app: AppApi) -> tuple[Text, ...]:
        number = await message_number(app, content.kind, str(content.message))
        return tuple(await read_texts(app, content.kind, number))

    before = kept.at_hand(key) or ()
    try:
        if fresh:
            texts = await kept.read(key, lambda: read(app))
        else:
            texts = await kept.get(key, lambda: read(app.beside()))
    except NotYet:
        return Words()
    except InvalidArgument:
        return Words(unread="the template's texts (no template with this trigger name is listed)")
    except CustomerIOError as error:
        return Words(unread=f"the template's texts ({error.what})")
    return Words(texts, before)


def stamps_of(texts: Sequence[Text]) -> dict[str, str]:
    """Return a hash of each field of each text."""
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in _fields(texts).items()}


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

"""The preview of a call: who, what, how many, from whom, and what else comes of it.

Text that an agent or a customer wrote is quoted, so that it never looks like our own words.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cio_mcp.client.call import Replacement
from cio_mcp.safety.contact_changes import holds
from cio_mcp.safety.looking import People, Survey
from cio_mcp.safety.tool_call import ToolCall
from cio_mcp.toolkit.answers.quoting import hosts, plain_name, quoted
from cio_mcp.toolkit.answers.shapes import Preview, Reach
from cio_mcp.toolkit.people.audience import SAMPLES, Audience, MessageSetup, masked_name
from cio_mcp.toolkit.people.consequences import IN_WORDS, Told
from cio_mcp.toolkit.registry import Effect
from cio_mcp.toolkit.texts.checking import OPENING, MessageCheck
from cio_mcp.toolkit.texts.data import Fit, fit
from cio_mcp.toolkit.texts.difference import LETTERS as LINE
from cio_mcp.toolkit.texts.difference import difference
from cio_mcp.toolkit.texts.variables import TextUses

# The largest request, in bytes, that is shown in full. In a larger one, lists are cut to so many items,
# objects to `FIELDS`, and texts to so many characters, with a note.
WHOLE, ITEMS, LETTERS = 4000, 10, 300

# So many fields of an object or a profile are shown, and hosts of links.
FIELDS = 30

# The fields of a profile of which a preview shows a part.
CONTACTS = {"email", "phone"}

CONFIRM = "To carry it out, repeat the call {} and this confirmation, within ten minutes."
AGAIN = "To carry it out, call again without dry_run."
DRAFTS = "Make drafts, which a person must send, of"
SHOW_FIRST = "First show the user each warning, and what is missing, unused or changed."
MEND = "It would be refused. "

# Replaces what must not be shown in any value.
Hide = Callable[[Any], Any]


def preview_of(
    call: ToolCall, looked: Survey, code: str | None, refusal: str, hide: Hide, *, masks: bool
) -> Preview:
    """Return the preview of a call that has been rehearsed.

    `code` confirms it, `refusal` is why it would be refused for its words, and `hide` `masks` or not.
    """

    def show(name: str) -> str:
        """Return an identifier: what the call does not name itself is masked in any case."""
        listed = call.audience is not None and name in call.audience.named
        return hide(name) if masks else plain_name(name) if listed else masked_name(name)

    # Hidden before anything is cut: half an address would not be recognised as one.
    checked, shown = call.checked() if call.checked else (None, {})
    request = hide(call.would_send | ({"body": shown} if shown else {}))
    body = request.get("body") or {}
    template, outlook, words = looked.template, looked.outlook, call.words
    somebody, says, fits = _says(call, looked.people, hide)
    sender = body.get("from") or says.sender
    also = [
        IN_WORDS[each]
        for each in call.tool.affects.consequences
        if each not in outlook.covers and holds(each, call.outgoing)
    ]
    replaces = call.replaces or Replacement({})
    # Those in rows are told among what is odd about them.
    links = sorted({*(() if checked else hosts(body)), *says.links})
    preview = Preview(
        would=call.would or _would(call, template, says, hide),
        template=_template(call, template, hide) if template else None,
        sender=quoted(hide(sender)) if sender else None,
        changed=words.changes(call.edited, hide) or None if words and words.texts and call.edited else None,
        shown_for=_person(somebody, looked.people, hide, show) if somebody else None,
        subject=quoted(hide(says.subject)) if says.subject else None,
        preheader=quoted(hide(says.preheader)) if says.preheader else None,
        opening=quoted(hide(says.opening), longest=OPENING) if says.opening else None,
        fails=[hide(why) for why in says.fails[:FIELDS]] or None,
        missing_data=hide(dict(fits.missing)) or None,
        optional_data=hide(dict(fits.optional)) or None,
        unused_data=hide(dict(fits.unused)) or None,
        audience=_reached(call, looked, hide, show),
        checked=checked,
        whom=_whom(outlook.whom, hide),
        sets_off=[*also, *(_told(each, hide) for each in (*outlook.sets_off, *replaces.follows))] or None,
        loses=_lost(hide(dict(outlook.loses)), show) or None,
        changes=_changes(replaces, hide) or None,
        links=links[:FIELDS] or None,
        unread=[hide(each) for each in looked.unread] or None,
        request=request if len(json.dumps(request)) <= WHOLE else _cut(request),
        confirmation=code,
    )
    if refusal:
        preview.next = f"{MEND}{refusal}."
    elif how := _how(call, code):
        reached = preview.audience
        doubts = (reached and reached.warnings, preview.fails, preview.missing_data, preview.unused_data)
        preview.next = f"{how}{f' {SHOW_FIRST}' if any(doubts) or preview.changed else ''}"
    return preview


def _how(call: ToolCall, code: str | None) -> str:
    """Return how the call is carried out, if its preview leads to that."""
    if code:
        same = "without dry_run, with the other arguments" if call.preview_only else "with the same arguments"
        return CONFIRM.format(same)
    return AGAIN if call.preview_only and not call.vain else ""


def _says(call: ToolCall, people: People | None, hide: Hide) -> tuple[str | None, MessageCheck, Fit]:
    """Return what a call says to the first person whom it names who is known, who that is, and its data."""
    content = call.audience.content if call.audience else None
    if not (call.words and call.audience and content):
        return None, MessageCheck(), fit(TextUses(), None)
    name, attributes = (people.first(call.audience.customers) if people else None) or (None, None)
    # Hidden before it is rendered: in the text no rule could tell a name from other words.
    says = call.words.checked(content, call, name, hide(attributes) if attributes else None)
    return name, says, call.words.fit(content)


def _would(call: ToolCall, template: MessageSetup | None, says: MessageCheck, hide: Hide) -> str:
    """Return what a call does in one sentence that names what it does it to."""
    audience = call.audience
    if call.tool.effect is not Effect.SENDS or not (template and audience):
        given = {name: value for name, value in call.given.items() if _names(name) and value}
        named = ", ".join(f"{name} {plain_name(str(hide(value)))}" for name, value in given.items())
        return f"{call.tool.summary.removesuffix('.')}: {named}" if named else call.tool.summary
    content, name = audience.content, template.name or says.subject
    drafts = template.drafts or bool(call.words and content and call.words.are_drafts(content))
    verb = audience.instead or (DRAFTS if drafts else "")
    what = quoted(hide(name)) if name else template.what
    number = (
        f"{audience.size:,} {'person' if audience.size == 1 else 'people'}"
        if audience.size is not None
        else audience.what
    )
    whom = f"{'at least ' if audience.at_least else ''}{number}"
    when = f", at {at}" if (at := call.times.get("send_at")) else ""
    return f"{verb} {what} for {whom}{when}" if verb else f"Send {what} to {whom}{when}"


def _names(argument: str) -> bool:
    """Say whether an argument names what a call is about."""
    return argument.endswith("_id") or argument in {"kind", "name"}


def _template(call: ToolCall, template: MessageSetup, hide: Hide) -> str:
    content = call.audience.content if call.audience else None
    texts = len(call.words.sent(content)) if call.words and content else 1
    more = f"; the first of its {texts} texts is shown" if texts > 1 else ""
    return f"{template.what}{f': {quoted(hide(template.name))}' if template.name else ''}{more}"


def _told(told: Told, hide: Hide) -> str:
    """Return our own words and somebody else's, which follow each other, these in quotation marks."""
    return " ".join(quoted(hide(each)) if number % 2 else each for number, each in enumerate(told))


def _whom(whom: str | Mapping[str, str] | None, hide: Hide) -> str | None:
    if not isinstance(whom, Mapping):
        return whom
    return ", ".join(f"{name} {quoted(value)}" for name, value in hide(dict(whom)).items())


def _reached(call: ToolCall, looked: Survey, hide: Hide, show: Callable[[str], str]) -> Reach | None:
    audience = call.audience
    if audience is None or (audience.size == 0 and call.tool.effect is not Effect.SENDS):
        return None
    return Reach(
        what=audience.what,
        size=audience.size,
        at_least=audience.at_least or None,
        samples=[_person(name, looked.people, hide, show) for name in audience.some],
        warnings=_warnings(audience, looked, show) or None,
    )


def _person(name: str, people: People | None, hide: Hide, show: Callable[[str], str]) -> str:
    """Return an identifier, after the person's name if that is known."""
    parts = people.names.get(name) if people else None
    return f"{quoted(' '.join(hide(parts).values()))} {show(name)}" if parts else show(name)


def _warnings(audience: Audience, looked: Survey, show: Callable[[str], str]) -> list[str]:
    people, matching = looked.people or People(), looked.unsubscribed or Audience("nobody", 0)
    more = "or more " if matching.at_least else ""
    found = [
        (people.unknown, len(people.unknown), "unknown", audience.if_unknown),
        (people.unsubscribed, len(people.unsubscribed), "unsubscribed", audience.if_unsubscribed),
        (matching.samples, matching.size or 0, f"{more}unsubscribed", audience.if_unsubscribed),
        (people.suppressed, len(people.suppressed), "suppressed", "no mail is delivered to them"),
    ]
    return [
        f"{number:,} {what} ({_some(who, number, show)}): {then}".removesuffix(": ")
        for who, number, what, then in found
        if number
    ]


def _some(who: Sequence[str], number: int, show: Callable[[str], str]) -> str:
    """Return a few of so many people."""
    more = number - len(who[:SAMPLES])
    return ", ".join([*map(show, who[:SAMPLES]), *([f"{more} more"] if more > 0 else [])])


def _lost(loses: dict[str, Any], show: Callable[[str], str]) -> dict[str, str]:
    kept = list(loses.items())[:FIELDS]
    found = {
        quoted(name)[1:-1]: show(str(value)) if name in CONTACTS else quoted(value) for name, value in kept
    }
    more = len(loses) - len(kept)
    return found | ({"…": f"and {more} more fields"} if more else {})


def _changes(replaces: Replacement, hide: Hide) -> dict[str, list[str]]:
    """Return what differs, each line with our sign before somebody else's words."""
    return {
        name: [f"{line[:1]} {quoted(line[2:], LINE)}" for line in difference(hide(before), hide(after))]
        for name, (before, after) in replaces.texts.items()
    }


def _cut(value: Any) -> Any:
    """Return `value` with long lists, objects and texts cut."""
    match value:
        case dict() if len(value) > FIELDS:
            kept = dict([*value.items()][:FIELDS])
            return _cut(kept) | {"…": f"and {len(value) - FIELDS} more fields"}
        case dict():
            return {name: _cut(inner) for name, inner in value.items()}
        case list() if len(value) > ITEMS:
            return [*map(_cut, value[:ITEMS]), f"… and {len(value) - ITEMS} more"]
        case list():
            return [*map(_cut, value)]
        case str() if len(value) > LETTERS:
            return f"{value[:LETTERS]}… and {len(value) - LETTERS} more characters"
    return value

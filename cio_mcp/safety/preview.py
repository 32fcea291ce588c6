"""The preview of a call: who, what, how many, from whom, and what else comes of it.

Text that an agent or a customer wrote is quoted, so that it never looks like our own words.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from cio_mcp.client.call import Replaced
from cio_mcp.safety.call import ToolCall
from cio_mcp.safety.looking import Looked, People
from cio_mcp.toolkit.answers import Preview, Reached
from cio_mcp.toolkit.audience import Audience, masked
from cio_mcp.toolkit.consequences import IN_WORDS, Told, holds
from cio_mcp.toolkit.quoting import hosts, quoted
from cio_mcp.toolkit.registry import Effect
from cio_mcp.toolkit.texts.checking import OPENING, Checked
from cio_mcp.toolkit.texts.difference import LETTERS as LINE
from cio_mcp.toolkit.texts.difference import difference

# The largest request, in bytes, that is shown in full. In a larger one, lists are cut to so many items and
# texts to so many characters, with a note.
WHOLE, ITEMS, LETTERS = 4000, 10, 300

# So many lost fields are shown, and hosts of links.
FIELDS = 30

# The fields of a profile of which a preview shows a part.
CONTACTS = {"email", "phone"}

CONFIRM = (
    "To carry it out, repeat the call with the same arguments and this confirmation, within ten minutes."
)
AGAIN = "To carry it out, call again without dry_run."

# Replaces what must not be shown in any value.
Hide = Callable[[Any], Any]


def preview_of(
    call: ToolCall, looked: Looked, code: str | None, hide: Hide, show: Callable[[str], str] = masked
) -> Preview:
    """Return the preview of a call that has been rehearsed; `code` confirms it, `show` masks identifiers."""
    # Hidden before anything is cut: half an address would not be recognised as one.
    checked, shown = call.checked() if call.checked else (None, {})
    request = hide(call.would_send | ({"body": shown} if shown else {}))
    body = request.get("body") or {}
    template, outlook, words = looked.template, looked.outlook, call.words
    content = call.audience.content if call.audience else None
    says = words.checked(content, call) if words and content else Checked()
    sender = body.get("from") or says.sender
    also = [
        IN_WORDS[each]
        for each in call.tool.affects.consequences
        if each not in outlook.covers and holds(each, call.given)
    ]
    replaces = call.replaces or Replaced({})
    # Those in rows are told among what is odd about them.
    links = sorted({*(() if checked else hosts(body)), *says.links})
    return Preview(
        would=call.would or call.tool.summary,
        template=f"{template.what}{f': {quoted(hide(template.name))}' if template.name else ''}"
        if template
        else None,
        sender=quoted(hide(sender)) if sender else None,
        changed=words.changes(call.edited, hide) or None if words and words.texts and call.edited else None,
        subject=quoted(hide(says.subject)) if says.subject else None,
        opening=quoted(hide(says.opening), longest=OPENING) if says.opening else None,
        missing_data=[quoted(each) for each in says.missing[:FIELDS]] or None,
        unused_data=[quoted(each) for each in says.unused[:FIELDS]] or None,
        audience=_reached(call, looked.people, hide, show),
        checked=checked,
        whom=_whom(outlook.whom, hide),
        sets_off=[*also, *(_told(each, hide) for each in (*outlook.sets_off, *replaces.follows))] or None,
        loses=_lost(hide(dict(outlook.loses)), show) or None,
        changes=_changes(replaces, hide) or None,
        links=links[:FIELDS] or None,
        unread=[hide(each) for each in looked.unread] or None,
        request=request if len(json.dumps(request)) <= WHOLE else _cut(request),
        confirmation=code,
        next=CONFIRM if code else AGAIN if call.preview_only and not call.vain else None,
    )


def _told(told: Told, hide: Hide) -> str:
    """Return our own words and somebody else's, which follow each other, these in quotation marks."""
    return " ".join(quoted(hide(each)) if number % 2 else each for number, each in enumerate(told))


def _whom(whom: str | Mapping[str, str] | None, hide: Hide) -> str | None:
    if not isinstance(whom, Mapping):
        return whom
    return ", ".join(f"{name} {quoted(value)}" for name, value in hide(dict(whom)).items())


def _reached(call: ToolCall, people: People | None, hide: Hide, show: Callable[[str], str]) -> Reached | None:
    audience = call.audience
    if audience is None or (audience.size == 0 and call.tool.effect is not Effect.SENDS):
        return None
    names = people.names if people else {}
    return Reached(
        what=audience.what,
        size=audience.size,
        at_least=audience.at_least or None,
        samples=[
            f"{quoted(' '.join(hide(names[name]).values()))} {show(name)}" if name in names else show(name)
            for name in audience.some
        ],
        warnings=_warnings(audience, people) or None,
    )


def _warnings(audience: Audience, people: People | None) -> list[str]:
    if people is None:
        return []
    unknown = f"{people.unknown} unknown: {audience.if_unknown}".removesuffix(": ")
    found = [
        (people.unknown, unknown),
        (people.unsubscribed, f"{people.unsubscribed} unsubscribed"),
        (people.suppressed, f"{people.suppressed} suppressed: no mail is delivered to them"),
    ]
    return [words for number, words in found if number]


def _lost(loses: dict[str, Any], show: Callable[[str], str]) -> dict[str, str]:
    kept = list(loses.items())[:FIELDS]
    found = {
        quoted(name)[1:-1]: show(str(value)) if name in CONTACTS else quoted(value) for name, value in kept
    }
    more = len(loses) - len(kept)
    return found | ({"…": f"and {more} more fields"} if more else {})


def _changes(replaces: Replaced, hide: Hide) -> dict[str, list[str]]:
    """Return what differs, each line with our sign before somebody else's words."""
    return {
        name: [f"{line[:1]} {quoted(line[2:], LINE)}" for line in difference(hide(before), hide(after))]
        for name, (before, after) in replaces.texts.items()
    }


def _cut(value: Any) -> Any:
    """Return `value` with long lists and texts cut."""
    match value:
        case dict():
            return {name: _cut(inner) for name, inner in value.items()}
        case list() if len(value) > ITEMS:
            return [*map(_cut, value[:ITEMS]), f"… and {len(value) - ITEMS} more"]
        case list():
            return [*map(_cut, value)]
        case str() if len(value) > LETTERS:
            return f"{value[:LETTERS]}… and {len(value) - LETTERS} more characters"
    return value

"""What was probably meant by the id or name of something that does not exist."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cio_mcp.client import AppApi, now
from cio_mcp.errors import CustomerIOError, InvalidArgument, Refused
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.arguments.types import as_id

# Longest a failed call waits for the lists that a look-up reads, and how many candidates it names.
SECONDS, NAMED = 5.0, 5

# The list in which each kind of thing is found, and its key in the answer. None of them has pages that matter
# here: newsletters come newest first, all others at once.
LISTS = {
    "segment": ("/v1/segments", "segments"),
    "campaign": ("/v1/campaigns", "campaigns"),
    "broadcast": ("/v1/broadcasts", "broadcasts"),
    "newsletter": ("/v1/newsletters", "newsletters"),
    "transactional_message": ("/v1/transactional", "messages"),
    "subscription_topic": ("/v1/subscription_topics", "topics"),
    "snippet": ("/v1/snippets", "snippets"),
    "collection": ("/v1/collections", "collections"),
    "reporting_webhook": ("/v1/reporting_webhooks", "reporting_webhooks"),
}

# The arguments that name a thing of one kind, and those whose kind another argument tells.
KINDS = {f"{kind}_id": kind for kind in LISTS} | {
    "other_campaign_id": "campaign",
    "webhook_id": "reporting_webhook",
}
TOLD_BY = {"source_id": ("kind", "of"), "item": ("kind",)}
SYNONYMS = {"transactional": "transactional_message"}


@dataclass(frozen=True)
class Reference:
    """Something that an argument names: its kind, and the id or name that was given."""

    argument: str
    kind: str
    value: str


async def suggest(app: AppApi, error: CustomerIOError, arguments: dict[str, Any]) -> None:
    """Add to an error what was probably meant, if it can be that the call names something unknown.

    Reads lists only for such an error, and leaves the error as it is if they cannot be read soon.
    """
    asked = [it for it in _asked(arguments) if _may_be_unknown(it, error)]
    app.call.deadline = min(app.call.deadline, now() + SECONDS)
    for it in asked:
        path, key = LISTS[it.kind]
        try:
            answer = await app.get(path, {"limit": "100"} if it.kind == "newsletter" else None)
        except CustomerIOError:
            return
        found = Fields(answer).objects(key)
        if found is not None and (hint := _hint(it, found)):
            error.do = f"{error.do} {hint}".strip()


def _may_be_unknown(it: Reference, error: CustomerIOError) -> bool:
    if isinstance(error, InvalidArgument):
        named = it.argument == "item" or any(char.isalpha() for char in it.value)
        return named and any(fault.startswith(f"{it.argument}: ") for fault in error.faults)
    return isinstance(error, Refused) and error.status in {400, 404, 422}


def _asked(arguments: dict[str, Any]) -> Iterator[Reference]:
    """Yield what arguments name, and what is named inside filters and topics."""
    for name, value in arguments.items():
        if name in {"filter", "recipients"}:
            yield from (Reference(name, "segment", text) for text in _segments(value))
        elif name == "topics" and isinstance(value, dict):
            yield from (Reference(name, "subscription_topic", str(topic)) for topic in value)
        elif (name in KINDS or name in TOLD_BY) and (text := _text(value)):
            told = next((str(arguments[by]) for by in TOLD_BY.get(name, ()) if by in arguments), "")
            if (kind := KINDS.get(name) or SYNONYMS.get(told, told)) in LISTS:
                yield Reference(name, kind, text)


def _text(value: object) -> str:
    """Return an id or name as text, empty for what is neither."""
    try:
        return as_id(value).strip()
    except ValueError:
        return ""


def _segments(condition: Any) -> Iterator[str]:
    if isinstance(condition, list):
        for part in condition:
            yield from _segments(part)
    elif isinstance(condition, dict):
        for key, part in condition.items():
            if key != "segment":
                yield from _segments(part)
            elif isinstance(part, dict) and (text := _text(part.get("id"))):
                yield text


def _hint(it: Reference, things: list[Fields]) -> str:
    """Return which things are near to what was asked for; nothing if it exists."""
    wanted = it.value.casefold()
    names = {_label(thing): _names(thing) for thing in sorted(things, key=_number, reverse=True)}
    if any(wanted in (thing.text("id"), (thing.text("trigger_name") or "").casefold()) for thing in things):
        return ""
    spelled = {name: label for label, known in names.items() for name in known}
    near = difflib.get_close_matches(wanted, spelled, NAMED)
    near += [name for name in spelled if wanted in name]
    if labels := list(dict.fromkeys(spelled[name] for name in near))[:NAMED]:
        return f"{it.argument}: did you mean {' or '.join(labels)}?"
    known = ", ".join(list(names)[:NAMED]) or "none"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{it.argument}: no {it.kind.replace('_', ' ')} is {it.value}; there are {known}{more}."


def _label(thing: Fields) -> str:
    """Return the id of a thing, by which a call names it, and its name; of a snippet only the name."""
    known = thing.text("id"), thing.text("name")
    return f"{known[0]} ({known[1]})" if all(known) else known[0] or known[1] or "one without a name"


def _names(thing: Fields) -> list[str]:
    return [name.casefold() for key in ("trigger_name", "name") if (name := thing.text(key))]


def _number(thing: Fields) -> int:
    return thing.whole("id") or 0

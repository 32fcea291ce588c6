"""A file as the messages of a workspace suggest it: for an operator to look at, and to correct."""

import json
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from typing import get_args

from cio_mcp.client import AppApi
from cio_mcp.errors import CustomerIOError
from cio_mcp.liquid import notation
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.tools.templates.message import GENERIC_SENDS
from cio_mcp.tools.templates.names import LONGEST, can_be_argument
from cio_mcp.tools.templates.reading import MessageNeeds, taken_by
from cio_mcp.tools.templates.sends import Channel, Kind, send_arguments
from cio_mcp.tools.templates.values import VariablePath

HEAD = """\
# Tools that each send one message. Types that are marked as guessed follow from a name: correct them, and
# describe what the agent cannot know. Delete the tables that you do not want.

# false: no other tool sends messages.
generic_sends = true
"""

# Names by which a type is guessed; what fits none is text.
_GUESSES = {
    "integer": re.compile(
        r"(?:.*_)?(?:count|quantity|qty|days|hours|minutes|seats|points|year|number_of_.*)"
    ),
    "number": re.compile(
        r"(?:.*_)?(?:total|subtotal|price|amount|cost|tax|discount|balance|fee|sum|percent|rate|rating)"
    ),
    "boolean": re.compile(r"(?:is|has|can|was|should|with|show)_.*"),
}


# Where the messages of each kind are listed, and the name of the list.
_LISTS: dict[Kind, tuple[str, str]] = {
    "transactional": ("/v1/transactional", "messages"),
    "broadcast": ("/v1/broadcasts", "broadcasts"),
}


async def suggested(reader: Callable[[], AppApi], taken: Collection[str]) -> AsyncIterator[str]:
    """Yield a file in parts; `reader` reads for one message, and `taken` are names of tools that there are.

    Raises CustomerIOError if messages cannot be listed.
    """
    yield HEAD
    names = set(taken)
    for kind, (path, key) in _LISTS.items():
        for item in Fields(await reader().get(path)).listed(key):
            yield await _table(reader(), kind, item, names)


async def _table(app: AppApi, kind: Kind, item: Fields, names: set[str]) -> str:
    """Return the table of a message, or a comment on why there is none; adds its name to `names`."""
    number, called = item.text("id") or "", _line(item.text("name") or "")
    try:
        found = await taken_by(app, kind, number)
    except CustomerIOError as error:
        return f"\n# {kind} {number} {called}: cannot be read: {_line(error.what)}\n"
    if kind == "transactional" and found.channel not in get_args(Channel):
        return f"\n# {kind} {number} {called}: no tool sends by {_line(found.channel)}\n"
    trigger = item.text("trigger_name") if kind == "transactional" else None
    trigger = None if trigger and trigger.isdecimal() else trigger  # it would pass for an id
    verb = "trigger" if kind == "broadcast" else "send"
    tool = _name(f"{verb}_{trigger or called}", number, names)
    names.add(tool)
    key = f"{kind}_message" if kind == "transactional" else kind
    lines = {
        key: json.dumps(trigger, ensure_ascii=False) if trigger else number,
        "channel": "" if kind == "broadcast" or found.channel == "email" else _quoted(found.channel),
        "name": _quoted(called),
        "subject": _quoted(found.subject),
        "description": _quoted(item.text("description") or ""),
    }
    return "\n".join(
        (
            f"\n[{tool}]",
            *(f"{name} = {value}" for name, value in lines.items() if value),
            f"\n[{tool}.arguments]",
            *_whom(kind, found.channel),
            *_variables(found),
            "",
        )
    )


def _whom(kind: Kind, channel: str) -> Iterator[str]:
    """Yield the arguments that say whom a message goes to."""
    if kind == "broadcast":
        yield "emails = { required = true }"
    elif channel == "email":
        yield "to = {}"
    else:
        yield from ("customer_id = {}", "id_type = {}")
        if channel in {"sms", "whatsapp"}:
            yield 'to = { value = "{{customer.phone}}" }'


def _variables(found: MessageNeeds) -> Iterator[str]:
    """Yield an argument for each variable; one with parts is an object."""
    seen: dict[str, None] = {}
    for place in found.needed:
        seen.setdefault(place[0])
    used = {"to", "customer_id", "id_type", "emails", GENERIC_SENDS}
    for name in seen:
        places = [place for place in found.needed if place[0] == name]
        argument = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "value"
        argument = (argument if argument[0].isalpha() else f"v_{argument}")[:LONGEST]
        while argument in used or not can_be_argument(argument):
            argument += "_"
        used.add(argument)
        written = notation(["", name]).removeprefix(".")
        other = f", variable = {_quoted(written)}" if argument != name or argument in send_arguments() else ""
        required = "" if any(found.needed[place] for place in places) else ", required = false"
        kind, told, guess = _type(name, places, found)
        told = f", description = {_quoted(told)}" if told else ""
        yield f'{argument} = {{ type = "{kind}"{other}{required}{told} }}{guess}'


def _type(name: str, places: list[VariablePath], found: MessageNeeds) -> tuple[str, str, str]:
    """Return the type of a variable, what is known of its parts, and a comment where it is guessed."""
    if parts := found.lists.get((name,)):
        return "list", f"Objects with {', '.join(parts)}.", ""
    if (name,) in found.lists:
        return "list", "", ""
    if inner := [notation(list(place[1:])) for place in places if len(place) > 1]:
        return "object", f"With {', '.join(inner)}.", ""
    guesses = (kind for kind, names in _GUESSES.items() if names.fullmatch(name.lower()))
    return next(guesses, "string"), "", "  # type guessed"


def _name(wanted: str, number: str, taken: Collection[str]) -> str:
    """Return a tool's name: short enough, and no other tool's."""
    plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    words += [number] if len(words) < 2 else []
    while len("_".join(words)) > LONGEST - len(number) - 1 and len(words) > 2:
        words.pop()
    name = "_".join(words)[: LONGEST - len(number) - 1].strip("_")
    return f"{name}_{number}" if name in taken else name


def _line(text: str) -> str:
    """Return a text on one line, without what cannot be seen."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def _quoted(text: str) -> str:
    """Return a text as TOML writes it; nothing for none."""
    return json.dumps(_line(text), ensure_ascii=False) if text.strip() else ""

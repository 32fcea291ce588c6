"""What of a file is no longer so at Customer.io: the messages that it names, and their variables."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from cio_mcp.client import AppApi
from cio_mcp.errors import InvalidArgument, Refused
from cio_mcp.liquid import notation
from cio_mcp.tools.templates.message import MessageDefinition
from cio_mcp.tools.templates.reading import MessageNeeds, taken_by
from cio_mcp.tools.templates.values import VariablePath


@dataclass(frozen=True)
class Mismatch:
    """Something that differs; with `fails`, calls of the tool fail or send what they should not."""

    what: str
    do: str
    fails: bool = False


async def mismatches(app: AppApi, message: MessageDefinition) -> list[Mismatch]:
    """Return what of a message is not as its table says; raises CustomerIOError if it cannot be read."""
    try:
        taken = await taken_by(app, message.kind, message.id)
    except (InvalidArgument, Refused) as error:
        if isinstance(error, Refused) and error.status != 404:
            raise
        what = f"there is no {message.kind} message {message.id}"
        return [Mismatch(what, "correct its id or trigger name, or remove the table", fails=True)]
    return list(_differences(message, taken))


def _differences(message: MessageDefinition, taken: MessageNeeds) -> Iterator[Mismatch]:
    if message.kind == "transactional" and taken.channel != message.channel:
        yield Mismatch(f"it is sent by {taken.channel}", f'set channel = "{taken.channel}"', fails=True)
    new = [
        place for place in taken.needed if not any(_overlap(place, one) for one in message.places.values())
    ]
    for name, place in message.places.items():
        if not any(_overlap(place, one) for one in taken.needed):
            (near, *_) = difflib.get_close_matches(_path(place), map(_path, new), 1) or [""]
            do = (
                f'renamed? then set variable = "{near}"' if near else f"remove {name}, if it is gone for good"
            )
            yield Mismatch(f"it uses no {_path(place)}, which {name} fills", do, fails=bool(near))
        about = message.variables.get(name)
        if about and about.required is False and taken.needed.get(place):
            yield Mismatch(f"it fails without {_path(place)}", f"let {name} be required")
    for place in new:
        if taken.needed[place]:
            do = f"add {'_'.join(place)} to its arguments"
            yield Mismatch(f"it fails without {_path(place)}, which no argument fills", do, fails=True)
        else:
            yield Mismatch(
                f"it can use {_path(place)}, which no argument fills", "add it, if callers know it"
            )
    if message.written.subject and message.written.subject != taken.subject:
        yield Mismatch("its subject has changed", "update subject, which callers read")


def _overlap(one: VariablePath, other: VariablePath) -> bool:
    """Say whether one of two variables is the other, or a part of it."""
    return all(here == there for here, there in zip(one, other, strict=False))


def _path(place: VariablePath) -> str:
    return notation(["trigger", *place])[len("trigger") :].removeprefix(".")

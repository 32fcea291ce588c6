"""What of a file is no longer so at Customer.io: the messages that it names, and their variables."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from cio_mcp.client import AppApi
from cio_mcp.errors import InvalidArgument, Refused
from cio_mcp.liquid import notation
from cio_mcp.tools.templates.message import Message
from cio_mcp.tools.templates.reading import Taken, taken_by
from cio_mcp.tools.templates.values import Place


@dataclass(frozen=True)
class Difference:
    """Something that differs; with `fails`, calls of the tool fail or send what they should not."""

    what: str
    do: str
    fails: bool = False


async def differences(app: AppApi, message: Message) -> list[Difference]:
    """Return what of a message is not as its table says; raises CustomerIOError if it cannot be read."""
    try:
        taken = await taken_by(app, message.kind, message.id)
    except (InvalidArgument, Refused) as error:
        if isinstance(error, Refused) and error.status != 404:
            raise
        what = f"there is no {message.kind} message {message.id}"
        return [Difference(what, "correct its id or trigger name, or remove the table", fails=True)]
    return list(_differences(message, taken))


def _differences(message: Message, taken: Taken) -> Iterator[Difference]:
    if message.kind == "transactional" and taken.channel != message.channel:
        yield Difference(f"it is sent by {taken.channel}", f'set channel = "{taken.channel}"', fails=True)
    new = [
        place for place in taken.needed if not any(_overlap(place, one) for one in message.places.values())
    ]
    for name, place in message.places.items():
        if not any(_overlap(place, one) for one in taken.needed):
            (near, *_) = difflib.get_close_matches(_path(place), map(_path, new), 1) or [""]
            do = (
                f'renamed? then set variable = "{near}"' if near else f"remove {name}, if it is gone for good"
            )
            yield Difference(f"it uses no {_path(place)}, which {name} fills", do, fails=bool(near))
        about = message.variables.get(name)
        if about and about.required is False and taken.needed.get(place):
            yield Difference(f"it fails without {_path(place)}", f"let {name} be required")
    for place in new:
        if taken.needed[place]:
            do = f"add {'_'.join(place)} to its arguments"
            yield Difference(f"it fails without {_path(place)}, which no argument fills", do, fails=True)
        else:
            yield Difference(
                f"it can use {_path(place)}, which no argument fills", "add it, if callers know it"
            )
    if message.written.subject and message.written.subject != taken.subject:
        yield Difference("its subject is another now", "set subject anew, which callers read")


def _overlap(one: Place, other: Place) -> bool:
    """Say whether one of two variables is the other, or a part of it."""
    return all(here == there for here, there in zip(one, other, strict=False))


def _path(place: Place) -> str:
    return notation(["trigger", *place])[len("trigger") :].removeprefix(".")

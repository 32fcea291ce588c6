"""What a message takes now: the variables that the data of a send fills, read from its texts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.texts.checking import uses_in
from cio_mcp.toolkit.texts.messages import Text, message_number, read_texts
from cio_mcp.tools.templates.sends import Kind
from cio_mcp.tools.templates.values import VariablePath, variable_path

# The name of a channel at Customer.io, where it is another than ours.
_CHANNELS = {"twilio": "sms"}

# What stands behind the name of a list: a place in it, and a part of the item there.
_ITEM = re.compile(r"\[\d*\](?:\.(\w+))?.*")


@dataclass
class MessageNeeds:
    """What a message takes: each variable, and whether the message fails without it.

    `lists` are those of them that it goes through, with the parts of their items that it reads.
    """

    subject: str = ""
    channel: str = "email"
    needed: dict[VariablePath, bool] = field(default_factory=dict)
    lists: dict[VariablePath, list[str]] = field(default_factory=dict)


async def taken_by(app: AppApi, kind: Kind, name: str) -> MessageNeeds:
    """Return what a message takes, by its number or trigger name; raises InvalidArgument or Refused."""
    return _taken(await read_texts(app, kind, await message_number(app, kind, name)))


def _taken(texts: Sequence[Text]) -> MessageNeeds:
    uses = uses_in(texts)
    found = MessageNeeds()
    if texts:
        channel = texts[0].fields.text("type") or "email"
        found.subject, found.channel = texts[0].fields.text("subject") or "", _CHANNELS.get(channel, channel)
    for path, use in uses.uses.items():
        if use.source != "trigger":
            continue
        item = _ITEM.search(path)
        try:
            place = variable_path(
                path[: item.start() if item else None].removeprefix("trigger").removeprefix(".")
            )
        except ValueError:
            continue  # all of the data, or a part of it that another variable names
        found.needed[place] = found.needed.get(place, False) or use.bare
        if item:
            parts = found.lists.setdefault(place, [])
            parts += [item[1]] if item[1] and item[1] not in parts else []
    return found

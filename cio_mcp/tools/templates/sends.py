"""The sends behind the tools of a file: which of their arguments a table can have."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from cio_mcp.toolkit.registry import Tool
from cio_mcp.tools.broadcasts.sending import tools as broadcasts
from cio_mcp.tools.transactional import channels, email

Kind = Literal["transactional", "broadcast"]
Channel = Literal["email", "push", "sms", "whatsapp", "in_app", "inbox"]

# What the file itself says, what it cannot type, and what must not depend on a caller: that data is missing,
# and that an unknown name makes a new template.
_NEVER = {
    *("transactional_message_id", "channel", "message_data", "broadcast_id", "data", "per_user_data"),
    *("data_file_url", "allow_missing", "auto_create", "timezone", "dry_run", "confirmation"),
}

# What each channel is called in a sentence.
WORDS: dict[Channel, str] = {
    "email": "email",
    "push": "push notification",
    "sms": "SMS",
    "whatsapp": "WhatsApp message",
    "in_app": "in-app message",
    "inbox": "inbox message",
}

# Arguments of `send_transactional_message` that every channel takes.
_EVERY = {
    *("customer_id", "id_type", "language", "send_at", "disable_message_retention", "queue_draft"),
}


@dataclass(frozen=True)
class Send:
    """A tool that sends, for one kind and channel.

    `takes` are its arguments that a table can have, `needs` those of them that a call must have; `says` are
    those that follow from the channel, `message` is the one that names the message, `data` that of its data.
    """

    tool: Tool
    takes: frozenset[str]
    needs: tuple[str, ...]
    message: str
    data: str
    says: Mapping[str, Any]


@cache
def send_of(kind: Kind, channel: Channel) -> Send:
    """Return the send of a kind of message by a channel."""
    if kind == "broadcast":
        tool = broadcasts["trigger_broadcast"]
        return Send(tool, frozenset(tool.parameters) - _NEVER, (), "broadcast_id", "data", {})
    if channel == "email":
        tool = email.tools["send_transactional_email"]
        takes, says = set(tool.parameters), {}
    else:
        tool = channels.tools["send_transactional_message"]
        takes = _EVERY | {name.partition("=")[0] for name in channels.TAKES[channel]}
        says = {"channel": channel}
    needs = ("to", "customer_id") if channel in {"email", "sms", "whatsapp"} else ("customer_id",)
    return Send(tool, frozenset(takes) - _NEVER, needs, "transactional_message_id", "message_data", says)


@cache
def send_arguments() -> frozenset[str]:
    """Return the arguments of all sends: in a table none of these names is one of the message's variables."""
    sends = (
        send_of("broadcast", "email"),
        send_of("transactional", "email"),
        send_of("transactional", "sms"),
    )
    return frozenset(name for send in sends for name in send.tool.parameters)

"""What else a call sets off for people: automations that it starts, messages whose text it changes.

A tool declares with `affects` which of these it can have, beside its effect, and how to find out more. What
follows from that (previews, confirmation, docs) belongs to `safety`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Consequence(StrEnum):
    """Something that a call can set off for people. The values are words of CIO_CONFIRM_ALSO."""

    IDENTIFY = "identify"
    SUBSCRIPTIONS = "subscriptions"
    DEVICES = "devices"
    RELATIONSHIPS = "relationships"
    SEGMENTS = "segments"
    EVENTS = "events"
    BULK = "bulk"
    CONTENT = "content"
    PUBLISHING = "publishing"
    WEBHOOKS = "webhooks"


# Each in words, for people who read a preview.
IN_WORDS = {
    Consequence.IDENTIFY: "a changed profile can enter segments and start automations",
    Consequence.SUBSCRIPTIONS: "people can get messages that they did not get before",
    Consequence.DEVICES: "push notifications for this person go to another set of devices",
    Consequence.RELATIONSHIPS: "a relationship can start automations",
    Consequence.SEGMENTS: "entering or leaving a segment can start or end automations",
    Consequence.EVENTS: "an event can start automations",
    Consequence.BULK: "it holds for every row",
    Consequence.CONTENT: "messages that are live use the new content within minutes",
    Consequence.PUBLISHING: "what is published is live",
    Consequence.WEBHOOKS: "data about people goes to the endpoint until the webhook is disabled",
}

# What is confirmed unless CIO_CONFIRM is off: it changes what people receive who are not named in the call.
CONFIRMED = frozenset({Consequence.CONTENT, Consequence.PUBLISHING, Consequence.WEBHOOKS})

# Our own words, and after them somebody else's, which a preview must quote; and so on in turns.
Told = tuple[str, ...]


@dataclass(frozen=True)
class Outlook:
    """What looking things up has told about a call that is not made yet. Nothing here is quoted or masked.

    whom: the customer whom it is about, by names and identifiers, or in our words that there is none.
    sets_off: what it starts; nothing else comes of the consequences that this `covers`.
    loses: what is gone afterwards, by field.
    """

    whom: str | Mapping[str, str] | None = None
    sets_off: list[Told] = field(default_factory=list)
    covers: frozenset[Consequence] = frozenset()
    loses: Mapping[str, Any] = field(default_factory=dict)


Shows = Callable[..., Awaitable[Outlook]]


@dataclass(frozen=True)
class Affects:
    """The consequences that a tool declares, and what shows more of them before a call is made.

    With `by_person` a person must agree to each call, unless CIO_CONFIRM is off.
    """

    consequences: tuple[Consequence, ...] = ()
    shows: Shows | None = None
    by_person: bool = False


# What a tool affects that declares nothing.
NOTHING = Affects()


def affects(
    *consequences: Consequence, shows: Shows | None = None, by_person: bool = False
) -> Callable[[_Function], _Function]:
    """Return a decorator that declares what else a tool can set off for people.

    `shows` may take any of the tool's arguments by name, and `app` to look things up with.
    `by_person`: no caller can confirm a call by the code of a preview.
    """

    def declare(function: _Function) -> _Function:
        function.__affects__ = Affects(consequences, shows, by_person)  # type: ignore[attr-defined]
        return function

    return declare

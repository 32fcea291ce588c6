"""The people whom a call reaches, as far as they can be known before it is made.

A tool declares with `reaches` how to find its audience. Previews, confirmation, allow lists and caps, which
depend on the audience, belong to `safety`.
"""

import asyncio
import json
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from cio_mcp.client import AppApi, IdType
from cio_mcp.toolkit.answers.reading import Fields, needed
from cio_mcp.toolkit.people.profiles import matching
from cio_mcp.toolkit.texts.words import Sending

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Before a device's token, among addresses: only CIO_ALLOWED_RECIPIENTS=device:any allows one.
DEVICE = "device:"

# Liquid that names the customer's own number, and no other.
OWN_NUMBER = re.compile(r"\{\{ *customer\.phone *\}\}")

# The fields that name recipients in Google's and Apple's payloads. Customer.io fills them in, and a topic or
# a condition would reach everybody who subscribes to it.
_PUSH_TARGETS = {
    *("token", "tokens", "topic", "condition", "to", "registrationids", "notificationkey"),
}

# A filter is counted over at most this many pages of this many people; beyond that the size is a lower bound.
PAGES, PAGE = 10, 1000

# People of an audience that a preview shows.
SAMPLES = 3


class Size(NamedTuple):
    """How many people there are: at least so many, if no more is known."""

    people: int
    at_least: bool = False

    def outgrows(self, before: "Size", percent: float) -> bool:
        """Say whether this may be more than so many percent beyond a size of before.

        What was unknown before has not grown: as a lower bound it was approved with all that is beyond.
        """
        unknown = self.at_least and not before.at_least
        return unknown or self.people > before.people * (1 + percent / 100)

    def __str__(self) -> str:
        return f"{'at least ' if self.at_least else ''}{self.people}"


@dataclass(frozen=True)
class Audience:
    """The people whom a call reaches.

    what: the audience in words.
    size: number of people; None if they cannot be counted, a lower bound if `at_least`.
    addresses, people: those whom the call names itself; `people` are identifiers by id type, and addresses
        can also be phone numbers, and tokens of devices after `DEVICE`.
    own_number: messages go to the phone number in the profile of each of `people`.
    chosen_by: a filter, a file or an endpoint in the request that decides who else is reached; None if
        Customer.io's own settings do.
    samples: a few people of an audience that the call does not name.
    to_one: the call is made for one person.
    blind_copies: some recipients are hidden from the others.
    template: reads the name of the message that is sent, and `content` is what it takes to read its texts.
    instead: what the call does with the message where it does not send it.
    if_unknown: what becomes of the call if a person whom it names is unknown.
    if_unsubscribed: what becomes of the people in it who are unsubscribed.
    profiles: the addresses are those of customers.
    count: returns the audience with its size; given if counting takes requests.
    """

    what: str
    size: int | None = None
    at_least: bool = False
    addresses: Sequence[str] = ()
    people: Mapping[IdType, Sequence[str]] = field(default_factory=dict)
    samples: Sequence[str] = ()
    own_number: bool = False
    chosen_by: object = None
    to_one: bool = False
    blind_copies: bool = False
    template: "Callable[[], Awaitable[MessageSetup]] | None" = None
    content: Sending | None = None
    instead: str = ""
    if_unknown: str = ""
    if_unsubscribed: str = ""
    profiles: bool = False
    count: "Callable[[], Awaitable[Audience]] | None" = None

    async def counted(self) -> "Audience":
        """Return the audience with its size, if it can be counted."""
        if self.count is None:
            return self
        counted = await self.count()
        return replace(
            self,
            what=counted.what,
            size=counted.size,
            at_least=counted.at_least,
            samples=counted.samples,
            count=None,
        )

    @property
    def counted_size(self) -> Size | None:
        """The size, with whether it is a lower bound; None if it is not known."""
        return None if self.size is None else Size(self.size, self.at_least)

    @property
    def countable(self) -> bool:
        """Whether `size` is the exact number of people."""
        return self.size is not None and not self.at_least

    @property
    def listed(self) -> bool:
        """Whether the call names all the people it reaches."""
        return bool(self.addresses or any(self.people.values()))

    @property
    def named(self) -> list[str]:
        """The people whom the call names, by address or identifier."""
        return [*self.addresses, *(name for names in self.people.values() for name in names)]

    @property
    def some(self) -> list[str]:
        """A few people of the audience, by address or identifier."""
        return (self.named or list(self.samples))[:SAMPLES]

    @property
    def customers(self) -> list[tuple[IdType, str]]:
        """The customers whom the call names, each by the kind of identifier and the identifier."""
        addresses = self.addresses if self.profiles else ()
        return [
            *(("email", address) for address in addresses),
            *((id_type, name) for id_type, names in self.people.items() for name in names),
        ]


@dataclass(frozen=True)
class MessageSetup:
    """The message that a call sends, as it is set up: in our words, its name, and whether it makes drafts."""

    what: str
    name: str = ""
    drafts: bool = False


def reaches(audience: Callable[..., Awaitable[Audience]]) -> Callable[[_Function], _Function]:
    """Return a decorator that declares whom a tool reaches.

    `audience` may take any of the tool's parameters, by name, including its APIs.
    """

    def declare(function: _Function) -> _Function:
        function.__audience__ = audience  # type: ignore[attr-defined]
        return function

    return declare


async def of_filter(app: AppApi, condition: dict[str, Any], pages: int = PAGES) -> Audience:
    """Count the customers who match an App API filter: a segment by its count, anything else page by page.

    After so many `pages` there are "at least" so many.
    """
    segment = condition.get("segment")
    if condition == {"segment": segment} and isinstance(segment, dict) and segment.keys() == {"id"}:
        return await of_segment(app, segment["id"])
    found: list[Fields] = []
    start: str | None = None
    for _ in range(pages):
        answer = await matching(app, condition, PAGE, start)
        found += answer.listed("identifiers")
        start = answer.following()
        if start is None:
            break
    return Audience(
        "customers who match the filter", len(found), at_least=start is not None, samples=_names(found)
    )


async def of_segment(app: AppApi, segment_id: object) -> Audience:
    """Count the customers who are in a segment now."""
    path = "/v1/segments/{segment_id}/membership"
    # The count is asked for last: what grows meanwhile is seen.
    members, size = await asyncio.gather(
        app.get(path, {"limit": str(SAMPLES)}, segment_id=segment_id), segment_size(app, segment_id)
    )
    samples = _names(Fields(members).objects("identifiers") or [])
    return Audience(f"customers in segment {segment_id}", size, samples=samples)


async def segment_size(app: AppApi, segment_id: object) -> int:
    """Return the number of customers who are in a segment now."""
    answer = Fields(await app.get("/v1/segments/{segment_id}/customer_count", segment_id=segment_id))
    return needed(answer.whole("count"), "count")


def _names(identifiers: list[Fields]) -> list[str]:
    """Return one identifier for each of the first few people."""
    names = (who.text("email", "id", "cio_id") for who in identifiers[:SAMPLES])
    return [name for name in names if name]


def push_targets(payload: Mapping[str, Any]) -> list[str]:
    """Return the fields that name recipients in a push service's payload, however they are spelt."""
    found: list[str] = []
    for name, value in payload.items():
        plain = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name)).lower()
        if plain == "message" and isinstance(value, dict):
            found += push_targets(value)
        elif plain in _PUSH_TARGETS:
            found.append(name)
    return sorted(found)


def as_set_there(chosen_by: object) -> str:
    """Return what decides who is reached as text that can be compared."""
    return json.dumps(chosen_by, sort_keys=True)


def masked_name(name: str) -> str:
    """Return an address or identifier with most of it hidden; enough stays to tell it from others."""
    local, at, domain = name.rpartition("@")
    return f"{local[:1]}…@{domain}" if at else f"{name[:2]}…{name[-2:] if len(name) > 4 else ''}"

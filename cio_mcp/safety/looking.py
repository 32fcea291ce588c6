"""What is looked up for a preview, beside what the call itself says. All of it only informs.

So what cannot be read is named, and the preview is shown without it; and nothing of it takes more than a few
requests, side by side.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cio_mcp.client import AppApi, IdType
from cio_mcp.errors import CustomerIOError, Refused
from cio_mcp.safety.tool_call import ToolCall
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.people.audience import SAMPLES, Audience, MessageSetup, of_filter
from cio_mcp.toolkit.people.consequences import Outlook
from cio_mcp.toolkit.people.profiles import BATCH, NAMES, identifier, identifier_key, profiles
from cio_mcp.toolkit.texts.rendering import attributes_in

_Found = TypeVar("_Found")

# At most so many people of an audience are looked up, and so many of their addresses searched for among those
# to which no mail is delivered: each takes a request of its own.
PEOPLE, ADDRESSES = 1000, 10


@dataclass
class People:
    """What the profiles of the people whom a call names tell of them, by the identifiers in the call.

    `names` are those of the first few, by attribute; `known` has of each request the profile of the first
    person who is subscribed, and of the first who is not.
    """

    names: dict[str, dict[str, str]] = field(default_factory=dict)
    known: dict[str, Fields] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    unsubscribed: list[str] = field(default_factory=list)
    suppressed: list[str] = field(default_factory=list)

    def first(self, customers: Sequence[tuple[IdType, str]]) -> tuple[str, dict[str, Any]] | None:
        """Return the first of some people who is known, if possible subscribed, with their attributes."""
        known = [name for _, name in customers if name in self.known]
        name = next((name for name in known if name not in self.unsubscribed), next(iter(known), None))
        return None if name is None else (name, attributes_in(self.known[name]))


@dataclass
class Survey:
    """What was found, and what could not be read; `unsubscribed` is who is, of those who match a filter."""

    template: MessageSetup | None = None
    outlook: Outlook = field(default_factory=Outlook)
    people: People | None = None
    unsubscribed: Audience | None = None
    unread: list[str] = field(default_factory=list)


async def look(call: ToolCall, app: AppApi | None, reading: Awaitable[None] | None = None) -> Survey:
    """Look up what a preview of a call shows; `app` is None if its caller may not read.

    What else is `reading` runs beside.

    Raises Refused if the template does not exist.
    """
    found = Survey()
    audience = call.audience or Audience("nobody")
    wanted: list[Awaitable[None]] = []
    if audience.template:
        wanted.append(_template(found, audience.template()))
    if app and call.tool.affects.shows:
        wanted.append(_outlook(found, call.tool.outlook(app, call.given)))
    if app and audience.customers:
        wanted.append(_people(found, app, audience.customers))
    if app and audience.if_unsubscribed and isinstance(audience.chosen_by, dict):
        wanted.append(_unsubscribed(found, app, audience.chosen_by))
    if app is None and (call.tool.affects.shows or audience.customers):
        found.unread.append(
            "what Customer.io knows of it: reading is not permitted, or there is no App API key"
        )
    # None goes on once the call has ended, because another has failed.
    ends = await asyncio.gather(*wanted, *([reading] if reading else []), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    if call.words:
        found.unread += filter(None, (call.words.unread, call.words.without))
    return found


async def _template(found: Survey, reading: Awaitable[MessageSetup]) -> None:
    try:
        found.template = await reading
    except Refused as refused:
        if refused.status == 404:
            raise
        found.unread.append(f"the template ({refused.what})")
    except CustomerIOError as error:
        found.unread.append(f"the template ({error.what})")


async def _outlook(found: Survey, reading: Awaitable[Outlook]) -> None:
    found.outlook = await _tried(found, "its other consequences", reading) or Outlook()


async def _tried(found: Survey, what: str, reading: Awaitable[_Found]) -> _Found | None:
    try:
        return await reading
    except CustomerIOError as error:
        found.unread.append(f"{what} ({error.what})")
        return None


async def _unsubscribed(found: Survey, app: AppApi, condition: dict[str, Any]) -> None:
    also = {"attribute": {"field": "unsubscribed", "operator": "eq", "value": "true"}}
    # Beside the others of a group: the API documents one level of groups.
    both = [*condition["and"], also] if condition.keys() == {"and"} else [condition, also]
    found.unsubscribed = await _tried(found, "who is unsubscribed", of_filter(app, {"and": both}, 1))


async def _people(found: Survey, app: AppApi, customers: Sequence[tuple[IdType, str]]) -> None:
    people = found.people = People()
    if len(customers) > PEOPLE:
        found.unread.append(f"all but the first {PEOPLE} of {len(customers)} people")
    by_type: dict[IdType, list[str]] = {}
    for id_type, name in customers[:PEOPLE]:
        by_type.setdefault(id_type, []).append(name)
    batches = [
        (id_type, names[at : at + BATCH])
        for id_type, names in by_type.items()
        for at in range(0, len(names), BATCH)
    ]
    addresses: dict[str, str] = {}
    for batch in await asyncio.gather(*(_batch(found, app, people, *batch) for batch in batches)):
        addresses |= batch
    if len(addresses) <= ADDRESSES:
        await asyncio.gather(*(_suppression(found, app, people, *each) for each in addresses.items()))


async def _batch(
    found: Survey, app: AppApi, people: People, id_type: IdType, names: Sequence[str]
) -> dict[str, str]:
    """Note what a batch of profiles tells; return the addresses in them."""
    answer = await _tried(found, f"{len(names)} people", profiles(app, names, id_type))
    if answer is None:
        return {}
    known = {identifier_key(identifier(each, id_type), id_type): each for each in answer}
    addresses: dict[str, str] = {}
    subscribed: dict[bool, str] = {}
    for name in names:
        profile = known.get(identifier_key(app.person(name, id_type), id_type))
        if profile is None:
            people.unknown.append(name)
            continue
        if unsubscribed := profile.flag("unsubscribed") is True:
            people.unsubscribed.append(name)
        if (
            profile.mapping("attributes") is not None
            and subscribed.setdefault(not unsubscribed, name) == name
        ):
            people.known[name] = profile
        attributes = profile.fields("attributes")
        parts = {part: word for part in NAMES if (word := attributes.text(part))}
        if parts and len(people.names) < SAMPLES:
            people.names[name] = parts
        if address := attributes.text("email"):
            addresses[name] = address
    return addresses


async def _suppression(found: Survey, app: AppApi, people: People, name: str, address: str) -> None:
    path = "/v1/esp/search_suppression/{email_address}"
    answer = await _tried(found, "one address's suppressions", app.get(path, email_address=address))
    if answer is not None and Fields(answer).objects("suppressions"):
        people.suppressed.append(name)

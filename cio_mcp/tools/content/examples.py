"""A message as people of an audience would get it: a few who show what can go wrong with it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Shape
from cio_mcp.toolkit.people.profiles import matching, profiles
from cio_mcp.toolkit.texts.readable import readable
from cio_mcp.toolkit.texts.rendering import RenderedText, attributes_in

# People who are looked at, and characters of a body that is not shown in full.
PEOPLE, OPENING = 50, 600


class Example(Shape):
    """A message as one of several people would get it."""

    chosen_for: str = Field(description="Why this person: most values missing, or longest text.")
    customer: str
    subject: str | None = None
    opening: str | None = Field(None, description="How the body begins.")
    characters: int = Field(description="The body's length as text.")
    fails: list[str] | None = None
    empty: list[str] | None = None
    defaults_used: list[str] | None = None


@dataclass(frozen=True)
class Rendition:
    """A person with the message as they would get it."""

    customer: dict[str, Any]
    shown: RenderedText
    body: str

    @property
    def name(self) -> str:
        """An identifier."""
        known = (self.customer.get(key) for key in ("id", "email", "cio_id"))
        return str(next((name for name in known if name), ""))

    @property
    def lacks(self) -> int:
        """How many values are missing, or have something else in their place."""
        found = self.shown
        return len(found.missing) + len(found.faults) + len(found.empty) + len(found.defaulted)

    def example(self, why: str) -> Example:
        """Return the person as one of several."""
        found = self.shown
        return Example(
            chosen_for=why,
            customer=self.name,
            subject=found.parts.get("subject"),
            opening=self.body[:OPENING] or None,
            characters=len(self.body),
            fails=found.fails or None,
            empty=found.empty or None,
            defaults_used=found.defaulted or None,
        )


async def audience_of(app: AppApi, condition: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the attributes of some customers who match a filter; raises InvalidArgument if nobody does."""
    page = await matching(app, condition, PEOPLE)
    known = [cio_id for who in page.listed("identifiers") if (cio_id := who.text("cio_id"))]
    found: Sequence[Fields] = await profiles(app, known, "cio_id") if known else ()
    if not found:
        raise InvalidArgument("recipients: nobody matches this filter now")
    return [attributes_in(profile) for profile in found]


async def people_with(
    customers: Sequence[dict[str, Any]],
    render: Callable[[dict[str, Any]], RenderedText],
    hide: Callable[[str], str],
) -> list[Rendition]:
    """Return people with the message as each would get it; one whose text has no end is the last."""
    found = list[Rendition]()
    for customer in customers:
        shown = render(customer)
        found.append(Rendition(customer, shown, readable(shown.parts.get("body", ""), hide).text))
        if any("cut:" in fault for fault in shown.faults):
            break
        await asyncio.sleep(0)  # others have their turn
    return found


def chosen(people: list[Rendition]) -> tuple[Rendition, list[Example]]:
    """Return a typical person, and of the others the one who lacks most and the one with the longest text."""
    rest = sorted(people, key=lambda person: (person.lacks, len(person.body)))
    typical = rest.pop(len(rest) // 2)
    others = list[Example]()
    for why, rank in (
        ("most values missing", lambda person: person.lacks),
        ("longest text", lambda person: len(person.body)),
    ):
        if rest:
            person = max(rest, key=rank)
            rest.remove(person)
            others.append(person.example(why))
    return typical, others

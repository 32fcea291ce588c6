"""The message in question: what should have sent it, found by its id or name."""

import asyncio
from dataclasses import dataclass
from typing import Literal

from cio_mcp.client import AppApi
from cio_mcp.errors import CustomerIOError, InvalidArgument
from cio_mcp.toolkit.candidates import LISTS, SYNONYMS
from cio_mcp.toolkit.reading import Fields

SourceKind = Literal["campaign", "broadcast", "newsletter", "transactional"]
KINDS: tuple[SourceKind, ...] = ("campaign", "broadcast", "newsletter", "transactional")

# Of several sources with the same words in their names, those that are told.
TOLD = 5


@dataclass(frozen=True)
class Source:
    """What sends a message: its kind, its id, and what its list tells of it."""

    kind: SourceKind
    id: int
    item: Fields

    @property
    def called(self) -> str:
        """Its kind, id and name."""
        what = f"{self.kind} {self.id}"
        return f"{what}: {name}" if (name := self.item.text("name")) else what

    @property
    def parent(self) -> str:
        """The field of a delivery that names it."""
        return f"{'transactional_message' if self.kind == 'transactional' else self.kind}_id"

    def sent(self, delivery: Fields) -> bool:
        """Say whether a delivery is one of its."""
        return delivery.whole(self.parent) == self.id


async def find_source(app: AppApi, kind: SourceKind | None, name: str, unread: list[str]) -> Source:
    """Return the source with this id or name; raises InvalidArgument unless there is exactly one.

    What cannot be read is added to `unread`; by its id a source is still known.
    """
    if name.isdecimal():
        if kind is None:
            raise InvalidArgument("kind: is needed with a number, which can be of several kinds")
        return await _by_id(app, kind, int(name), unread)
    failed: list[CustomerIOError] = []
    lists = await asyncio.gather(*(_sources(app, one, failed) for one in ([kind] if kind else KINDS)))
    there = [source for found in lists for source in found]
    words = name.casefold()
    found = [one for one in there if words in _names(one)]
    found = found or [one for one in there if any(words in known for known in _names(one))]
    unread += [error.what for error in failed]
    if len(found) == 1:
        return found[0]
    if found:
        told = "; ".join(one.called for one in found[:TOLD])
        raise InvalidArgument(f"source_id: several match: {told}; give kind and id of one")
    if failed:
        raise failed[0]
    raise InvalidArgument(f"source_id: no {kind or 'source'} has {name} as id or name")


async def _by_id(app: AppApi, kind: SourceKind, number: int, unread: list[str]) -> Source:
    path, _ = LISTS[SYNONYMS.get(kind, kind)]
    try:
        answer = Fields(await app.get(f"{path}/{{source_id}}", source_id=number))
    except CustomerIOError as error:
        if error.status == 404:
            raise
        unread.append(f"{kind} {number}: {error.what}")
        answer = Fields(None)
    return Source(kind, number, answer.wrapped("message" if kind == "transactional" else kind))


async def _sources(app: AppApi, kind: SourceKind, failed: list[CustomerIOError]) -> list[Source]:
    path, key = LISTS[SYNONYMS.get(kind, kind)]
    try:
        answer = Fields(await app.get(path, {"limit": 100} if kind == "newsletter" else None)).listed(key)
    except CustomerIOError as error:
        failed.append(error)
        return []
    items = ((item.whole("id"), item) for item in answer)
    return [Source(kind, number, item) for number, item in items if number is not None]


def _names(source: Source) -> set[str]:
    return {word.casefold() for key in ("name", "trigger_name") if (word := source.item.text(key))}

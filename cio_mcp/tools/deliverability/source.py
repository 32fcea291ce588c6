"""The message in question: what should have sent it, found by its id or name."""

import asyncio
from dataclasses import dataclass
from typing import Literal

from cio_mcp.client import AppApi
from cio_mcp.errors import CustomerIOError, InvalidArgument
from cio_mcp.toolkit.answers.candidates import LISTS, SYNONYMS
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.things import source_state

SourceKind = Literal["campaign", "broadcast", "newsletter", "transactional"]
KINDS: tuple[SourceKind, ...] = ("campaign", "broadcast", "newsletter", "transactional")

# Of several sources with the same words in their names, those that are told.
TOLD = 5


@dataclass(frozen=True)
class MessageSource:
    """What sends a message: its kind, its id, and what its list tells of it."""

    kind: SourceKind
    id: int
    item: Fields

    @property
    def called(self) -> str:
        """Its kind, id and name."""
        what = f"{self.kind} {self.id}"
        return f"{what}: {name}" if (name := self.item.text("name")) else what

    def sent(self, delivery: Fields) -> bool:
        """Say whether a delivery is one of its."""
        return delivery.whole(field_of(self.kind)) == self.id


def field_of(kind: SourceKind) -> str:
    """Return the field of a delivery that names what sent it."""
    return f"{SYNONYMS.get(kind, kind)}_id"


def sender_of(delivery: Fields) -> str | None:
    """Return what sent a delivery, in words, as far as the delivery tells."""
    told = ((kind, delivery.whole(field_of(kind))) for kind in KINDS)
    return next((f"{kind} {number}" for kind, number in told if number is not None), None)


async def find_source(app: AppApi, kind: SourceKind | None, name: str, unread: list[str]) -> MessageSource:
    """Return the source with this id or name; raises InvalidArgument unless there is exactly one.

    What cannot be read is added to `unread`; by its id a source is still known.
    """
    if name.isdecimal():
        if kind is None:
            raise InvalidArgument("kind: is required with a number, which several kinds can have")
        return await source_by_id(app, kind, int(name), unread)
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


async def newest_source(app: AppApi, kind: SourceKind, unread: list[str]) -> tuple[MessageSource | None, str]:
    """Return the newest source of a kind that can have sent something, and names of others."""
    failed: list[CustomerIOError] = []
    found = sorted(await _sources(app, kind, failed), key=_newness, reverse=True)
    unread += [f"{kind}s: {error.what}" for error in failed]
    return next(iter(found), None), "; ".join(one.called for one in found[1:TOLD])


def _newness(source: MessageSource) -> tuple[bool, float, int]:
    running = source_state(source.item) in {"running", None} and not source.item.empty("sent_at")
    return running, source.item.seconds("sent_at") or 0, source.id


async def source_by_id(app: AppApi, kind: SourceKind, number: int, unread: list[str]) -> MessageSource:
    """Return a source, with what can be read of it; raises Refused if there is none."""
    path, _ = LISTS[SYNONYMS.get(kind, kind)]
    try:
        answer = Fields(await app.get(f"{path}/{{source_id}}", source_id=number))
    except CustomerIOError as error:
        if error.status == 404:
            raise
        unread.append(f"{kind} {number}: {error.what}")
        answer = Fields(None)
    return MessageSource(kind, number, answer.wrapped("message" if kind == "transactional" else kind))


async def _sources(app: AppApi, kind: SourceKind, failed: list[CustomerIOError]) -> list[MessageSource]:
    path, key = LISTS[SYNONYMS.get(kind, kind)]
    try:
        answer = Fields(await app.get(path, {"limit": 100} if kind == "newsletter" else None)).listed(key)
    except CustomerIOError as error:
        failed.append(error)
        return []
    items = ((item.whole("id"), item) for item in answer)
    return [MessageSource(kind, number, item) for number, item in items if number is not None]


def _names(source: MessageSource) -> set[str]:
    return {word.casefold() for key in ("name", "trigger_name") if (word := source.item.text(key))}

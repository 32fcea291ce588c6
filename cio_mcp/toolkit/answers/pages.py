"""Pages of lists: as much as an answer can hold, and how to get the rest."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Numbered

_Item = TypeVar("_Item", bound=BaseModel)
_Numbered = TypeVar("_Numbered", bound=Numbered)

# Beyond this size an answer leaves out whole items: a longer one would crowd the agent's own work out of its
# context.
PAGE_BYTES = 16_000


def fitting(items: Iterable[Any]) -> int:
    """Return how many of `items`, written as JSON, fit the byte cap: at least one."""
    size = count = 0
    for count, item in enumerate(items, 1):
        size += len(json.dumps(item))
        if count > 1 and size > PAGE_BYTES:
            return count - 1
    return count


def page_of(items: list[_Item], limit: int) -> tuple[list[_Item], str | None]:
    """Return as many items as `limit` and the byte cap allow, and a note if any were left out."""
    kept = items[: fitting(item.model_dump(mode="json", exclude_none=True) for item in items[:limit])]
    left = len(items) - len(kept)
    return kept, f"{left} more match; pass next_cursor as cursor to get them" if left else None


def newest_first(items: list[Fields], cursor: int | None = None) -> list[Fields]:
    """Return the items of an unpaged list, highest id (newest) first, only ids below `cursor`.

    Items without an id come last, on the last page.
    """
    numbered = [(number, item) for item in items if (number := item.whole("id")) is not None]
    found = sorted(numbered, key=lambda one: one[0], reverse=True)
    return [item for number, item in found if cursor is None or number < cursor] + [
        item for item in items if item.whole("id") is None
    ]


def page_by_id(items: list[_Numbered], limit: int) -> tuple[list[_Numbered], str | None, str | None]:
    """Return a page of items sorted by `newest_first`, the next page's cursor, and the note of `page_of`."""
    kept, left_out = page_of(items, limit)
    if left_out is None:
        return kept, None, None
    if (last := kept[-1].id) is None:
        return kept, None, f"{len(items) - len(kept)} more, which have no id"
    return kept, str(last), left_out


def cut_page(items: list[_Item], next_cursor: str | None) -> tuple[list[_Item], str | None, str | None]:
    """Return as much of one of Customer.io's pages as fits the byte cap, the next cursor, and a note.

    Customer.io has no cursor for the middle of its page, so the note asks for a smaller limit instead.
    """
    kept, left_out = page_of(items, len(items))
    if left_out is None:
        return kept, next_cursor or None, None
    note = f"{len(items) - len(kept)} did not fit into this answer; call again with limit={len(kept)}"
    return kept, None, note


def joined(*notes: str | None) -> str | None:
    """Return what was left out for several reasons as one note."""
    return "; ".join(note for note in notes if note) or None


def enumerated(names: Sequence[str], word: str) -> str:
    """Return names as a sentence lists them: `a, b and c`, with this word before the last."""
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))

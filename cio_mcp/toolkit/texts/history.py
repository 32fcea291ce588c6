"""What texts of messages said before they were changed here, kept where confirmation codes are."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from cio_mcp.client import Call
from cio_mcp.errors import CustomerIOError
from cio_mcp.toolkit.answers.reading import Fields

Values = Mapping[str, Any]


class Shelves(Protocol):
    """Keeps a few texts on each of many shelves, for all servers that share it."""

    async def keep(self, shelf: str, text: str) -> int:
        """Keep a text; return its number."""

    async def kept(self, shelf: str) -> dict[int, str]:
        """Return the texts on a shelf by number, the newest first."""

    async def drop(self, shelf: str, number: int) -> None:
        """Drop a text."""


@dataclass(frozen=True)
class Before:
    """What fields of a text held before a change, and when that was made."""

    changed_at: str
    fields: Values


@dataclass(frozen=True)
class History:
    """The changes that were made in a workspace through servers that share a store, as one call sees them."""

    shelves: Shelves
    workspace: str = ""
    call: Call | None = None

    async def of(self, text: str) -> dict[int, Before]:
        """Return the changes of a text by number, the newest first."""
        found = await self.shelves.kept(self._shelf(text))
        read = {number: Fields(json.loads(entry)) for number, entry in found.items()}
        return {
            number: Before(entry.time("at") or "", entry.mapping("before") or {})
            for number, entry in read.items()
        }

    @asynccontextmanager
    async def keeping(self, text: str, before: Values) -> AsyncIterator[int]:
        """Keep what a text holds while it is changed inside this context; yields the change's number.

        It is kept first, since an answer can be lost, and dropped if the change certainly did not happen.
        """
        if self.call is None or self.call.dry_run:
            yield 0
            return
        entry = json.dumps({"at": round(self.call.called_at), "before": dict(before)})
        number = await self.shelves.keep(self._shelf(text), entry)
        try:
            yield number
        except CustomerIOError as error:
            if error.outcome != "unknown":
                await self.shelves.drop(self._shelf(text), number)
            raise

    def _shelf(self, text: str) -> str:
        return f"{self.workspace}:{text}"

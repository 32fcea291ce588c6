"""What a server keeps of late calls of many rows: how rows ended, for reading, and which events were sent."""

import hashlib
import secrets
import zlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json, to_json

from cio_mcp.toolkit.rows.event_ids import in_order
from cio_mcp.toolkit.rows.outcomes import RowEnd, RowReport

# The results of so many calls are kept, in so many bytes; in one of them the values of rows have so many.
KEPT, MOST_BYTES, VALUES = 20, 8_000_000, 4_000_000

# So many events are remembered.
REMEMBERED = 50_000


@dataclass
class _Shelf:
    """Results by caller and name, the oldest first, packed; and each caller's newest dry run among them."""

    kept: OrderedDict[tuple[str, str], bytes] = field(default_factory=OrderedDict)
    previews: dict[str, str] = field(default_factory=dict)
    events: OrderedDict[str, int] = field(default_factory=OrderedDict)
    most_events: int = REMEMBERED

    def put(self, caller: str, name: str, packed: bytes, *, preview: bool) -> None:
        """Keep one more, and no more than fit. Of dry runs only the newest one is kept."""
        before = self.previews.pop(caller, name)
        if preview:
            self.previews[caller] = name
        if before != name:
            self.kept.pop((caller, before), None)
        self.kept[caller, name] = packed
        self.kept.move_to_end((caller, name))
        while len(self.kept) > KEPT or sum(map(len, self.kept.values())) > MOST_BYTES:
            (whose, oldest), _ = self.kept.popitem(last=False)
            if self.previews.get(whose) == oldest:
                del self.previews[whose]


@dataclass
class Results:
    """What is kept of calls, as one caller may see and add to it."""

    caller: str = ""
    _shelf: _Shelf = field(default_factory=_Shelf)
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def of(self, caller: str) -> "Results":
        """Return what is kept as one caller may see and add to it."""
        return Results(caller, self._shelf, self._secret)

    def keep(self, ends: Iterable[RowEnd], *, preview: bool = False) -> str:
        """Keep how rows ended; returns the name under which that is. What is the same has the same name."""
        room, told = VALUES, []
        for end in ends:
            row = end.told().model_dump(exclude_none=True)
            room -= len(to_json(row.get("values")))
            told.append(row if room > 0 else row | {"values": None})
        packed = zlib.compress(to_json(told), 1)
        name = hashlib.blake2b(packed, key=self._secret, digest_size=6).hexdigest()
        self._shelf.put(self.caller, name, packed, preview=preview)
        return name

    def read(self, name: str) -> list[RowReport] | None:
        """Return rows that were kept, None if they are not there any more."""
        packed = self._shelf.kept.get((self.caller, name))
        if packed is None:
            return None
        return [RowReport(**row) for row in from_json(zlib.decompress(packed))]

    def packed(self) -> dict[str, bytes]:
        """Return all results of the caller as they are kept, by name."""
        return {name: packed for (caller, name), packed in self._shelf.kept.items() if caller == self.caller}

    def restore(self, name: str, packed: bytes) -> None:
        """Put back what another process kept; what is no such thing is skipped."""
        try:
            [RowReport(**row) for row in from_json(zlib.decompress(packed))]
        except (zlib.error, ValueError, TypeError):
            return
        self._shelf.put(self.caller, name, packed, preview=False)

    def remember(self, event: dict[str, Any]) -> None:
        """Remember an event that was sent: Customer.io keeps the first one of its id."""
        self._shelf.events.setdefault(event["id"], _digest(event))
        while len(self._shelf.events) > self._shelf.most_events:
            self._shelf.events.popitem(last=False)

    def remember_none(self) -> None:
        """Remember no events: whoever calls reads no notes on them, and may send any number."""
        self._shelf.most_events = 0

    @property
    def remembers(self) -> bool:
        """Say whether events are remembered that were sent."""
        return self._shelf.most_events > 0

    def differs(self, event: dict[str, Any]) -> bool:
        """Say whether an event of this id was sent that says something else."""
        known = self._shelf.events.get(event["id"])
        return known is not None and known != _digest(event)


def _digest(event: dict[str, Any]) -> int:
    what = [event["name"], event["identifiers"], event.get("timestamp"), in_order(event.get("attributes"))]
    return hash(to_json(what))

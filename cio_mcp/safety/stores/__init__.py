"""The state that servers share to keep bounds: confirmation codes, counts of recipients, the stop switch.

A store is a SQLite file (`file`) or a Redis (`redis`).
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

Use = Literal["first", "again", "late", "never"]

# A shelf keeps so many texts, and what nothing was added to for so many seconds is forgotten.
SHELF, KEPT = 10, 90 * 86_400.0

# Undoes the counting of recipients to whom nothing was sent.
Refund = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class NoRoom:
    """The caps leave no room for a send; there may be room in `seconds`, or never if that is None."""

    seconds: float | None


class Store(Protocol):
    """A store of codes and counts, with a clock of its own.

    Two callers at the same moment cannot both use a code, or the last message of a cap. All methods but
    `trouble` raise NotAllowed while the store cannot be used. `place` is a name that may be shown.
    """

    place: str

    async def remember(self, code: str, bound: str, life: float) -> None:
        """Store a code's hash, what the code is bound to, and for how many seconds it is valid."""

    async def use(self, code: str) -> tuple[Use, str]:
        """Use up a code; return which use this is, and what the code is bound to."""

    async def restore(self, code: str, bound: str | None = None) -> None:
        """Make a code valid again, because its call was not executed; `bound` is what it is bound to now."""

    async def spend(
        self, workspace: str, recipients: int, caps: Mapping[float, int], at: float | None = None
    ) -> Refund | NoRoom:
        """Count `recipients`, now or `at` a later time, if no cap (recipients by seconds) would be exceeded.

        A cap holds for every window in which that time is. Returns a function that undoes the counting, or
        else when there may be room. To keep few rows, a window may last up to a 60th longer.
        """

    async def schedule(self, what: str, at: float) -> None:
        """Remember that something goes out `at` a later time; 0 if it no longer does."""

    async def scheduled(self) -> list[str]:
        """Return what goes out later, each with its time."""

    async def sent(self, workspace: str, seconds: float) -> int:
        """Return the number of recipients counted in the last `seconds`."""

    async def keep(self, shelf: str, text: str) -> int:
        """Keep a text on a shelf, beside the few newest that are there; return its number."""

    async def kept(self, shelf: str) -> dict[int, str]:
        """Return the texts on a shelf by number, the newest first."""

    async def drop(self, shelf: str, number: int) -> None:
        """Drop one of the texts on a shelf."""

    async def stop(self, stop: bool) -> str:
        """Stop all calls that act in all servers that share this store, or lift one's own stop.

        Returns what stops them now, empty if nothing does.
        """

    async def stopped(self) -> bool:
        """Return whether all calls that act are stopped."""

    async def trouble(self) -> str | None:
        """Return what the store cannot do now, and why; None if it works."""

    async def aclose(self) -> None:
        """Close what is open."""


def in_order(scheduled: Iterable[tuple[str, float]]) -> list[str]:
    """Return what is scheduled as texts, the next first."""
    moments = ((datetime.fromtimestamp(round(at), UTC), what) for what, at in scheduled)
    return [f"{moment.isoformat().replace('+00:00', 'Z')}: {what}" for moment, what in sorted(moments)]

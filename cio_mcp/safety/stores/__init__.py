"""Where servers keep what they must know of each other to keep bounds: codes given out, messages sent.

A store is a SQLite file (`file`) or a Redis (`redis`).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol

Use = Literal["first", "again", "late", "never"]

# Takes back what was counted: nothing was sent.
Refund = Callable[[], Awaitable[None]]


class Store(Protocol):
    """Where codes and counts are kept, with a clock of its own.

    Two that ask at the same moment cannot both use a code, or the last message of a cap. Everything but
    `trouble` raises NotAllowed while the store cannot be used. `place` names it in public.
    """

    place: str

    async def remember(self, code: str, bound: str, life: float) -> None:
        """Remember a code by its hash, what it is bound to, and for how many seconds it holds."""

    async def use(self, code: str) -> tuple[Use, str]:
        """Use up a code; returns which use this is, and what the code is bound to."""

    async def restore(self, code: str, bound: str | None = None) -> None:
        """Make a code usable again: what it was used for was not done."""

    async def spend(self, workspace: str, recipients: int, caps: Mapping[float, int]) -> Refund | float:
        """Count `recipients` as sent to, if each cap (seconds: recipients in them) leaves room for them.

        Returns what takes it back; or else the seconds until there may be room, infinity if that is never.
        So that few counts are kept, a window lasts up to a 60th longer.
        """

    async def sent(self, workspace: str, seconds: float) -> int:
        """Return how many recipients were counted in the last seconds, a cap's."""

    async def stop(self, stop: bool) -> None:
        """Stop everything that acts in all servers that share this store, or let it go on."""

    async def stopped(self) -> bool:
        """Say whether everything that acts is stopped."""

    async def trouble(self) -> str | None:
        """Return what cannot be kept now, and why; None if all is well."""

    async def aclose(self) -> None:
        """Let go of what is held."""

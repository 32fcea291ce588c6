"""Caps that no agent can exceed: how many people may be reached, and how much be deleted, in a time."""

import math
from collections.abc import Sequence
from typing import Literal

from cio_mcp.errors import NotAllowed
from cio_mcp.safety.bounds import ASK_OPERATOR
from cio_mcp.safety.grant import Grant
from cio_mcp.safety.stores import NoRoom, Refund, Store
from cio_mcp.settings.values import Cap

# What caps count.
WHAT = {"sends": "recipients", "deletions": "deletions"}


class Caps:
    """Counts recipients of sends, or deletions, against the caps of one workspace."""

    def __init__(
        self, of: Literal["sends", "deletions"], caps: Sequence[Cap], store: Store, workspace: str
    ) -> None:
        self._of = of
        self._caps = caps
        self._store = store
        self._workspace = workspace
        self._where = workspace if of == "sends" else f"{workspace} {of}"

    def of(self, grant: Grant) -> "Caps":
        """Return the caps of one caller's grant."""
        return Caps(self._of, grant.caps(self._of), self._store, f"{self._workspace} {grant.name}")

    async def spend(self, number: int, grants: Sequence[Grant] = (), at: float | None = None) -> list[Refund]:
        """Count a call here and for each grant, now or in the window of the time `at`.

        Returns functions that undo the counting. Raises NotAllowed if a cap would be exceeded or the store
        cannot be used, and then counts nothing.
        """
        spent: list[Refund] = []
        try:
            for caps in (self, *map(self.of, grants)):
                spent += await caps.spend_here(number, at)
        except NotAllowed:
            for refund in spent:
                await refund()
            raise
        return spent

    async def spend_here(self, number: int, at: float | None = None) -> list[Refund]:
        """Count a call against these caps only."""
        if not self._caps:
            return []
        windows = {cap.seconds: cap.most for cap in self._caps}
        spent = await self._store.spend(self._where, number, windows, at)
        if not isinstance(spent, NoRoom):
            return [spent]
        names = " and ".join(f"{cap.setting}={cap.most}" for cap in self._caps)
        wait, then = spent.seconds, "" if at is None else " at the time for which it is scheduled"
        if wait is None:
            do = f"Name fewer recipients. {ASK_OPERATOR}" if self._of == "sends" else ASK_OPERATOR
        else:
            do = f"Call again in {math.ceil(wait)} s." if at is None else "Choose another time."
        again = wait is not None and at is None
        raise NotAllowed(
            f"Nothing was {'sent' if self._of == 'sends' else 'done'}: {number} more {WHAT[self._of]} would "
            f"exceed {names}{then}.",
            do=do,
            retryable=again,
            retry_in=wait if again else None,
        )

    async def left(self) -> list[tuple[Cap, int | None]]:
        """Return each cap with what it still allows, None while that is unknown."""
        return [(cap, await self._left(cap)) for cap in self._caps]

    async def _left(self, cap: Cap) -> int | None:
        try:
            return max(0, cap.most - await self._store.sent(self._where, cap.seconds))
        except NotAllowed:
            return None

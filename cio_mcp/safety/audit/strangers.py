"""Requests without a valid token, in the audit log: one counted line a minute, however many there are."""

import asyncio
import contextlib
from collections import Counter

from cio_mcp.safety.audit.log import AuditLog

MINUTE = 60.0


class Strangers:
    """Counts refused requests by the reason, and records the counts a minute after the first."""

    def __init__(self, audit: AuditLog | None) -> None:
        self._audit = audit
        self._reasons = Counter[str]()
        self._due: asyncio.TimerHandle | None = None

    def add(self, reason: str) -> None:
        """Count one request that was refused; the reason quotes nothing of it."""
        if self._audit:
            self._reasons[reason] += 1
            self._due = self._due or asyncio.get_running_loop().call_later(MINUTE, self.write)

    def write(self) -> None:
        """Record what was counted since the last line."""
        if self._due:
            self._due.cancel()
        reasons, self._reasons, self._due = self._reasons, Counter(), None
        if self._audit and reasons:
            with contextlib.suppress(OSError):
                self._audit.strangers(reasons)

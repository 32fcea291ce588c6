"""One call that acts, from its intent to its end, as the audit log knows it."""

import asyncio
import logging
from typing import Any

from cio_mcp.errors import NotAllowed
from cio_mcp.safety.audit import AuditLog
from cio_mcp.toolkit.answers import Answer
from cio_mcp.toolkit.registry import Tool

# What Customer.io, or we, gave what came of a call; none of it is personal.
IDS = ("delivery_id", "trigger_id", "event_id", "newsletter_id", "broadcast_id", "export_id")

_log = logging.getLogger(__name__)


class Act:
    """Records an intent at once, and how it ended. Raises NotAllowed if the intent cannot be recorded."""

    def __init__(
        self, audit: AuditLog | None, request: str, caller: str, tool: Tool, arguments: dict[str, Any]
    ) -> None:
        self._audit, self._request = audit, request
        try:
            if audit:
                audit.intent(request, caller, tool.name, tool.effect, arguments)
        except OSError as error:
            raise NotAllowed(
                f"Nothing was done: the audit log (CIO_AUDIT_LOG) cannot be written: {error.strerror}.",
                do="An operator must mend that.",
            ) from None

    def ended(self, outcome: str, status: int | None = None, **ids: Any) -> None:
        """Record how the call ended; that this cannot be written changes nothing about it."""
        if self._audit:
            try:
                self._audit.outcome(self._request, outcome, f"status {status}" if status else None, **ids)
            except OSError as error:
                _log.error("the audit log has no outcome for %s: %s", self._request, error.strerror)

    def done(self, answer: Answer) -> None:
        """Record what the call answered."""
        found = answer.model_dump(mode="json", include=set(IDS), exclude_none=True)
        self.ended(str(getattr(answer, "outcome", "done")), **found)

    def given_up(self, sending: asyncio.Task[Any] | None) -> None:
        """Record how a call ends that nobody waits for: once its answer is back, if anything has left."""
        if sending is None:
            self.ended("not_sent")
        elif self._audit:
            sending.add_done_callback(self._back)

    def _back(self, sending: asyncio.Task[Any]) -> None:
        if sending.cancelled() or sending.exception():
            self.ended("unknown")
            return
        status: int = sending.result().status_code
        lost = status >= 500 or status == 408
        self.ended("unknown" if lost else "done" if status < 300 else "refused", status)

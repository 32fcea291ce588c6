"""The audit log's entries for a call that acts: its intent, and its outcome or why it was refused."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import cache
from typing import Any

from cio_mcp.errors import CustomerIOError, NotAllowed
from cio_mcp.safety.audit.log import AuditLog, Entry
from cio_mcp.safety.tool_call import ToolCall
from cio_mcp.toolkit.answers.shapes import Answer
from cio_mcp.toolkit.arguments.parsing import has_mark
from cio_mcp.toolkit.arguments.types import Naming
from cio_mcp.toolkit.registry import Tool
from cio_mcp.toolkit.rows.given import RowInput

# Ids in answers that identify what a call produced; none is personal.
IDS = ("delivery_id", "trigger_id", "event_id", "newsletter_id", "broadcast_id", "export_id")

# How many rows ended how.
COUNTS = ("accepted", "repeated", "refused", "unknown", "not_sent")

_log = logging.getLogger(__name__)


def names_in(call: ToolCall) -> list[str]:
    """Return all that a call names: people, recipients, and things of the workspace, by their identifiers."""
    found = [text for name in _naming(call.tool) for text in _leaves(call.given.get(name))]
    for rows in _rows(call):
        found += rows.about
    if reached := call.audience:
        found += [*reached.addresses, *(name for names in reached.people.values() for name in names)]
    return found


def _entry(call: ToolCall) -> Entry:
    tool = call.tool
    return Entry(call.request, call.caller, tool.name, tool.effect, call.given, names_in(call), _count(call))


def _rows(call: ToolCall) -> list[RowInput]:
    return [value for value in call.given.values() if isinstance(value, RowInput)]


def _count(call: ToolCall) -> int | None:
    """Return how many rows a call has, if it has any."""
    return sum(len(rows.rows) for rows in _rows(call)) or None


@cache
def _naming(tool: Tool) -> tuple[str, ...]:
    """Return the arguments that name somebody or something; looking through their types takes its time."""
    return tuple(name for name, (hint, _) in tool.parameters.items() if has_mark(hint, Naming))


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, (dict, list, tuple)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    elif isinstance(value, (str, int)):
        yield str(value)


def _unwritable(error: OSError) -> NotAllowed:
    return NotAllowed(
        f"Nothing was done: the audit log (CIO_AUDIT_LOG) cannot be written: {error.strerror}.",
        do="An operator has to fix that.",
    )


class Record:
    """Records calls in an audit log, if there is one; those that only read if `reads` says so."""

    def __init__(self, audit: AuditLog | None, *, reads: bool = False) -> None:
        self._audit = audit
        self._reads = reads

    @contextlib.contextmanager
    def refusals(self, call: ToolCall) -> Iterator[None]:
        """Record a refusal if the call inside is not allowed."""
        try:
            yield
        except NotAllowed as error:
            if self._audit:
                with contextlib.suppress(OSError):
                    self._audit.refusal(_entry(call), error.record)
            raise

    def denial(self, call: ToolCall, tool: Tool | None, arguments: dict[str, Any], reason: str) -> None:
        """Record that a caller may not call a tool, or not in the workspace that they named."""
        if self._audit:
            effect = str(tool.effect) if tool else "none"
            with contextlib.suppress(OSError):
                entry = Entry(call.request, call.caller, call.name, effect, arguments)
                self._audit.refusal(entry, reason)

    def read(self, call: ToolCall) -> AbstractAsyncContextManager[None]:
        """Record the call inside, which only reads, if reads of the workspace are recorded."""
        return self._read(call) if self._reads and call.tool.apis else nullcontext()

    @asynccontextmanager
    async def _read(self, call: ToolCall) -> AsyncIterator[None]:
        async with self.act(call):
            await self.on_disk(call)
            yield

    def act(self, call: ToolCall) -> AbstractAsyncContextManager[None]:
        """Record the call inside: its intent, which begins its way to the disk, then its outcome.

        Raises NotAllowed if the intent cannot be recorded. If the outcome cannot be, the call stays as it is.
        """
        return self._recorded(call, self._audit) if self._audit else nullcontext()

    async def on_disk(self, call: ToolCall) -> None:
        """Return once the intent of a call is on the disk, if calls are recorded; nothing may leave before.

        Raises NotAllowed if it does not come there.
        """
        if call.recorded:
            try:
                await asyncio.shield(call.recorded)  # other requests of the call wait for it, too
            except OSError as error:
                raise _unwritable(error) from None

    @asynccontextmanager
    async def _recorded(self, call: ToolCall, audit: AuditLog) -> AsyncIterator[None]:
        try:
            audit.intent(_entry(call))
        except OSError as error:
            raise _unwritable(error) from None
        call.recorded = audit.begin()
        try:
            yield
        except CustomerIOError as error:
            self._ended(call, error.outcome, error.status)
            raise
        except asyncio.CancelledError:
            self._given_up(call)
            raise
        answer = call.answer or Answer()
        found = answer.model_dump(mode="json", include={*IDS, *COUNTS}, exclude_none=True)
        self._ended(call, str(getattr(answer, "outcome", "done")), **found)

    def _given_up(self, call: ToolCall) -> None:
        """Record the outcome of a cancelled call: if a request was sent, once its answer is back."""

        def back(sending: asyncio.Task[Any]) -> None:
            if sending.cancelled() or sending.exception():
                self._ended(call, "unknown")
                return
            status: int = sending.result().status_code
            lost = status >= 500 or status == 408
            unclear = lost or call.several  # of several requests, others may not have left
            self._ended(call, "unknown" if unclear else "done" if status < 300 else "refused", status)

        if call.sending is None:
            self._ended(call, "not_sent")
        else:
            call.sending.add_done_callback(back)

    def _ended(self, call: ToolCall, outcome: str, status: int | None = None, **ids: Any) -> None:
        if self._audit is None:
            return
        try:
            self._audit.outcome(call.request, outcome, f"status {status}" if status else None, **ids)
        except OSError as error:
            _log.error("the audit log has no outcome for %s: %s", call.request, error.strerror)

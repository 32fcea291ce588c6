"""Counting the recipients of a call against the caps, and undoing that if nobody was reached."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cio_mcp.errors import CustomerIOError, NotAllowed
from cio_mcp.safety.audit.record import IDS
from cio_mcp.safety.caps import Caps
from cio_mcp.safety.confirmation import Confirmations
from cio_mcp.safety.schedule import due_at
from cio_mcp.safety.stores import Store
from cio_mcp.safety.tool_call import ToolCall
from cio_mcp.toolkit.people.audience import Audience
from cio_mcp.toolkit.registry import Effect


@dataclass(frozen=True)
class Counting:
    """Counts sends against `caps`, and `deletions`; what certainly had no effect is counted back.

    It also gets its confirmation back. What goes out later is kept in `store`, with the name of the
    `workspace`, so that a stop can list it.
    """

    caps: Caps
    deletions: Caps
    confirmations: Confirmations
    store: Store
    workspace: str = ""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def undoing(self, call: ToolCall) -> AsyncIterator[None]:
        """Take back what was counted of the call inside, and its code, if it was certainly not executed."""
        call.sending = None  # forget the requests that only read
        try:
            yield
            await self._schedule(call)
        except CustomerIOError as error:
            if error.outcome != "unknown":
                await self._take_back(call)
            else:
                await self._schedule(call)
            raise
        except asyncio.CancelledError:
            if call.sending is None:
                await self._take_back(call)
            raise

    async def count(self, call: ToolCall) -> None:
        """Count the recipients of a call, or its deletion; raises NotAllowed beyond a cap."""
        call.requests = 0  # those so far only read
        if call.audience and call.approved is None:
            call.approved = call.audience.counted_size
        if call.audience and call.audience.size != 0:
            await self._spend(call, call.audience)
        if call.tool.effect is Effect.DELETES:
            call.refunds += await self.deletions.spend(1, call.grants)

    async def grow(self, call: ToolCall, found: Audience) -> None:
        """Count the people by whom an audience has grown since it was counted.

        Raises NotAllowed if it has grown by more than CIO_MAX_AUDIENCE_GROWTH allows since it was approved,
        in however many steps, or beyond a cap.
        """
        if reason := self.confirmations.grown(call.approved, found):
            raise NotAllowed(f"Nothing was sent: {reason}.", do="Call again.", retryable=True)
        if (found.size or 0) > call.counted:
            await self._spend(call, found)

    async def _spend(self, call: ToolCall, audience: Audience) -> None:
        """Count those of an audience who are not counted yet."""
        size = audience.size or 0
        at = due_at(call.outgoing) or None
        call.refunds += await self.caps.spend(size - call.counted, call.grants, at)
        call.counted = size

    async def _schedule(self, call: ToolCall) -> None:
        """Keep when a call that was made, or may have been, takes effect, or that it no longer does."""
        if (at := due_at(call.outgoing)) is None:
            return
        found = {name: value for name in IDS if (value := getattr(call.answer, name, None))}
        ids = found or {name: value for name in IDS if (value := call.given.get(name))}
        named = [f"{name} {value}" for name, value in ids.items()] or [f"request {call.request}"]
        with contextlib.suppress(NotAllowed):  # it has left, whether that can be kept or not
            await self.store.schedule(", ".join(filter(None, (self.workspace, call.tool.name, *named))), at)

    async def _take_back(self, call: ToolCall) -> None:
        """Undo the counting of recipients, and make a code valid again.

        This continues even if the call is cancelled. If the store cannot be written, the recipients stay
        counted and the code stays used, which is the safe side.
        """

        async def take_back() -> None:
            with contextlib.suppress(NotAllowed):
                for refund in call.refunds:
                    await refund()
                if call.code and call.confirmed:  # any other code was not used up by this call
                    await self.confirmations.restore(call.code)

        task = asyncio.create_task(take_back())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        await asyncio.shield(task)

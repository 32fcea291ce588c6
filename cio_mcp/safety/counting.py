"""Counting the recipients of a call against the caps, and undoing that if nobody was reached."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cio_mcp.errors import CustomerIOError, NotAllowed
from cio_mcp.safety.bounds import Caps
from cio_mcp.safety.call import ToolCall
from cio_mcp.safety.confirmation import Confirmations
from cio_mcp.toolkit.audience import Audience


@dataclass(frozen=True)
class Counting:
    """Counts calls against `caps`; what was certainly not executed also gets its confirmation back."""

    caps: Caps
    confirmations: Confirmations
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def counted(self, call: ToolCall) -> AsyncIterator[None]:
        """Count the recipients against the caps, and undo that if the call was certainly not executed."""
        call.sending, call.requests = None, 0  # forget the requests that only read
        try:
            if call.audience and call.audience.countable and call.approved is None:
                call.approved = call.audience.size
            if call.audience and call.audience.size != 0:
                await self._spend(call, call.audience)
            yield
        except CustomerIOError as error:
            if error.outcome != "unknown":
                await self._take_back(call)
            raise
        except asyncio.CancelledError:
            if call.sending is None:
                await self._take_back(call)
            raise

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
        call.refunds += await self.caps.spend(size - call.counted, call.grants)
        call.counted = size

    async def _take_back(self, call: ToolCall) -> None:
        """Undo the counting of recipients, and make a code valid again.

        This continues even if the call is cancelled. If the store cannot be written, the recipients stay
        counted and the code stays used, which is the safe side.
        """

        async def take_back() -> None:
            with contextlib.suppress(NotAllowed):
                for refund in call.refunds:
                    await refund()
                if call.code:
                    await self.confirmations.restore(call.code)

        task = asyncio.create_task(take_back())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        await asyncio.shield(task)

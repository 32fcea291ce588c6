"""Polling: reading something repeatedly until it is finished or the caller's wait is over."""

import asyncio
from typing import Annotated

from pydantic import Field, WithJsonSchema

from cio_mcp.client import now
from cio_mcp.client.call import Call, QueuePlace
from cio_mcp.toolkit.arguments.types import WholeNumber

# Seconds: the first pause between two reads, and the time of a call that is reserved for the last read.
FIRST_PAUSE, LAST_READ = 1.0, 3.0


WaitSeconds = Annotated[
    Annotated[int, Field(ge=0, le=600), WholeNumber, WithJsonSchema({"type": "integer"})] | None,
    Field(description="Seconds to wait for its end, at most 600."),
]


class Polling:
    """A wait of `seconds`, cut short by the call's deadline, whose pauses grow up to `longest` seconds."""

    def __init__(self, call: Call, seconds: float, longest: float) -> None:
        self._call = call
        self._begun = now()
        self._end = min(self._begun + seconds, call.deadline - LAST_READ)
        self._pause = FIRST_PAUSE
        self._longest = longest

    @property
    def elapsed(self) -> float:
        """Seconds since the first read."""
        return now() - self._begun

    @property
    def over(self) -> bool:
        """Whether the wait is over, so that there is no further read."""
        return now() >= self._end

    async def pause(self, still: str = "") -> None:
        """Wait until the next read; report `still`, the current state if it is known, as progress."""
        if still and self._call.tell:
            await self._call.tell(QueuePlace(self.elapsed, 0, self._end - now(), still))
        await asyncio.sleep(min(self._pause, self._end - now()))
        self._pause = min(self._pause * 1.5, self._longest)

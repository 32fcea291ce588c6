"""Looking again and again at what takes its time, for as long as the caller wants to wait."""

import asyncio

from cio_mcp.client import now
from cio_mcp.client.call import Call, Place

# Seconds: the first pause between two looks, and what is kept of a call for its last look.
FIRST_PAUSE, LAST_LOOK = 1.0, 3.0


class Polling:
    """Looks at one thing for `seconds`, or as long as its call has time; pauses grow to `longest` seconds."""

    def __init__(self, call: Call, seconds: float, longest: float) -> None:
        self._call = call
        self._begun = now()
        self._end = min(self._begun + seconds, call.deadline - LAST_LOOK)
        self._pause = FIRST_PAUSE
        self._longest = longest

    @property
    def elapsed(self) -> float:
        """Seconds since the first look."""
        return now() - self._begun

    @property
    def over(self) -> bool:
        """Whether this look was the last."""
        return now() >= self._end

    async def pause(self, still: str = "") -> None:
        """Wait for the next look; whoever waits is told how things `still` are, if that is known."""
        if still and self._call.tell:
            await self._call.tell(Place(self.elapsed, 0, self._end - now(), still))
        await asyncio.sleep(min(self._pause, self._end - now()))
        self._pause = min(self._pause * 1.5, self._longest)

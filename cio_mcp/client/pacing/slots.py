"""The slots of each bucket: who may send, and when a slot may be used again.

A bucket has as many slots as its limit allows requests in a window. A slot is leased when its turn comes
and rests for one window from the moment its answer is back: the server has counted the request by then, so
it never sees more than the limit in any window, however the network jitters. A slot whose answer never
comes, because the process died or the connection broke, is free again when its lease runs out.
"""

import heapq
from dataclasses import dataclass
from typing import Protocol

from cio_mcp.client.call import now
from cio_mcp.client.pacing.buckets import Bucket

# A lease outlasts the window by this: an answer that comes later than that is treated as lost.
LEASE = 0.25


@dataclass(frozen=True)
class Lease:
    """The right to use slot `number` from `start` on.

    `ends` is when it runs out, by the clock of whoever keeps the slots, and tells it from later leases.
    """

    number: int
    start: float
    ends: float


class Slots(Protocol):
    """Where slots are kept. Times are of the event loop's clock.

    `poll` is how often, in seconds, others may have changed something; None if there are no others.
    """

    poll: float | None

    @property
    def trouble(self) -> str:
        """Why slots are not shared as they should be, without naming hosts; empty while they are."""

    async def lease(self, bucket: Bucket, ahead: float, stretch: float, waiting: int) -> Lease | float:
        """Lease the slot that is free first, if that is within `ahead` seconds; else return the wait for it.

        `stretch` makes the window longer while the limit is not used in full; `waiting` is told to whoever
        looks at the bucket.
        """

    async def rest(self, bucket: Bucket, lease: Lease, seconds: float) -> None:
        """Let a leased slot be free again in `seconds`; a lease that has run out is left alone."""

    async def shut(self, bucket: Bucket, seconds: float) -> None:
        """Lease nothing of `bucket` for so many seconds."""

    async def aclose(self) -> None:
        """Let go of what is held."""


class MemorySlots:
    """Slots of this process alone: the whole of each limit, or the part of one of `sharers`."""

    poll: float | None = None

    def __init__(self, sharers: int = 1, trouble: str = "") -> None:
        self._sharers = sharers
        self.trouble = trouble
        self._free_at: dict[Bucket, list[float]] = {}
        self._by_time: dict[Bucket, list[tuple[float, int]]] = {}  # heaps; entries that are out of date stay
        self._shut_until: dict[Bucket, float] = {}

    async def lease(self, bucket: Bucket, ahead: float, stretch: float, waiting: int) -> Lease | float:  # noqa: ARG002
        """See `Slots.lease`."""
        bucket = bucket.divided(self._sharers)
        if bucket not in self._free_at:
            self._free_at[bucket] = [0.0] * bucket.limit
            self._by_time[bucket] = [(0.0, number) for number in range(bucket.limit)]
        free_at, by_time = self._free_at[bucket], self._by_time[bucket]
        while free_at[by_time[0][1]] != by_time[0][0]:
            heapq.heappop(by_time)
        free, number = by_time[0]
        start = max(now(), free, self._shut_until.get(bucket, 0.0))
        if start - now() > ahead:
            return start - now()
        return Lease(number, start, self._set(bucket, number, start + bucket.window * stretch + LEASE))

    async def rest(self, bucket: Bucket, lease: Lease, seconds: float) -> None:
        """See `Slots.rest`."""
        bucket = bucket.divided(self._sharers)
        free_at = self._free_at.get(bucket, [])
        if lease.ends in free_at[lease.number : lease.number + 1]:
            self._set(bucket, lease.number, now() + seconds)

    def _set(self, bucket: Bucket, number: int, free_at: float) -> float:
        self._free_at[bucket][number] = free_at
        heapq.heappush(self._by_time[bucket], (free_at, number))
        return free_at

    async def shut(self, bucket: Bucket, seconds: float) -> None:
        """See `Slots.shut`."""
        bucket = bucket.divided(self._sharers)
        self._shut_until[bucket] = max(self._shut_until.get(bucket, 0.0), now() + seconds)

    async def aclose(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True)
class Shown:
    """A bucket as `cio-mcp pace` shows it: slots in use or resting, calls that wait, seconds it is shut."""

    name: str
    limit: int
    window: float
    used: int
    waiting: int
    shut: float
    processes: int

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


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to use slot `number` from `start` on.

    `ends` is when it runs out, by the clock of whoever keeps the slots, and tells it from later leases.
    """

    number: int
    start: float
    ends: float


@dataclass(frozen=True, slots=True)
class Wait:
    """No slot is free: the first one will be in so many `seconds`."""

    seconds: float


class Slots(Protocol):
    """Where slots are kept. Times are of the event loop's clock.

    `poll` is how often, in seconds, others may have changed something; None if there are no others.
    """

    poll: float | None

    @property
    def trouble(self) -> str:
        """Why slots are not shared as they should be, without naming hosts; empty while they are."""

    def lease_now(self, bucket: Bucket, stretch: float) -> Lease | Wait | None:
        """Lease a slot if one is free now; None if that cannot be known without waiting for something.

        `stretch` makes the window longer while the limit is not used in full.
        """

    async def lease(self, bucket: Bucket, ahead: float, stretch: float, waiting: int) -> Lease | Wait:
        """Lease the slot that is free first, if that is within `ahead` seconds; else return the wait for it.

        `waiting` is told to whoever looks at the bucket.
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
        self.trouble = trouble
        self._rings = _Rings(sharers)

    def lease_now(self, bucket: Bucket, stretch: float, ahead: float = 0.0) -> Lease | Wait:
        """See `Slots.lease_now`; `ahead` is as for `Slots.lease`, which never waits here."""
        return self._rings[bucket].lease(ahead, stretch)

    async def lease(self, bucket: Bucket, ahead: float, stretch: float, waiting: int) -> Lease | Wait:  # noqa: ARG002
        """See `Slots.lease`."""
        return self._rings[bucket].lease(ahead, stretch)

    def rests(self, bucket: Bucket) -> list[float]:
        """Return in how many seconds each slot is free."""
        return self._rings[bucket].rests()

    async def rest(self, bucket: Bucket, lease: Lease, seconds: float) -> None:
        """See `Slots.rest`."""
        self._rings[bucket].rest(lease, seconds)

    async def shut(self, bucket: Bucket, seconds: float) -> None:
        """See `Slots.shut`."""
        ring = self._rings[bucket]
        ring.shut_until = max(ring.shut_until, now() + seconds)

    async def aclose(self) -> None:
        """Nothing is held."""


class _Ring:
    """The slots of one bucket, and when each is free."""

    def __init__(self, bucket: Bucket) -> None:
        self.shut_until = 0.0
        self._window = bucket.window
        self._free_at = [0.0] * bucket.limit
        self._by_time = [(0.0, number) for number in range(bucket.limit)]  # a heap; outdated entries stay

    def lease(self, ahead: float, stretch: float) -> Lease | Wait:
        by_time = self._by_time
        while self._free_at[by_time[0][1]] != by_time[0][0]:
            heapq.heappop(by_time)
        (free, number), moment = by_time[0], now()
        start = max(moment, free, self.shut_until)
        if start - moment > ahead:
            return Wait(start - moment)
        ends = start + self._window * stretch + LEASE
        self._set(number, ends)
        return Lease(number, start, ends)

    def rest(self, lease: Lease, seconds: float) -> None:
        if lease.ends in self._free_at[lease.number : lease.number + 1]:
            self._set(lease.number, now() + seconds)

    def rests(self) -> list[float]:
        return [max(0.0, free_at - now()) for free_at in self._free_at]

    def _set(self, number: int, free_at: float) -> None:
        self._free_at[number] = free_at
        heapq.heappush(self._by_time, (free_at, number))


class _Rings(dict[Bucket, _Ring]):
    """A ring for each bucket that is asked for, with the part of one of `sharers`."""

    def __init__(self, sharers: int) -> None:
        super().__init__()
        self._sharers = sharers

    def __missing__(self, bucket: Bucket) -> _Ring:
        ring = self[bucket] = _Ring(bucket.divided(self._sharers))
        return ring


@dataclass(frozen=True)
class SharedBucket:
    """A bucket as `cio-mcp pace` shows it: slots in use or resting, calls that wait, seconds it is shut."""

    name: str
    limit: int
    window: float
    used: int
    waiting: int
    shut: float
    processes: int

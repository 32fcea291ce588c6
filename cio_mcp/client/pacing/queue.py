"""Whose turn it is: callers take turns, each caller's own calls in the order they came."""

import asyncio
import math
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from cio_mcp.client.call import now
from cio_mcp.client.pacing.limits import Bucket
from cio_mcp.client.pacing.slots import Lease, Slots
from cio_mcp.errors import NotSent

# A slot rests this much longer than the window, for timers that fire early on either side.
PAD = 0.002

# After idle so many requests may leave at once, the others evenly spaced: the kindest use of a limit that a
# customer's own backend shares, and safe with servers that count more strictly than by windows.
BURST = 10

# How many seconds before its start a slot may be leased.
AHEAD = 0.02

# After a 429 that asks for no pause the bucket is shut for a quarter of its window, twice as long after each
# further one in a row, and for so many windows at the most.
LONGEST_PAUSE = 8.0

# Calls that may wait for one bucket.
LONGEST_QUEUE = 2000

# After a 429 the used share of the limit falls by this factor, and each second it grows by that much again.
CUT, RECOVERY, LEAST = 0.7, 0.03, 0.1


class Pace:
    """Hands out turns over any kind of slots."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._queues: dict[Bucket, _Queue] = {}

    async def enter(self, bucket: Bucket, deadline: float, caller: str = "") -> "Turn":
        """Wait for a turn in `bucket`; `deadline` is a time of the event loop's clock.

        Raises NotSent, as soon as it is known, if the turn would come after the deadline.
        """
        queue = self._queues.setdefault(bucket, _Queue(bucket, self._slots))
        return await queue.enter(deadline, caller)

    async def aclose(self) -> None:
        """Stop, and let go of the slots."""
        for queue in self._queues.values():
            await queue.stop()
        self._slots.close()


@dataclass(eq=False)
class _Waiting:
    deadline: float
    turn: "asyncio.Future[Lease]"


@dataclass
class _Trips:
    """The round trips of the last seconds, for the shortest: no request takes less to arrive and return."""

    horizon: float = 2.0
    recent: deque[tuple[float, float]] = field(default_factory=deque)

    def add(self, seconds: float) -> None:
        self.recent.append((now(), seconds))
        while self.recent[0][0] < now() - self.horizon:
            self.recent.popleft()

    def shortest(self, limit: int) -> float:
        """Return the shortest, or 0 while there are too few to trust."""
        return min(trip for _, trip in self.recent) if len(self.recent) >= min(50, limit) else 0.0


class _Queue:
    def __init__(self, bucket: Bucket, slots: Slots) -> None:
        self.bucket = bucket
        self._slots = slots
        self._lanes: OrderedDict[str, deque[_Waiting]] = OrderedDict()
        self._trips = _Trips()
        self._share, self._share_at = 1.0, 0.0  # of the limit that is used, and when that was so
        self._in_a_row = 0  # 429s without another answer between them
        self._even = 0.0  # when the next request leaves if all are evenly spaced
        self._next = 0.0  # when the next slot is known to be free
        self._changed = asyncio.Event()
        self._dispatcher: asyncio.Task[None] | None = None

    async def enter(self, deadline: float, caller: str) -> "Turn":
        ahead = self._ahead_of(caller)
        if self._count() >= LONGEST_QUEUE:
            raise self._too_late(self._wait(ahead), ahead)
        if (wait := self._wait(ahead)) > 0 and now() + wait >= deadline:
            raise self._too_late(wait, ahead)
        waiting = _Waiting(deadline, asyncio.get_running_loop().create_future())
        lane = self._lanes.setdefault(caller, deque())
        lane.append(waiting)
        if self._dispatcher is None or self._dispatcher.done():
            self._dispatcher = asyncio.create_task(self._dispatch())
        try:
            async with asyncio.timeout_at(deadline):
                lease = await waiting.turn
        except TimeoutError:
            raise self._too_late(self._wait(ahead), ahead) from None
        except asyncio.CancelledError:
            if waiting.turn.done() and not waiting.turn.cancelled() and not waiting.turn.exception():
                await self.unused(waiting.turn.result())
            raise
        finally:
            self._leave(caller, lane, waiting)
        return Turn(self, lease, now())

    async def stop(self) -> None:
        if self._dispatcher:
            self._dispatcher.cancel()
            await asyncio.gather(self._dispatcher, return_exceptions=True)

    async def throttled(self, asked: float) -> None:
        """Hold the bucket back after a 429, for the seconds it asks; else longer with each one in a row."""
        # One request in ten seconds cannot go slower than that, so only wider limits are used less.
        wide = self.bucket.limit > 1
        if wide:
            self._share = max(LEAST, self._used() * CUT)
        hold = self.bucket.window * min(2.0**self._in_a_row / 4 if wide else 1.0, LONGEST_PAUSE)
        self._in_a_row += 1
        await self._slots.shut(self.bucket, asked or hold)

    async def back(self, lease: Lease, seconds: float) -> None:
        """Let a slot rest after its answer came, `seconds` after it left."""
        self._trips.add(seconds)
        rest = self.bucket.window / self._used() + PAD - self._trips.shortest(self.bucket.limit)
        await self._slots.rest(self.bucket, lease, rest)
        self._changed.set()

    def relax(self) -> None:
        """Begin anew with the pauses after 429s."""
        self._in_a_row = 0

    async def unused(self, lease: Lease) -> None:
        self._even -= self._step()
        await self._slots.rest(self.bucket, lease, 0.0)
        self._changed.set()

    async def _dispatch(self) -> None:
        """Give turns while anybody waits; each slot is leased a moment before it is free."""
        while self._count():
            got = await self._slots.lease(self.bucket, AHEAD, 1 / self._used(), self._count())
            if isinstance(got, float):
                self._next = now() + got
                self._tell_who_is_late(self._next)
                await self._sleep(min(got - AHEAD, self._slots.poll or got))
                continue
            burst = BURST if self._share == 1.0 else 1
            self._next = max(got.start, self._even - self._step() * (min(burst, self.bucket.limit) - 1))
            self._tell_who_is_late(self._next)
            if (pause := self._next - now()) > 0:
                await asyncio.sleep(pause)
            if (waiting := self._take()) is None:
                await self._slots.rest(self.bucket, got, 0.0)
                continue
            self._even = max(self._even, now()) + self._step()
            waiting.turn.set_result(got)

    async def _sleep(self, seconds: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _take(self) -> _Waiting | None:
        """Return the first call of the caller whose turn it is; that caller's next turn comes last."""
        for caller, lane in list(self._lanes.items()):
            self._lanes.move_to_end(caller)
            for waiting in lane:
                if not waiting.turn.done():
                    return waiting
        return None

    def _leave(self, caller: str, lane: deque[_Waiting], waiting: _Waiting) -> None:
        lane.remove(waiting)
        if not lane and self._lanes.get(caller) is lane:
            del self._lanes[caller]

    def _tell_who_is_late(self, at: float) -> None:
        """Tell every call whose time will be up when the next turn comes; nothing of it has left."""
        for lane in self._lanes.values():
            for waiting in lane:
                if waiting.deadline <= at and not waiting.turn.done():
                    waiting.turn.set_exception(self._too_late(max(at - now(), 0.0), 0))

    def _count(self) -> int:
        return sum(not waiting.turn.done() for lane in self._lanes.values() for waiting in lane)

    def _ahead_of(self, caller: str) -> int:
        """Return how many turns come before a new call of `caller`."""
        mine = len(self._lanes.get(caller, ()))
        others = (min(len(lane), mine + 1) for name, lane in self._lanes.items() if name != caller)
        return mine + sum(others)

    def _wait(self, ahead: int) -> float:
        """Return in how many seconds a call with so many turns before it can leave, as far as is known."""
        return max(self._next - now(), 0.0) + ahead * self._step()

    def _step(self) -> float:
        return (self.bucket.window + PAD) / self.bucket.limit / self._used()

    def _used(self) -> float:
        """Return the share of the limit that is used now; it grows again with time."""
        if self._share < 1.0:
            self._share = min(1.0, self._share + RECOVERY * (now() - self._share_at))
        self._share_at = now()
        return self._share

    def _too_late(self, wait: float, ahead: int) -> NotSent:
        return NotSent(
            f"Not sent: the {self.bucket.name} limit of {self.bucket.limit} per {self.bucket.window:g} s "
            f"is in use, {ahead} calls wait before this one, and its turn would come in {wait:.0f} s.",
            do=f"Call again in {math.ceil(wait)} s, or make fewer calls.",
            retryable=True,
            retry_in=wait,
        )


class Turn:
    """The right to send one request now, and the duty to say how it went."""

    def __init__(self, queue: _Queue, lease: Lease, left: float) -> None:
        self._queue, self._lease, self._left = queue, lease, left

    async def answered(self) -> None:
        """Say that an answer came that is no 429."""
        self._queue.relax()
        await self._queue.back(self._lease, now() - self._left)

    async def throttled(self, asked: float) -> None:
        """Say that a 429 came; `asked` is the pause in seconds that it asks for, 0 if it asks for none."""
        await self._queue.throttled(asked)
        await self._queue.back(self._lease, now() - self._left)

    async def unused(self) -> None:
        """Say that the request never left: the slot is free again at once."""
        await self._queue.unused(self._lease)

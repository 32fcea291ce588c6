"""When the next turn comes, and what follows from how the one before it went."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from cio_mcp.client.call import Call, now
from cio_mcp.client.pacing.lanes import Lanes
from cio_mcp.client.pacing.limits import Bucket
from cio_mcp.client.pacing.slots import Lease, Slots
from cio_mcp.client.pacing.trips import Trips
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

# Calls that may wait for one bucket, and how many of them may be one caller's.
LONGEST_QUEUE, LONGEST_LANE = 10_000, 2000

# Seconds between two words to a call that waits.
TELL_EVERY = 3.0

# After a 429 the used share of the limit falls by this factor, and each second it grows by that much again.
CUT, RECOVERY, LEAST = 0.7, 0.03, 0.1


class Pace:
    """Hands out turns over any kind of slots."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._queues: dict[Bucket, _Queue] = {}

    async def enter(self, bucket: Bucket, call: Call) -> "Turn":
        """Wait for a turn in `bucket`; raises NotSent, as soon as it is known, if it would come too late."""
        queue = self._queues.setdefault(bucket, _Queue(bucket, self._slots))
        return await queue.enter(call)

    def seen(self) -> "Iterator[Seen]":
        """Yield what is known here of each bucket that was used."""
        return (queue.seen() for queue in self._queues.values())

    async def aclose(self) -> None:
        """Stop, and let go of the slots."""
        for queue in self._queues.values():
            await queue.stop()
        self._slots.close()


@dataclass(frozen=True)
class Seen:
    """A bucket as this process sees it: calls that wait, seconds it is shut, the share of it that is used.

    `throttled_at` is the unix time of the last 429, None if there was none.
    """

    bucket: Bucket
    waiting: int
    shut: float
    share: float
    throttled_at: float | None


class _Queue:
    def __init__(self, bucket: Bucket, slots: Slots) -> None:
        self.bucket = bucket
        self._slots = slots
        self._lanes = Lanes()
        self._trips = Trips()
        self._share, self._share_at = 1.0, 0.0  # of the limit that is used, and when that was so
        self._in_a_row = 0  # 429s without another answer between them
        self._throttled_at: float | None = None
        self._shut_until = 0.0  # as far as this process has seen to it
        self._even = 0.0  # when the next request leaves if all are evenly spaced
        self._next = 0.0  # when the next slot is known to be free
        self._changed = asyncio.Event()
        self._dispatcher: asyncio.Task[None] | None = None

    async def enter(self, call: Call) -> "Turn":
        ahead = self._lanes.ahead_of(call.caller, bulk=call.bulk)
        wait = self._wait(ahead)
        full = len(self._lanes) >= LONGEST_QUEUE or self._lanes.of(call.caller) >= LONGEST_LANE
        if full or (wait > 0 and now() + wait >= call.deadline):
            raise self._too_late(wait, ahead)
        waiting = self._lanes.add(call.deadline, call.caller, bulk=call.bulk)
        if self._dispatcher is None or self._dispatcher.done():
            self._dispatcher = asyncio.create_task(self._dispatch())
        try:
            async with self._telling(call, now() + wait), asyncio.timeout_at(call.deadline):
                lease = await waiting.turn
        except TimeoutError:
            raise self._too_late(self._wait(ahead), ahead) from None
        except asyncio.CancelledError:
            if waiting.turn.done() and not waiting.turn.cancelled() and not waiting.turn.exception():
                await self.unused(waiting.turn.result())
            raise
        finally:
            self._lanes.leave(waiting)
        return Turn(self, lease, now())

    @asynccontextmanager
    async def _telling(self, call: Call, expected: float) -> AsyncIterator[None]:
        """Tell a call, every few seconds while it waits, how long it has waited and has still to."""
        telling = asyncio.create_task(self._tell(call, expected)) if call.on_wait else None
        try:
            yield
        finally:
            if telling:
                telling.cancel()

    async def _tell(self, call: Call, expected: float) -> None:
        begun = now()
        while call.on_wait:
            await asyncio.sleep(TELL_EVERY)
            # Whoever cannot be told still gets its turn.
            with suppress(Exception):
                to_go = max(expected, self._next) - now()
                await call.on_wait(call.waited + now() - begun, max(to_go, 0.0), self.bucket.name)

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
        self._throttled_at = time.time()
        self._shut_until = max(self._shut_until, now() + (asked or hold))
        await self._slots.shut(self.bucket, asked or hold)

    async def back(self, lease: Lease, seconds: float) -> None:
        """Let a slot rest after its answer came, `seconds` after it left."""
        self._trips.add(seconds)
        rest = self.bucket.window / self._used() + PAD - self._trips.shortest(self.bucket.limit)
        await self._slots.rest(self.bucket, lease, rest)
        self._changed.set()

    def seen(self) -> Seen:
        shut = max(self._shut_until - now(), 0.0)
        return Seen(self.bucket, len(self._lanes), shut, self._used(), self._throttled_at)

    def relax(self) -> None:
        """Begin anew with the pauses after 429s."""
        self._in_a_row = 0

    async def unused(self, lease: Lease) -> None:
        self._even -= self._step()
        await self._slots.rest(self.bucket, lease, 0.0)
        self._changed.set()

    async def _dispatch(self) -> None:
        """Give turns while anybody waits; each slot is leased a moment before it is free."""
        while self._lanes:
            got = await self._slots.lease(self.bucket, AHEAD, 1 / self._used(), len(self._lanes))
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
            if (waiting := self._lanes.take()) is None:
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

    def _tell_who_is_late(self, at: float) -> None:
        """Tell every call whose time will be up when the next turn comes; nothing of it has left."""
        for waiting in self._lanes.late(at):
            if not waiting.turn.done():
                waiting.turn.set_exception(self._too_late(max(at - now(), 0.0), 0))

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

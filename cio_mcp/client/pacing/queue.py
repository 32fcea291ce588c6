"""Hands out the turns of each bucket, evenly spaced and in time."""

import asyncio
import logging
import math
from contextvars import Context
from dataclasses import dataclass

from cio_mcp.client.call import Call, QueuePlace, Tell, now
from cio_mcp.client.pacing.buckets import Bucket
from cio_mcp.client.pacing.feedback import Feedback
from cio_mcp.client.pacing.lanes import Lanes, Waiter
from cio_mcp.client.pacing.slots import LEASE, Lease, Slots, Wait
from cio_mcp.client.pacing.state import BucketState
from cio_mcp.errors import NotSent

# After idle so many requests may leave at once, the others evenly spaced: the kindest use of a limit that a
# customer's own backend shares, and safe with servers that count more strictly than by windows.
BURST = 10

# How many seconds before its start a slot may be leased.
AHEAD = 0.02

# A turn that comes so many seconds later than planned is not used: half of what a lease lasts beyond the
# window, so that the other half is left for the way there.
STALE = LEASE / 2

# Requests that may wait for one bucket, and how many of them may be one caller's.
LONGEST_QUEUE, LONGEST_LANE = 10_000, 2000

# A call that waits is told its place every so many seconds.
TELL_EVERY = 3.0

_log = logging.getLogger(__name__)


class Pace:
    """Hands out turns over any kind of slots."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._queues: dict[Bucket, _Queue] = {}

    async def enter(self, bucket: Bucket, call: Call, *, bulk: bool = False) -> "Turn":
        """Wait for a turn in `bucket`, as a single request of `call` or as part of bulk work.

        Raises NotSent, as soon as it is known, if the turn would come after the call's deadline.
        """
        if bucket not in self._queues:
            self._queues[bucket] = _Queue(bucket, self._slots)
        return await self._queues[bucket].enter(call, bulk=bulk)

    def states(self) -> list[BucketState]:
        """Return the buckets used so far, as they are now."""
        return [queue.state() for queue in self._queues.values()]

    @property
    def trouble(self) -> str:
        """Why the slots are not shared as they should be, empty while they are."""
        return self._slots.trouble

    async def aclose(self) -> None:
        """Stop, and let go of the slots."""
        for queue in self._queues.values():
            await queue.stop()
        await self._slots.aclose()


class _Queue:
    def __init__(self, bucket: Bucket, slots: Slots) -> None:
        self.bucket = bucket
        self.feedback = Feedback(bucket)
        self._slots = slots
        self._lanes = Lanes()
        self._even = 0.0  # when the next request leaves if all are evenly spaced
        self._next = 0.0  # when the next slot is known to be free
        self._changed = asyncio.Event()
        self._dispatcher: asyncio.Task[None] | None = None

    async def enter(self, call: Call, *, bulk: bool) -> "Turn":
        if turn := self._at_once():
            return turn
        waiting = Waiter(call.caller, bulk, call.deadline, asyncio.get_running_loop().create_future())
        ahead = self._lanes.before(waiting)
        wait = self._wait(ahead)
        full = len(self._lanes) >= LONGEST_QUEUE or self._lanes.of(call.caller) >= LONGEST_LANE
        if full or (wait > 0 and now() + wait >= call.deadline):
            raise self._too_late(wait, ahead)
        self._lanes.add(waiting)
        if self._dispatcher is None or self._dispatcher.done():
            # It serves all calls: what it logs is not of the one that began it.
            self._dispatcher = asyncio.create_task(self._dispatch(), context=Context())
        telling = asyncio.create_task(self._tell(call, call.tell, waiting)) if call.tell else None
        try:
            async with asyncio.timeout_at(call.deadline):
                lease = await waiting.turn
        except (TimeoutError, asyncio.CancelledError) as end:
            # The turn may have come in the very moment that the waiting ended.
            if waiting.turn.done() and not waiting.turn.cancelled() and not waiting.turn.exception():
                await self.unused(waiting.turn.result())
            if isinstance(end, TimeoutError):
                raise self._too_late(self._wait(ahead), ahead) from None
            raise
        finally:
            self._lanes.remove(waiting)
            if telling:
                telling.cancel()
        return Turn(self, lease, now())

    def _at_once(self) -> "Turn | None":
        """Return a turn if nobody waits and one is free: what is idle needs no dispatcher."""
        share, moment = self.feedback.share(), now()
        if self._lanes or self._earliest(share) > moment:
            return None
        got = self._slots.lease_now(self.bucket, 1 / share)
        if not isinstance(got, Lease):
            return None
        self._even = max(self._even, moment) + self.feedback.spacing / share
        return Turn(self, got, moment)

    def state(self) -> BucketState:
        told = self.feedback.last_429
        return BucketState(
            self.bucket,
            waiting=len(self._lanes),
            share=self.feedback.share(),
            held=max(0.0, self.feedback.held_until - now()),
            last_429=None if told is None else now() - told,
        )

    async def stop(self) -> None:
        if self._dispatcher:
            self._dispatcher.cancel()
            await asyncio.gather(self._dispatcher, return_exceptions=True)

    async def hold(self, seconds: float) -> None:
        await self._slots.shut(self.bucket, seconds)

    async def back(self, lease: Lease, left: float) -> None:
        """Let a slot rest whose request left at this time, and whose answer came now."""
        await self._slots.rest(self.bucket, lease, self.feedback.rest(left, now()))
        self._changed.set()

    async def unused(self, lease: Lease) -> None:
        self._even -= self.feedback.step()
        await self._slots.rest(self.bucket, lease, 0.0)
        self._changed.set()

    async def _dispatch(self) -> None:
        """Give turns while anybody waits; each slot is leased a moment before it is free."""
        while self._lanes:
            share = self.feedback.share()
            got = await self._slots.lease(self.bucket, AHEAD, 1 / share, len(self._lanes))
            if isinstance(got, Wait):
                self._next = now() + got.seconds
                self._tell_who_is_late()
                await self._sleep(min(got.seconds - AHEAD, self._slots.poll or got.seconds))
                continue
            self._next = max(got.start, self._earliest(self.feedback.share()))
            self._tell_who_is_late()
            if (pause := self._next - now()) > 0:
                await asyncio.sleep(pause)
            # A process that was stopped meanwhile must not send on a lease that others have seen run out.
            waiting = None if now() > self._next + STALE else self._lanes.take()
            if waiting is None:
                await self._slots.rest(self.bucket, got, 0.0)
                continue
            self._even = max(self._even, now()) + self.feedback.step()
            waiting.turn.set_result(got)

    def _earliest(self, share: float) -> float:
        """Return when the next request may leave: a few at once after idle, the others evenly spaced."""
        burst = min(BURST if share == 1.0 else 1, self.bucket.limit)
        return self._even - self.feedback.spacing / share * (burst - 1)

    async def _sleep(self, seconds: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _tell_who_is_late(self) -> None:
        """Tell every call whose time will be up when the next turn comes; nothing of it has left."""
        for ahead, waiting in enumerate(self._lanes.late(self._next)):
            waiting.turn.set_exception(self._too_late(self._wait(ahead), ahead))

    async def _tell(self, call: Call, tell: Tell, waiting: Waiter) -> None:
        """Tell a call its place every few seconds, counted over all its requests."""
        while True:
            if (pause := call.told + TELL_EVERY - now()) > 0:
                await asyncio.sleep(pause)
                continue
            call.told = now()
            ahead = self._lanes.before(waiting)
            try:
                await tell(QueuePlace(now() - call.begun, ahead, self._wait(ahead)))
            except Exception as fault:
                _log.info("a call's place could not be reported: %s", type(fault).__name__)

    def _wait(self, ahead: int) -> float:
        """Return in how many seconds a call with so many turns before it can leave, as far as is known."""
        share = self.feedback.share()
        begins = max(self._next, self._earliest(share)) - now()
        return max(begins, 0.0) + ahead * self.feedback.spacing / share

    def _too_late(self, wait: float, ahead: int) -> NotSent:
        return NotSent(
            f"Not sent: the {self.bucket.label} limit of {self.bucket.limit} per {self.bucket.window:g} s "
            f"is in use: {ahead} calls are ahead of this one, whose turn would come in {wait:.0f} s.",
            do=f"Call again in {math.ceil(wait)} s, or make fewer calls.",
            retryable=True,
            retry_in=wait,
        )


@dataclass(eq=False)
class Turn:
    """The right to send one request now, and the duty to say how it went."""

    _queue: _Queue
    _lease: Lease
    _left: float

    @property
    def bucket(self) -> Bucket:
        """The bucket that this is a turn in."""
        return self._queue.bucket

    def leaves(self) -> None:
        """Say that the request leaves now, and not when the turn came."""
        self._left = now()

    async def answered(self) -> None:
        """Say that an answer came that is no 429."""
        self._queue.feedback.answered()
        await self._queue.back(self._lease, self._left)

    async def throttled(self, asked: float) -> None:
        """Say that a 429 came; `asked` is the pause in seconds that it asks for, 0 if it asks for none."""
        await self._queue.hold(self._queue.feedback.throttled(asked))
        await self._queue.back(self._lease, self._left)

    async def unused(self) -> None:
        """Say that the request never left: the slot is free again at once."""
        await self._queue.unused(self._lease)

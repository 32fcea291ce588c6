"""Every request waits its turn, so that no documented limit is ever exceeded.

A bucket has as many slots as its limit allows requests per window. A request holds a slot until its
answer arrives, and the slot is free again one window after that: the server has counted the request by
then, so it can never see more than the limit in any window, however much the network jitters.
"""

import asyncio
import heapq
import math
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Literal, Protocol

import httpx

from cio_mcp.client.call import Kind, now
from cio_mcp.errors import NotSent

# A slot rests this much longer than the window, for timers that fire early on either side.
PAD = 0.002

# The longest pause that a Retry-After may ask of us, in seconds.
LONGEST_HOLD = 300.0

# What the transport raises before the first byte of a request has left.
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True)
class Bucket:
    """One documented limit: at most `limit` requests in any `window` seconds."""

    name: str
    limit: int
    window: float

    @classmethod
    def per_second(cls, name: str, rate: float) -> "Bucket":
        """Return a bucket for `rate` requests per second; below 1 it is one request in a longer window."""
        return cls(name, math.floor(rate), 1.0) if rate >= 1 else cls(name, 1, 1 / rate)


@dataclass(frozen=True)
class Limits:
    """Customer.io's limits as this program may use them: requests per second, and seconds per broadcast.

    Track documents 1000 per second but no 429; the 100 here is what the vendor asked for until 2024 and
    is kind to a backend that shares the workspace. App, sends and broadcasts: App API reference, 2026-08.
    """

    track: float = 100
    app: float = 10
    send: float = 100
    broadcast_interval: float = 10
    share: float = 1.0

    def bucket(self, api: Literal["track", "app"], path: str, kind: Kind) -> Bucket:
        """Return the bucket that a request to `path` of `api` must pass through."""
        if kind is Kind.TRIGGER:
            return Bucket.per_second(f"broadcast {path}", self.share / self.broadcast_interval)
        if path.startswith("/v1/send/"):
            return Bucket.per_second("send", self.share * self.send)
        return Bucket.per_second(api, self.share * (self.track if api == "track" else self.app))


class Slot(Protocol):
    """The right to send one request now, and the duty to say how it went."""

    def answered(self, hold: float = 0.0) -> None:
        """Say that an answer came, or that none will; `hold` shuts the whole bucket for so many seconds."""

    def unused(self) -> None:
        """Say that the request never left: the slot is free again at once."""


class Pace(Protocol):
    """Hands out slots, to one process or to many."""

    async def enter(self, bucket: Bucket, deadline: float) -> Slot:
        """Wait for a slot of `bucket`; `deadline` is a time of the event loop's clock.

        Raises NotSent, at once where that is already certain, if the turn would come after the deadline.
        """


class LocalPace:
    """A pace for this process alone: first come, first served in each bucket."""

    def __init__(self) -> None:
        self._queues: dict[Bucket, _Queue] = {}

    async def enter(self, bucket: Bucket, deadline: float) -> "_Slot":
        """Wait for a slot; see `Pace.enter`."""
        queue = self._queues.setdefault(bucket, _Queue(bucket))
        return await queue.enter(deadline)


class _Queue:
    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.rest = bucket.window + PAD  # between an answer and the next use of its slot
        self._free = [0.0] * bucket.limit  # a heap: when each slot that is not in use may be used
        self._held_until = 0.0
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    async def enter(self, deadline: float) -> "_Slot":
        self._refuse_if_late(self._expected_wait(self._waiting), deadline, ahead=self._waiting)
        self._waiting += 1
        try:
            # Whoever is first in the queue may have more time left than those behind.
            async with asyncio.timeout_at(deadline), self._turn:
                while (wait := self._wait()) > 0:
                    self._refuse_if_late(wait, deadline, ahead=0)
                    self._changed.clear()
                    try:
                        async with asyncio.timeout(wait):
                            await self._changed.wait()
                    except TimeoutError:
                        continue
                heapq.heappop(self._free)
                return _Slot(self)
        except TimeoutError:
            others = self._waiting - 1
            raise self._too_late(self._expected_wait(others), ahead=others) from None
        finally:
            self._waiting -= 1

    def give_back(self, free_at: float, hold: float) -> None:
        heapq.heappush(self._free, free_at)
        self._held_until = max(self._held_until, now() + hold)
        self._changed.set()

    def _wait(self) -> float:
        if not self._free:
            return self.rest
        return max(self._free[0], self._held_until) - now()

    def _expected_wait(self, ahead: int) -> float:
        in_use = self.bucket.limit - len(self._free)
        ends = [*self._free, *[now() + self.rest] * in_use]
        laps, place = divmod(ahead, self.bucket.limit)
        turn = max(sorted(ends)[place], self._held_until) + laps * self.rest
        return turn - now()

    def _refuse_if_late(self, wait: float, deadline: float, *, ahead: int) -> None:
        if wait > 0 and now() + wait >= deadline:
            raise self._too_late(wait, ahead)

    def _too_late(self, wait: float, ahead: int) -> NotSent:
        return NotSent(
            f"Not sent: the {self.bucket.name} limit of {self.bucket.limit} per {self.bucket.window:g} s "
            f"is in use, {ahead} calls wait before this one, and its turn would come in {wait:.0f} s.",
            do=f"Call again in {math.ceil(wait)} s, or make fewer calls.",
            retryable=True,
            retry_in=wait,
        )


class _Slot:
    def __init__(self, queue: _Queue) -> None:
        self._queue = queue

    def answered(self, hold: float = 0.0) -> None:
        self._queue.give_back(now() + self._queue.rest, hold)

    def unused(self) -> None:
        self._queue.give_back(0.0, 0.0)


class Paced(httpx.AsyncBaseTransport):
    """Sends each request in its turn, and lets what has left run on when its caller gives up.

    A request names its bucket and its call in `request.extensions`. Once it has left it runs in a task of
    its own: cancelling the call only stops the waiting, so the outcome is known to the pace, and the
    connection pool of httpx 0.28, which breaks when requests are cancelled, is never cut into.
    """

    def __init__(self, wire: httpx.AsyncBaseTransport, pace: Pace) -> None:
        self._wire = wire
        self._pace = pace
        self._in_flight: dict[asyncio.Task[httpx.Response], httpx.Request] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` when its turn has come; raises NotSent when that is after the call's deadline."""
        call, bucket = request.extensions["call"], request.extensions["bucket"]
        if (asked := now()) >= call.deadline:
            raise NotSent(
                "Not sent: the time for this call was up before its request could leave.",
                do="Call again.",
                retryable=True,
            )
        slot = await self._pace.enter(bucket, call.deadline)
        call.waited += now() - asked
        sending = asyncio.create_task(self._send(request, slot, bucket))
        self._in_flight[sending] = request
        sending.add_done_callback(self._is_back)
        await asyncio.wait([sending], timeout=call.deadline - now())
        if not sending.done():
            raise httpx.ReadTimeout("no answer before the deadline", request=request)
        return sending.result()

    async def _send(self, request: httpx.Request, slot: Slot, bucket: Bucket) -> httpx.Response:
        try:
            response = await self._wire.handle_async_request(request)
            await response.aread()
        except NEVER_LEFT:
            slot.unused()
            raise
        except BaseException:
            slot.answered()
            raise
        slot.answered(hold=pause_asked(response, bucket.window) if response.status_code == 429 else 0.0)
        return response

    def _is_back(self, sending: asyncio.Task[httpx.Response]) -> None:
        del self._in_flight[sending]
        if not sending.cancelled():
            sending.exception()  # asked for, since a call that was cancelled does not

    async def drain(self, grace: float) -> list[httpx.Request]:
        """Give what has left `grace` seconds to come back; return the requests that did not."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=grace)
        return list(self._in_flight.values())

    async def aclose(self) -> None:
        """Close the wire."""
        await self._wire.aclose()


def pause_asked(response: httpx.Response, default: float) -> float:
    """Return the seconds that Retry-After (a number or a date) asks for, else `default`; at most 300."""
    asked = response.headers.get("retry-after", "")
    try:
        pause = float(asked) if asked else default
    except ValueError:
        try:
            pause = parsedate_to_datetime(asked).timestamp() - time()
        except (ValueError, OverflowError):
            pause = default
    return min(max(pause, 0.0), LONGEST_HOLD) if math.isfinite(pause) else default

"""Slots that replicas share through Redis, and what each does while Redis is away."""

import asyncio
import logging
import math
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import Context
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from cio_mcp.client.call import now
from cio_mcp.client.pacing.buckets import Bucket
from cio_mcp.client.pacing.redis_buckets import GONE, HEARD, RedisBuckets, Reply
from cio_mcp.client.pacing.slots import LEASE, Lease, MemorySlots, Wait
from cio_mcp.databases.redis import TIMEOUT, RedisAway

# Leases, and changes between Redis and going alone, outlast the window by this: an answer of Redis may have
# taken its time before a request left, and the request's own answer too.
GRACE = LEASE + TIMEOUT

# Slots that are given back ride on the next lease, or go to Redis after so many seconds.
FLUSH = 0.05

# A replica tells Redis so often that it lives; while Redis is away it looks so often whether it is back.
BEAT, PROBE = 2.0, 0.25

# Replicas notice within so many seconds of each other that Redis is back.
RETURN = 2.0

# As long as Redis has not been reached even once, a replica takes itself for one of so many.
UNKNOWN = 4

# How long a replica may take to say that it leaves.
FAREWELL = 0.1

_log = logging.getLogger(__name__)


class RedisSlots:
    """Slots that replicas share through the Redis at `address`: redis://, rediss:// or unix://.

    What a replica had leased when it died runs out. When Redis goes away, each replica goes on at once with
    its part of each limit; before that a bucket rests for one window, since what left last is counted nowhere
    else. When Redis is back, each brings the slots that it used alone. (Only one thing is past help: a
    replica that alone loses sight of Redis sends its part besides the others.) Raises SettingsError for an
    address that redis-py does not take.
    """

    poll: float | None = 0.05

    def __init__(self, address: SecretStr) -> None:
        self._buckets = RedisBuckets(address)
        self._server = self._buckets.server
        self._me = uuid4().hex
        self._sharing, self._settled = UNKNOWN, -math.inf  # replicas; from then on fewer are believed
        self._used: dict[Bucket, float] = {}  # when each was used last
        self._shut_until: dict[Bucket, float] = {}
        self._back: dict[Bucket, list[tuple[Lease, float]]] = {}  # slots to give back, and when they are free
        self._is_away, self._away_at, self._alone = False, 0.0, MemorySlots()
        self._bringing = asyncio.Lock()  # held while Redis is told what was used alone
        self._tasks: set[asyncio.Task[None]] = set()

    async def lease(self, bucket: Bucket, ahead: float, stretch: float, waiting: int) -> Lease | Wait:
        """See `Slots.lease`."""
        if not self._tasks:
            self._begin(self._beat())
        try:
            if not self._is_away:
                answer = await self._ask(bucket, ahead=ahead, stretch=stretch, waiting=waiting)
                return Wait(answer.wait) if answer.number < 0 else _leased(answer)
        except RedisAway as away:
            self._go_alone(away)
        finally:
            self._used[bucket] = now()
        async with self._bringing:
            if not self._is_away:
                return Wait(0.0)
            opens = max(self._away_at + _span(bucket), self._shut_until.get(bucket, 0.0))
            await self._alone.shut(bucket, opens - now())
            return self._alone.lease_now(bucket, stretch, ahead)

    def lease_now(self, bucket: Bucket, stretch: float) -> Lease | None:  # noqa: ARG002
        """Redis has to be asked."""
        return None

    async def rest(self, bucket: Bucket, lease: Lease, seconds: float) -> None:
        """See `Slots.rest`; Redis hears of it with the next lease, or soon."""
        if self._is_away:
            return await self._alone.rest(bucket, lease, seconds)
        if bucket not in self._back:
            self._begin(self._flush(bucket))
        self._back.setdefault(bucket, []).append((lease, now() + seconds))
        return None

    async def shut(self, bucket: Bucket, seconds: float) -> None:
        """See `Slots.shut`."""
        self._shut_until[bucket] = max(self._shut_until.get(bucket, 0.0), now() + seconds)
        await self._tell(bucket, shut=seconds)

    @property
    def trouble(self) -> str:
        """See `Slots.trouble`."""
        part = f"this replica uses its part of each limit, 1 of {self._sharing}"
        return f"Redis cannot be reached; until it is back, {part}" if self._is_away else ""

    async def aclose(self) -> None:
        """Give back what is held, and leave."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(RedisAway, TimeoutError):
            async with asyncio.timeout(FAREWELL):
                for bucket in {*self._back, *self._one_of_each_workspace()}:
                    if not self._is_away:
                        await self._ask(bucket, waiting=GONE)
        await self._server.aclose()

    async def _ask(
        self,
        bucket: Bucket,
        *,
        ahead: float = -1.0,
        stretch: float = 1.0,
        waiting: int = 0,
        shut: float = 0.0,
    ) -> Reply:
        answer = await self._buckets.turn(
            bucket,
            self._me,
            lasts=bucket.window * stretch + GRACE,
            ahead=ahead,
            waiting=waiting,
            shut=shut,
            in_use=self._in_use(bucket),
            back=[(lease, free_at - now()) for lease, free_at in self._back.pop(bucket, ())],
        )
        if answer.sharing > self._sharing or now() >= self._settled:
            self._sharing = max(answer.sharing, 1)
        return answer

    async def _tell(self, bucket: Bucket, *, shut: float = 0.0) -> None:
        try:
            if not self._is_away:
                await self._ask(bucket, shut=shut)
        except RedisAway as away:
            self._go_alone(away)

    async def _flush(self, bucket: Bucket) -> None:
        await asyncio.sleep(FLUSH)
        if bucket in self._back:
            await self._tell(bucket)

    async def _beat(self) -> None:
        """Stay counted, and notice that Redis is away, while there is nothing to send."""
        while True:
            await asyncio.sleep(BEAT)
            for bucket in self._one_of_each_workspace():
                await self._tell(bucket)

    def _go_alone(self, away: RedisAway) -> None:
        if self._is_away:
            return
        self._is_away, self._away_at, self._settled = True, now(), math.inf
        self._alone = MemorySlots(self._sharing)
        self._back.clear()
        text = "Redis at %s is away (%s); until it is back this replica keeps to one of %d parts of a limit"
        _log.warning(text, self._server.place, away, self._sharing)
        self._begin(self._come_back(late=away.late))

    async def _come_back(self, *, late: bool) -> None:
        while self._is_away:
            await asyncio.sleep(PROBE)
            await self._server.aclose()  # the name may lead elsewhere by now
            with suppress(RedisAway):
                await self._server.reach()
                async with self._bringing:
                    for bucket in list(self._used):
                        await self._report(bucket, late=late)
                    self._is_away, self._settled = False, now() + HEARD
        _log.warning("Redis at %s is back; the limits are shared again", self._server.place)

    async def _report(self, bucket: Bucket, *, late: bool) -> None:
        """Make sure that Redis knows what left last of a bucket, or let it rest for a window."""
        away = now() - self._away_at
        used_alone = away >= _span(bucket)
        all_counted = not self._in_use(bucket) or (late and not used_alone)
        if not all_counted and used_alone and bucket.limit >= self._sharing:
            patience, rests = max(_span(bucket), RETURN), self._alone.rests(bucket)
            all_counted = await self._buckets.bring(bucket, away=away, patience=patience, rests=rests)
        rest = 0.0 if all_counted else _span(bucket)
        shut = max(rest, self._shut_until.get(bucket, 0.0) - now(), 0.0)
        if shut or bucket in self._one_of_each_workspace():
            await self._ask(bucket, shut=shut)

    def _in_use(self, bucket: Bucket) -> bool:
        return now() - self._used.get(bucket, -math.inf) < _span(bucket)

    def _one_of_each_workspace(self) -> list[Bucket]:
        return list({bucket.workspace: bucket for bucket in self._used}.values())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, context=Context())  # no call's, though one began it
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _leased(answer: Reply) -> Lease:
    return Lease(answer.number, now() + answer.wait, answer.ends)


def _span(bucket: Bucket) -> float:
    return bucket.window + GRACE

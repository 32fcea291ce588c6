"""Slots that all processes of a user on one host share through a file."""

import asyncio
import logging
import math
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cio_mcp.client.call import now
from cio_mcp.client.pacing.bucket_file import BucketFile, Busy, Return
from cio_mcp.client.pacing.buckets import Bucket
from cio_mcp.client.pacing.slots import LEASE, Lease, MemorySlots, Wait

# A process tells the others so often that it lives.
TELL = 0.25

# Slots that are given back go into the file with the next lease, or after so many seconds. Of a wide limit
# one slot in so many is leased together, and what has not been used is given back after as long.
FLUSH, HANDFUL = 0.05, 100

# When sharing fails while others may go on, this process takes itself for one of so many.
ALONE = 4

_Done = TypeVar("_Done")
_log = logging.getLogger(__name__)


class FileSlots:
    """Slots that processes share through the file at `path`.

    A process that is stopped holds nothing up: what it had leased runs out. Raises sqlite3.Error or OSError
    where the file cannot be used. If it fails later, this process goes on alone, with a part of each limit.
    """

    poll: float | None = 0.05

    def __init__(self, path: Path) -> None:
        self._file = BucketFile(path)
        self._told: dict[Bucket, tuple[float, int]] = {}  # when whoever looks was told last, and what
        self._hand: dict[Bucket, list[Lease]] = {}
        self._back: list[Return] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._is_alone, self._alone = False, MemorySlots(ALONE)

    def lease_now(self, bucket: Bucket, stretch: float) -> Lease | Wait | None:
        """See `Slots.lease_now`."""
        try:
            return self._lease(bucket, 0.0, stretch, 0)
        except Busy:
            return None

    async def lease(self, bucket: Bucket, ahead: float, stretch: float, waiting: int) -> Lease | Wait:
        """See `Slots.lease`."""
        return await _soon(lambda: self._lease(bucket, ahead, stretch, waiting))

    async def rest(self, bucket: Bucket, lease: Lease, seconds: float) -> None:
        """See `Slots.rest`; the others learn of it with the next lease, or soon."""
        if self._is_alone:
            await self._alone.rest(bucket, lease, seconds)
        else:
            self._give_back(bucket, lease, now() + seconds)

    async def shut(self, bucket: Bucket, seconds: float) -> None:
        """See `Slots.shut`."""
        until = now() + seconds
        await _soon(lambda: self._shut(bucket, until))
        if self._is_alone:
            await self._alone.shut(bucket, until - now())

    @property
    def trouble(self) -> str:
        """See `Slots.trouble`."""
        return "the file that this host's processes share failed" if self._is_alone else ""

    async def aclose(self) -> None:
        """Give back what is held, and leave the file to the others."""
        self._flush()
        if self._flushing:
            self._flushing.cancel()
        self.close()

    def close(self) -> None:
        """Leave the file to the others."""
        self._file.close()
        self._is_alone = True  # what comes back later is told to nobody

    def _lease(self, bucket: Bucket, ahead: float, stretch: float, waiting: int) -> Lease | Wait:
        """Lease at once; raises Busy."""
        if not self._is_alone:
            try:
                return self._from_hand(bucket, ahead) or self._from_file(bucket, ahead, stretch, waiting)
            except sqlite3.Error as error:
                self._go_alone(error)
        return self._alone.lease_now(bucket, stretch, ahead)

    def _from_hand(self, bucket: Bucket, ahead: float) -> Lease | Wait | None:
        """Return a slot that was leased together with another one moments ago, if one is left."""
        hand = self._hand.get(bucket)
        while hand:
            wait = hand[-1].start - now()
            if wait > ahead:
                return Wait(wait)
            lease = hand.pop()
            if wait > -FLUSH:
                return lease
            self._give_back(bucket, lease, 0.0)
        return None

    def _from_file(self, bucket: Bucket, ahead: float, stretch: float, waiting: int) -> Lease | Wait:
        told_at, told = self._told.get(bucket, (-math.inf, 0))
        most = max(1, bucket.limit // HANDFUL)
        used_later = FLUSH if most > 1 else 0.0
        tell = now() - told_at > TELL or (told > 1) != (waiting > 1)
        got = self._file.lease(
            bucket,
            self._back,
            ahead=ahead,
            lasts=bucket.window * stretch + LEASE + used_later,
            most=most,
            waiting=waiting if tell else None,
        )
        self._back.clear()
        if tell:
            self._told[bucket] = now(), waiting
        if isinstance(got, Wait):
            return got
        first, *others = got
        if others:
            self._hand[bucket] = others[::-1]
            self._flush_soon()
        return first

    def _give_back(self, bucket: Bucket, lease: Lease, free_at: float) -> None:
        self._back.append(Return(bucket, lease, free_at))
        self._flush_soon()

    def _flush_soon(self) -> None:
        self._flushing = self._flushing or asyncio.get_running_loop().call_later(FLUSH, self._flush)

    def _flush(self) -> None:
        """Give back what is not used."""
        self._flushing = None
        self._back += [Return(bucket, lease, 0.0) for bucket, hand in self._hand.items() for lease in hand]
        self._hand.clear()
        if self._is_alone or not self._back:
            return
        try:
            self._file.give_back(self._back)
            self._back.clear()
        except Busy:
            self._flush_soon()
        except sqlite3.Error as error:
            self._go_alone(error)

    def _shut(self, bucket: Bucket, until: float) -> None:
        self._hand.pop(bucket, None)
        try:
            if not self._is_alone:
                self._file.shut(bucket, until)
        except sqlite3.Error as error:
            self._go_alone(error)

    def _go_alone(self, error: sqlite3.Error) -> None:
        _log.warning("the shared pace failed (%s); this process keeps to a part of each limit", error)
        self._is_alone, self.poll = True, None
        self._hand.clear()
        self._back.clear()


async def _soon(do: Callable[[], _Done]) -> _Done:
    """Do what raises Busy once it does not, without stopping the event loop."""
    pause = 0.0005
    while True:
        try:
            return do()
        except Busy:
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads the tries
            pause = min(pause * 2, 0.05)

"""Many operations at once, through Track v2: cut to the limits, several requests in flight, each end told."""

import asyncio
import json
import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic_core import to_json

from cio_mcp.client.api import TrackApi
from cio_mcp.client.call import RequestKind
from cio_mcp.client.refusals import PARTLY, fault_in
from cio_mcp.errors import CustomerIOError, NotAllowed, NotSent, Refused, UnknownOutcome
from cio_mcp.limits import BATCH_BYTES, BATCH_OPERATIONS, OPERATION_BYTES

BATCH = "/api/v2/batch"

# Requests of one call that are on their way at the same time: so many keep the pace even where answers take
# as long as they do from another continent.
IN_FLIGHT = 8

# What a batch as a whole is refused with because of something in it: its halves are tried, up to so many
# times, until the operation at fault stands alone.
DIVISIBLE, DIVISIONS = {400, 413, 422}, 64

# Where a size may not be off by as much as floats written otherwise are, it is found out exactly.
ROUNDED = 500

# What surrounds the operations in a request: {"batch":[]}.
AROUND = 12

Operation = dict[str, Any]
_written = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class OperationEnd(StrEnum):
    """How an operation ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


@dataclass(frozen=True)
class OperationResult:
    """The end of one operation; `reason` says why it was not accepted."""

    end: OperationEnd
    reason: str = ""


ACCEPTED, NOT_SENT = OperationResult(OperationEnd.ACCEPTED), OperationResult(OperationEnd.NOT_SENT)


@dataclass
class BatchResult:
    """What became of operations, in their order. `stopped` is why some of them were not sent, if any were."""

    ends: list[OperationResult]
    stopped: CustomerIOError | None = None


def too_large(size: int) -> str:
    """Say why an operation of so many bytes is too large to be sent; "" for one that is not."""
    return f"has {size} bytes; at most {OPERATION_BYTES} fit" if size > OPERATION_BYTES else ""


def size_in_batch(operation: Operation) -> int:
    """Return how many bytes an operation has in a request."""
    size = len(to_json(operation))
    return len(_written(operation).encode()) if size > OPERATION_BYTES - ROUNDED else size


async def send_batch(
    track: TrackApi,
    operations: Sequence[Operation],
    tell: Callable[[int], Awaitable[None]] | None = None,
    sizes: Sequence[int] | None = None,
) -> BatchResult:
    """Send operations that may be repeated; returns how each ended.

    Which comes first among them is not certain. `tell` is told how many have ended, and `sizes` are how large
    each is at most, where that is known. A request of a dry run raises as it does elsewhere.
    """
    sending = _Sending(track, operations, sizes or list(map(size_in_batch, operations)), tell)
    if track.call.dry_run and (first := next(sending.cut, None)):
        await sending.post(first)
    sending.waiting.extend(sending.cut)
    track.call.several = len(sending.waiting) > 1
    await sending.work(1)  # alone: where it fares badly, few others should have left
    async with asyncio.TaskGroup() as group:
        for _ in range(min(IN_FLIGHT, len(sending.waiting))):
            group.create_task(sending.work())
    return sending.sent


@dataclass
class _Sending:
    track: TrackApi
    operations: Sequence[Operation]
    sizes: Sequence[int]
    tell: Callable[[int], Awaitable[None]] | None
    sent: BatchResult = field(init=False)
    cut: Iterator[list[int]] = field(init=False)
    waiting: deque[list[int]] = field(default_factory=deque)
    divisions: int = DIVISIONS

    def __post_init__(self) -> None:
        self.sent = BatchResult([NOT_SENT] * len(self.operations))
        self.cut = self._cut()

    def _cut(self) -> Iterator[list[int]]:
        """Yield the numbers of the operations of each request."""
        batch: list[int] = []
        room = BATCH_BYTES - AROUND
        for number, size in enumerate(self.sizes):
            if why := too_large(size):
                self.sent.ends[number] = OperationResult(OperationEnd.REFUSED, why)
                continue
            if size + 1 > room or len(batch) == BATCH_OPERATIONS:
                yield batch
                batch, room = [], BATCH_BYTES - AROUND
            batch.append(number)
            room -= size + 1
        if batch:
            yield batch

    async def work(self, most: float = math.inf) -> None:
        """Send one batch after the other, while nothing stops all of them, and at most so many."""
        while self.waiting and not self.sent.stopped and most > 0:
            most -= 1
            batch = self.waiting.popleft()
            try:
                self._answered(batch, await self.post(batch))
            except Refused as refused:
                if refused.status in DIVISIBLE:
                    self._divide(batch, OperationResult(OperationEnd.REFUSED, refused.reason or refused.what))
                else:
                    self.sent.stopped = refused  # the next ones would fare alike
            except UnknownOutcome as unknown:
                self._end(batch, OperationResult(OperationEnd.UNKNOWN, unknown.what))
            except (NotSent, NotAllowed) as stopped:
                self.sent.stopped = stopped
            if self.tell:
                await self.tell(sum(ended is not NOT_SENT for ended in self.sent.ends))

    async def post(self, batch: list[int]) -> dict[str, Any]:
        body = {"batch": [self.operations[number] for number in batch]}
        return await self.track.post(BATCH, body, kind=RequestKind.REPEATABLE)

    def _answered(self, batch: list[int], answer: dict[str, Any]) -> None:
        """Read an answer: what it does not name among its errors is accepted (200, 207)."""
        refused: dict[int, str] = {}
        errors = answer.get("errors") or []
        if not errors and self.track.call.answered == PARTLY:
            errors = ["Customer.io refused something, and did not say what"]
        for error in errors if isinstance(errors, list) else [errors]:
            told = fault_in(error) or ("no reason given", None)
            reason = f"{told[1]}: {told[0]}" if told[1] else told[0]
            index = error.get("batch_index") if isinstance(error, dict) else None
            if not isinstance(index, int) or not 0 <= index < len(batch):
                # It cannot be said which it means: the others took effect.
                self._divide(
                    batch,
                    OperationResult(OperationEnd.UNKNOWN if len(batch) > 1 else OperationEnd.REFUSED, reason),
                )
                return
            refused[batch[index]] = (
                f"{refused[batch[index]]}; {reason}" if batch[index] in refused else reason
            )
        for number in batch:
            why = refused.get(number)
            self.sent.ends[number] = OperationResult(OperationEnd.REFUSED, why) if why else ACCEPTED

    def _divide(self, batch: list[int], ended: OperationResult) -> None:
        """Try the halves of a batch that something in it spoils: to repeat an operation does no harm."""
        if len(batch) == 1 or not self.divisions:
            self._end(batch, ended)
            return
        self.divisions -= 1
        half = len(batch) // 2
        self.waiting.extendleft((batch[half:], batch[:half]))

    def _end(self, batch: list[int], ended: OperationResult) -> None:
        for number in batch:
            self.sent.ends[number] = ended

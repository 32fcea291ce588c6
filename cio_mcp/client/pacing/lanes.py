"""Whose turn it is: callers take turns, each caller's own requests in the order they came."""

import asyncio
import heapq
import itertools
from collections import OrderedDict
from dataclasses import dataclass

from cio_mcp.client.pacing.slots import Lease

# Single requests go ahead of bulk, but one turn in so many is bulk's first, so that it never starves.
BULK_EVERY = 8


@dataclass(eq=False, slots=True)
class Waiter:
    """A request that waits; `turn` ends with the lease it may use, or with why it gets none."""

    caller: str
    bulk: bool
    deadline: float
    turn: "asyncio.Future[Lease]"


class Lanes:
    """The requests that wait for one bucket. To give a turn costs the same however many there are."""

    def __init__(self) -> None:
        self._single, self._bulk = _Round(), _Round()
        self._turns = 0
        self._numbers = itertools.count()
        self._by_deadline: list[tuple[float, int, Waiter]] = []

    def __len__(self) -> int:
        return self._single.count + self._bulk.count

    def of(self, caller: str) -> int:
        """Return how many of a caller's requests wait."""
        return self._single.of(caller) + self._bulk.of(caller)

    def add(self, waiting: Waiter) -> None:
        """Let a request wait as the last of its caller's."""
        self._round(waiting).add(waiting)
        heapq.heappush(self._by_deadline, (waiting.deadline, next(self._numbers), waiting))

    def remove(self, waiting: Waiter) -> None:
        """Let a request wait no longer; one that has had its turn is left alone."""
        self._round(waiting).remove(waiting)
        if not self:
            self._by_deadline.clear()

    def take(self) -> Waiter | None:
        """Return the request whose turn it is, and let it wait no longer; None if nobody waits."""
        while self:
            self._turns += 1
            bulk_first = self._turns % BULK_EVERY == 0
            ahead, behind = (self._bulk, self._single) if bulk_first else (self._single, self._bulk)
            waiting = (ahead if ahead.count else behind).take()
            if not waiting.turn.done():  # done: its call was cancelled a moment ago
                return waiting
        return None

    def late(self, at: float) -> list[Waiter]:
        """Return the requests whose time will be up at `at`, the first to end first; they wait no longer."""
        late = []
        while self._by_deadline:
            deadline, _, waiting = self._by_deadline[0]
            if deadline > at and not waiting.turn.done():  # those that are done are only in the way
                break
            heapq.heappop(self._by_deadline)
            if not waiting.turn.done():
                late.append(waiting)
        for waiting in late:
            self.remove(waiting)
        return late

    def before(self, waiting: Waiter) -> int:
        """Return how many turns come before that of a request, which waits or is about to."""
        before = self._round(waiting).before(waiting)
        if waiting.bulk:
            return before + min(self._single.count, (before + 1) * (BULK_EVERY - 1))
        return before + min(self._bulk.count, before // (BULK_EVERY - 1))

    def _round(self, waiting: Waiter) -> "_Round":
        return self._bulk if waiting.bulk else self._single


class _Round:
    """Callers in the order of their turns, each with its requests in the order they came."""

    def __init__(self) -> None:
        self.count = 0
        self._callers: OrderedDict[str, OrderedDict[Waiter, None]] = OrderedDict()

    def of(self, caller: str) -> int:
        return len(self._callers.get(caller, ()))

    def add(self, waiting: Waiter) -> None:
        self._callers.setdefault(waiting.caller, OrderedDict())[waiting] = None
        self.count += 1

    def remove(self, waiting: Waiter) -> None:
        lane = self._callers.get(waiting.caller, OrderedDict())
        if waiting in lane:
            del lane[waiting]
            self.count -= 1
            if not lane:
                del self._callers[waiting.caller]

    def take(self) -> Waiter:
        """Return the first request of the caller whose turn it is; that caller's next turn comes last."""
        caller, lane = next(iter(self._callers.items()))
        self._callers.move_to_end(caller)
        waiting = next(iter(lane))
        self.remove(waiting)
        return waiting

    def before(self, waiting: Waiter) -> int:
        own = self._callers.get(waiting.caller, OrderedDict())
        mine = list(own).index(waiting) if waiting in own else len(own)
        before, rounds = mine, mine + 1
        for lane in self._callers.values():
            if lane is own:
                rounds = mine  # whoever comes after this caller in a round has one turn less before it
            else:
                before += min(len(lane), rounds)
        return before

"""Whose turn it is: callers take turns, single calls go before bulk work, and first come is first served."""

import asyncio
import heapq
import itertools
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from cio_mcp.client.pacing.slots import Lease

# One turn in so many is bulk work's first, so that it goes on however many single calls come.
BULK_TURN = 8


@dataclass(eq=False)
class _Lane:
    """One caller's calls of one kind; `alive` does not count those that gave up."""

    caller: str
    bulk: bool
    calls: "deque[Waiting]" = field(default_factory=deque)
    alive: int = 0


@dataclass(eq=False)
class Waiting:
    """A call that waits for its `turn` until `deadline`, a time of the event loop's clock."""

    deadline: float
    lane: _Lane
    turn: "asyncio.Future[Lease]"
    gone: bool = False


class Lanes:
    """The calls that wait for one bucket. No operation looks at every call."""

    def __init__(self) -> None:
        self._lanes: dict[bool, OrderedDict[str, _Lane]] = {False: OrderedDict(), True: OrderedDict()}
        self._alive = {False: 0, True: 0}
        self._deadlines: list[tuple[float, int, Waiting]] = []
        self._numbers = itertools.count()
        self._turns = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return sum(self._alive.values())

    def of(self, caller: str) -> int:
        """Return how many of a caller's calls wait."""
        return sum(lanes[caller].alive for lanes in self._lanes.values() if caller in lanes)

    def add(self, deadline: float, caller: str, *, bulk: bool) -> Waiting:
        """Let a call wait behind its caller's others of its kind."""
        lane = self._lanes[bulk].setdefault(caller, _Lane(caller, bulk))
        waiting = Waiting(deadline, lane, asyncio.get_running_loop().create_future())
        lane.calls.append(waiting)
        lane.alive += 1
        self._alive[bulk] += 1
        heapq.heappush(self._deadlines, (deadline, next(self._numbers), waiting))
        return waiting

    def leave(self, waiting: Waiting) -> None:
        """Let a call wait no longer; one that does not wait is left alone."""
        if waiting.gone:
            return
        waiting.gone = True
        lane = waiting.lane
        lane.alive -= 1
        self._alive[lane.bulk] -= 1
        if not lane.alive:
            del self._lanes[lane.bulk][lane.caller]

    def take(self) -> Waiting | None:
        """Return the call whose turn it is, which then waits no longer; its caller's next turn comes last."""
        self._turns += 1
        first = self._turns % BULK_TURN == 0
        for lanes in (self._lanes[first], self._lanes[not first]):
            for lane in lanes.values():
                lanes.move_to_end(lane.caller)
                while (waiting := lane.calls.popleft()).gone:
                    pass
                self.leave(waiting)
                return waiting
        return None

    def late(self, moment: float) -> Iterator[Waiting]:
        """Yield each call whose deadline is not after `moment`, which then waits no longer."""
        while self._deadlines and (self._deadlines[0][2].gone or self._deadlines[0][0] <= moment):
            waiting = heapq.heappop(self._deadlines)[2]
            if not waiting.gone:
                self.leave(waiting)
                yield waiting

    def ahead_of(self, caller: str, *, bulk: bool) -> int:
        """Return how many turns come before a new call of `caller`."""
        lanes = self._lanes[bulk]
        mine = lanes[caller].alive if caller in lanes else 0
        same = mine + sum(min(lane.alive, mine + 1) for name, lane in lanes.items() if name != caller)
        if bulk:
            return same + min(self._alive[False], (BULK_TURN - 1) * (same + 1))
        return same + min(self._alive[True], same // (BULK_TURN - 1))

"""What the transports must know about a request: the call it serves, and what repeating it would do."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto

import httpx


class Kind(Enum):
    """What repeating a request would do."""

    READ = auto()  # nothing: a GET, or a search that is a POST
    REPEATABLE = auto()  # the same again: identify, delete, an event with its id
    ONCE = auto()  # a second message, or a second thing created
    TRIGGER = auto()  # a second broadcast


# A call that sends more requests than this is bulk work: it goes page by page, and single calls go first.
SINGLE = 2

# Told while a call waits: seconds waited so far, seconds that are still to go, and for which limit.
OnWait = Callable[[float, float, str], Awaitable[None]]


@dataclass
class Call:
    """One tool call's use of the client.

    `deadline` is a time of the event loop's clock and covers queue, attempts and pauses; `caller` is whom
    the call is for, since callers take turns, and `share` the part of each limit that is theirs at most;
    `on_wait` is told while the call waits. `waited` is how many seconds
    it has spent in queues so far, `requests` how many it has made, and `sending` the newest that left.
    """

    deadline: float
    caller: str = ""
    dry_run: bool = False
    share: float = 1.0
    on_wait: OnWait | None = None
    waited: float = 0.0
    requests: int = 0
    sending: "asyncio.Task[httpx.Response] | None" = None

    @property
    def bulk(self) -> bool:
        """Say whether this call has turned out to be bulk work."""
        return self.requests > SINGLE


def now() -> float:
    """Return the time of the event loop's clock, in seconds.

    Waits, timeouts and deadlines all use this one clock, and a test replaces it by replacing the loop.
    """
    return asyncio.get_running_loop().time()

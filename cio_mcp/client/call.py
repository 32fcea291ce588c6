"""What the transports must know about a request: the call it serves, and what repeating it would do."""

import asyncio
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What repeating a request would do."""

    READ = auto()  # nothing: a GET, or a search that is a POST
    REPEATABLE = auto()  # the same again: identify, delete, an event with its id
    ONCE = auto()  # a second message, or a second thing created
    TRIGGER = auto()  # a second broadcast


@dataclass
class Call:
    """One tool call's use of the client.

    `deadline` is a time of the event loop's clock and covers queue, attempts and pauses; `caller` is whom
    the call is for, since callers take turns; `waited` is how many seconds it has spent in queues so far.
    """

    deadline: float
    caller: str = ""
    dry_run: bool = False
    waited: float = 0.0


def now() -> float:
    """Return the time of the event loop's clock, in seconds.

    Waits, timeouts and deadlines all use this one clock, and a test replaces it by replacing the loop.
    """
    return asyncio.get_running_loop().time()

"""What the transports must know about a request: the call it serves, and what repeating it would do."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import httpx


class RequestKind(Enum):
    """What repeating a request would do."""

    READ = auto()  # nothing: a GET, or a search that is a POST
    REPEATABLE = auto()  # the same again: identify, delete, an event with its id
    ONCE = auto()  # a second message, or a second thing created
    TRIGGER = auto()  # a second broadcast


def failed(status: int) -> bool:
    """Say whether a status says that the API failed; 501 does not: what is not implemented did not happen."""
    return status >= 500 and status != 501


def now() -> float:
    """Return the time of the event loop's clock, in seconds.

    Waits, timeouts and deadlines all use this one clock, and a test replaces it by replacing the loop.
    """
    return asyncio.get_running_loop().time()


def deadline_of(request: httpx.Request) -> float:
    """Return when the call is over that a request is made for; one that is made for none has no deadline."""
    call: Call | None = request.extensions.get("call")
    return call.deadline if call else math.inf


@dataclass(frozen=True)
class QueuePlace:
    """Where a call that waits is: seconds since it began, calls before it, about how many seconds to go."""

    elapsed: float
    ahead: int
    to_go: float
    what: str = "Waiting for its turn"


Tell = Callable[[QueuePlace], Awaitable[None]]


@dataclass(frozen=True)
class Replacement:
    """What a call found in the place of what it writes: each text before and after, by name.

    `follows` is what comes of it: our own words, and after them somebody else's.
    """

    texts: Mapping[str, tuple[str, str]]
    follows: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Outgoing:
    """A request as it leaves."""

    method: str
    url: str
    body: dict[str, Any] | None


class WouldSend(Exception):
    """Raised instead of sending, by the first change of a dry run.

    `request` would leave first, and `whole` is what all requests say together; `would` are words for that.
    `checked` tells what is known of its rows. `instead` is what a call raises that can only be previewed.
    """

    def __init__(self, request: Outgoing) -> None:
        super().__init__(request.method, request.url)
        self.request = self.whole = request
        self.would = ""
        self.checked: Any = None
        self.instead: Exception | None = None


# Awaited before a request leaves; what it raises keeps the request from leaving.
Leaving = Callable[[Outgoing], Awaitable[None]]

# A tool call that makes more requests than this reads in bulk.
SINGLE = 2


@dataclass
class Call:
    """One tool call's use of the client.

    `deadline` is a time of the event loop's clock and covers queue, attempts and pauses; `caller` is whom
    the call is for, since callers take turns, and `share` the part of each limit that is theirs at most;
    `tell` is told its place while it waits long. `waited` is how many seconds it has spent in queues so far,
    in however many at once: `queued` are there now, and the first of them `queued_since`;
    `requests` how many it has made, without their retries, and `sending` the newest that left; once a call
    is acting, those that only read do not count as such. `several` says that it acts by several requests,
    `effects` is how many changed something, or may have, and `quota_left` what the newest answer said is left
    of a limit per day, and `answered` its status. `called_at` is the time of day when it began, in unix
    seconds, and `timezone` the one in which its days begin. `leaving` is awaited for each request that
    changes something, each time that its turn has come. `replaces` is what stands in the place of what the
    call writes, for its preview, and so that a confirmation holds for no other. `conceal` hides people in
    what the call has read, for a tool that makes text of it.
    """

    deadline: float
    caller: str = ""
    dry_run: bool = False
    share: float = 1.0
    called_at: float = 0.0
    timezone: str = "UTC"
    tell: Tell | None = None
    leaving: Leaving | None = None
    waited: float = 0.0
    queued: int = 0
    queued_since: float = 0.0
    requests: int = 0
    several: bool = False
    effects: int = 0
    quota_left: int | None = None
    answered: int | None = None
    replaces: Replacement | None = None
    conceal: Callable[[Any], Any] = lambda value: value
    begun: float = field(default_factory=now)
    told: float = field(default_factory=now)
    sending: "asyncio.Task[httpx.Response] | None" = None

    @contextmanager
    def waiting(self, since: float) -> Iterator[None]:
        """Count the time inside as waited, once where several requests of the call wait side by side."""
        if not self.queued:
            self.queued_since = since
        self.queued += 1
        try:
            yield
        finally:
            self.queued -= 1
            if not self.queued:
                self.waited += now() - self.queued_since

    def next_is_bulk(self) -> bool:
        """Count one more request; say whether it goes behind the requests of calls that make only a few."""
        self.requests += 1
        return self.requests > SINGLE

"""The client as a whole: one connection pool, one pace, both APIs."""

import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import TypeVar

import httpx

from cio_mcp.client.access import Access
from cio_mcp.client.api import Api
from cio_mcp.client.breaker import BreakerTransport
from cio_mcp.client.call import Call, Tell, now
from cio_mcp.client.counts import RequestCounts
from cio_mcp.client.pacing import BucketState, Limits, MemorySlots, Pace, PaceTransport, Slots
from cio_mcp.client.read_cache import ReadCache
from cio_mcp.client.redirect import RedirectTransport
from cio_mcp.client.retry import RetryTransport

# What a request says about the answer that it takes.
HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate"}

_log = logging.getLogger(__name__)
_AnyApi = TypeVar("_AnyApi", bound=Api)


class CustomerIO:
    """A Customer.io workspace, as far as the given accesses open it.

    `wire` is what requests finally leave through: a network, or an application in this process. `deadline`
    is the time in seconds that one tool call may take, queue and retries included; `clock` is the time of
    day. A call's requests pass `RetryTransport`, `BreakerTransport`, `PaceTransport` and
    `RedirectTransport` on their way, and nothing else.
    """

    def __init__(
        self,
        wire: httpx.AsyncBaseTransport,
        accesses: Iterable[Access],
        *,
        limits: Limits,
        deadline: float,
        user_agent: str,
        slots: Slots | None = None,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._accesses = {access.api: access for access in accesses}
        self._limits = limits
        self._deadline = deadline
        self._clock = clock
        self._pace = Pace(slots or MemorySlots())
        self._pacer = PaceTransport(RedirectTransport(wire), self._pace, limits.names)
        self._breaker = BreakerTransport(self._pacer)
        self._wire = RetryTransport(self._breaker, jitter)
        self._kept = ReadCache()
        self._headers = {
            access.api: httpx.Headers({**access.headers, **HEADERS, "User-Agent": user_agent})
            for access in self._accesses.values()
        }

    def opens(self, api: type[Api]) -> bool:
        """Say whether there are credentials for `api`."""
        access = self._accesses.get(api.name)
        return access is not None and api.opened_by(access)

    def begin(
        self, caller: str = "", *, dry_run: bool = False, share: float = 1.0, tell: Tell | None = None
    ) -> Call:
        """Return a new call of `caller`, whose time starts now; `tell` is told its place while it waits."""
        call = Call(0.0, caller, dry_run, share, tell=tell)
        self.start(call)
        return call

    def start(self, call: Call) -> None:
        """Let the time of `call` begin now."""
        call.deadline, call.called_at = now() + self._deadline, self._clock()

    def api(self, api: type[_AnyApi], call: Call) -> _AnyApi:
        """Return `api` as `call` may use it."""
        access, headers = self._accesses[api.name], self._headers[api.name]
        return api(self._wire, headers, access, self._limits, self._kept, call)

    def buckets(self) -> list[BucketState]:
        """Return the limits used so far, as this process knows them now."""
        found = ((state, self._breaker.outage(state.bucket.label)) for state in self._pace.states())
        return [replace(state, **asdict(outage)) if outage else state for state, outage in found]

    @property
    def counts(self) -> Mapping[str, RequestCounts]:
        """What became of the requests so far, by limit."""
        return self._pacer.counts

    @property
    def trouble(self) -> str:
        """Why the limits are not shared as they should be, empty while they are."""
        return self._pace.trouble

    async def aclose(self, grace: float = 0.0) -> None:
        """Close the connections, `grace` seconds after the last call at the most.

        What has left and is not answered by then is logged as unknown, by method and host.
        """
        await self._kept.aclose()
        for request in await self._pacer.drain(grace):
            _log.error("unknown outcome at shutdown: %s %s", request.method, request.url.host)
        await self._wire.aclose()

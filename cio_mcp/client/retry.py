"""What an attempt's end means for each kind of call, and the transport that acts on it."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import httpx

from cio_mcp.client.call import RequestKind, failed, now
from cio_mcp.client.network import failure_of
from cio_mcp.client.pacing import NEVER_LEFT, is_used_up
from cio_mcp.errors import NotAllowed, NotSent, UnknownOutcome


class AttemptEnd(Enum):
    """How one attempt ended."""

    NEVER_LEFT = auto()  # no connection, no byte sent
    THROTTLED = auto()  # 429: counted and not executed
    LOST = auto()  # 408, 5xx, a timeout or a broken connection after the request left
    ANSWERED = auto()  # anything else is Customer.io's word on the matter


class NextStep(Enum):
    """What follows from the end of an attempt."""

    RETRY = auto()  # through the pace again, while the deadline allows
    REPORT = auto()  # hand the answer up: a result or a refusal
    UNKNOWN = auto()  # never again: say that the outcome is unknown


OUTCOMES: dict[AttemptEnd, dict[RequestKind, NextStep]] = {
    AttemptEnd.NEVER_LEFT: dict.fromkeys(RequestKind, NextStep.RETRY),
    AttemptEnd.THROTTLED: {
        RequestKind.READ: NextStep.RETRY,
        RequestKind.REPEATABLE: NextStep.RETRY,
        RequestKind.ONCE: NextStep.RETRY,
        RequestKind.TRIGGER: NextStep.REPORT,
    },
    AttemptEnd.LOST: {
        RequestKind.READ: NextStep.RETRY,
        RequestKind.REPEATABLE: NextStep.RETRY,
        RequestKind.ONCE: NextStep.UNKNOWN,
        RequestKind.TRIGGER: NextStep.UNKNOWN,
    },
    AttemptEnd.ANSWERED: dict.fromkeys(RequestKind, NextStep.REPORT),
}

ATTEMPTS = 4

# Seconds that must be left after a pause. With less, another attempt would only hide why the last one failed.
LAST_ATTEMPT = 0.1

# An API that fails gets at most so many retries at once, and one more for every ten requests.
RETRIES_AT_ONCE, RETRIES_PER_REQUEST = 10.0, 0.1


# What one attempt brings.
_Got = httpx.Response | httpx.RequestError


class RetryTransport(httpx.AsyncBaseTransport):
    """Repeats what may be repeated, with exponential pauses and full jitter, within the call's deadline.

    A 429 that does not say when to try again is tried again once: what is used up for a day says so too. What
    was refused stays refused if there is no time for another attempt.

    A request names its call and its kind in `request.extensions`, where the number of the attempt is kept.
    Besides what `PaceTransport` raises, it raises NotSent when no connection could be made, and
    UnknownOutcome when a request left and no answer came, even if it was not allowed to leave again.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, jitter: Callable[[], float] = random.random) -> None:
        self._inner = inner
        self._jitter = jitter
        self._retries_left: dict[str, float] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` until its outcome is settled."""
        kind, deadline = request.extensions["kind"], request.extensions["call"].deadline
        past = _Past()
        held = ""
        attempts = 0
        self._earn(request)
        while True:
            request.extensions["attempt"] = request.extensions.get("attempt", 0) + 1
            try:
                got: _Got = await self._inner.handle_async_request(request)
            except httpx.RequestError as error:
                got = error
            except (NotSent, NotAllowed) as error:
                if past.lost is None and (past.refused is None or isinstance(error, NotAllowed)):
                    raise
                held = f" It was not sent again. {error.what}" if isinstance(error, NotAllowed) else ""
                break
            end = _end_of(got)
            step = OUTCOMES[end][kind]
            if step is NextStep.REPORT and isinstance(got, httpx.Response):
                already_gone = past.lost and request.method == "DELETE" and got.status_code == 404
                return httpx.Response(200, json={}, request=request) if already_gone else got
            past.add(got, end)
            if step is NextStep.UNKNOWN or past.is_refused_for_good:
                break
            if end is AttemptEnd.THROTTLED:
                continue  # the bucket holds the next attempt back, for as long as the 429 asks
            attempts += 1
            if attempts == ATTEMPTS or not self._may_retry(request):
                break
            pause = self._jitter() * min(8.0, 0.5 * 2**attempts)
            if now() + pause + LAST_ATTEMPT >= deadline:
                break
            await asyncio.sleep(pause)
        return _settled(request, kind, past.settle(got, end), held)

    def _earn(self, request: httpx.Request) -> None:
        bucket = request.extensions["buckets"][0].label
        left = self._retries_left.get(bucket, RETRIES_AT_ONCE)
        self._retries_left[bucket] = min(RETRIES_AT_ONCE, left + RETRIES_PER_REQUEST)

    def _may_retry(self, request: httpx.Request) -> bool:
        bucket = request.extensions["buckets"][0].label
        if self._retries_left[bucket] < 1:
            return False
        self._retries_left[bucket] -= 1
        return True

    async def aclose(self) -> None:
        """Close the transport inside."""
        await self._inner.aclose()


@dataclass
class _Past:
    """What earlier attempts of a request say of its outcome.

    `lost` is the last end that leaves it unknown, `refused` the last 429, and `without_pause` counts the 429s
    that do not say when to try again.
    """

    lost: _Got | None = None
    refused: httpx.Response | None = None
    without_pause: int = 0

    def add(self, got: _Got, end: AttemptEnd) -> None:
        """Remember how an attempt ended."""
        if end is AttemptEnd.LOST:
            self.lost = got
        elif end is AttemptEnd.THROTTLED and isinstance(got, httpx.Response):
            self.refused = got
            self.without_pause += "retry-after" not in got.headers

    @property
    def is_refused_for_good(self) -> bool:
        """Say whether trying again would not help: a limit per day is used up, or may be."""
        return self.refused is not None and (is_used_up(self.refused) or self.without_pause > 1)

    def settle(self, got: _Got, end: AttemptEnd) -> _Got:
        """Return what decides without an answer: a lost attempt; what was refused is never unsent."""
        return self.lost or (self.refused if end is AttemptEnd.NEVER_LEFT else None) or got


def _end_of(got: _Got) -> AttemptEnd:
    if isinstance(got, httpx.RequestError):
        return AttemptEnd.NEVER_LEFT if isinstance(got, NEVER_LEFT) else AttemptEnd.LOST
    if got.status_code == 429:
        return AttemptEnd.THROTTLED
    return AttemptEnd.LOST if got.status_code == 408 or failed(got.status_code) else AttemptEnd.ANSWERED


def _settled(request: httpx.Request, kind: RequestKind, got: _Got, held: str) -> httpx.Response:
    if isinstance(got, NEVER_LEFT):
        raise NotSent(
            f"Not sent: {failure_of(got, request.url)}.",
            do="Check the network, HTTPS_PROXY, and CIO_TRACK_URL or CIO_APP_URL; then call again.",
            retryable=True,
        ) from got
    if isinstance(got, httpx.Response) and (kind is RequestKind.READ or _end_of(got) is not AttemptEnd.LOST):
        return got
    status = got.status_code if isinstance(got, httpx.Response) else None
    answer = f"status {status}" if status else f"no answer ({type(got).__name__})"
    raise UnknownOutcome(
        f"Unknown outcome: the request was sent, and {answer} came back. "
        + ("A read changes nothing." if kind is RequestKind.READ else "It may or may not have taken effect.")
        + held,
        do=request.extensions["if_unknown"],
        retryable=kind in {RequestKind.READ, RequestKind.REPEATABLE},
        status=status,
    )

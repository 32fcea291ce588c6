"""The transport that sends each request in its turn."""

import asyncio
import math
import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from time import time

import httpx

from cio_mcp.client.bodies import loaded
from cio_mcp.client.call import Call, Leaving, RequestKind, now
from cio_mcp.client.counts import RequestCounts
from cio_mcp.client.pacing.buckets import Bucket
from cio_mcp.client.pacing.queue import Pace, Turn
from cio_mcp.errors import NotSent

# What names a day in the text of a 429.
DAY = re.compile(rb"\bda(?:y|ily)\b", re.IGNORECASE)

# The longest pause that a Retry-After may ask of us, in seconds.
LONGEST_HOLD = 300.0

# What the transport raises before the first byte of a request has left.
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class PaceTransport(httpx.AsyncBaseTransport):
    """Sends each request in its turn, and lets what has left run on when its caller gives up.

    A request says in `request.extensions` which call and buckets it is of, and whether it is bulk. Once it
    has left it runs in a task of its own: cancelling the call only stops the waiting, so the outcome is known
    to the pace, and the connection pool of httpx 0.28, which breaks when requests are cancelled, is never cut
    into. `counts` tells what became of requests, by limit.
    """

    def __init__(self, wire: httpx.AsyncBaseTransport, pace: Pace, limits: Iterable[str]) -> None:
        self._wire = wire
        self._pace = pace
        self._in_flight: dict[asyncio.Task[httpx.Response], httpx.Request] = {}
        self.counts = {limit: RequestCounts() for limit in limits}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` when its turn has come; raises NotSent when that is after the call's deadline.

        Raises what the call's `leaving` does, with nothing sent and the turn given back.
        """
        call: Call = request.extensions["call"]
        buckets: tuple[Bucket, ...] = request.extensions["buckets"]
        if (asked := now()) >= call.deadline:
            raise NotSent(
                "Not sent: the call's time ran out before its request could be sent.",
                do="Call again.",
                retryable=True,
            )
        counts = self.counts[buckets[0].name]
        try:
            with call.waiting(asked):
                turns = await self._turns(buckets, call, bulk=request.extensions["bulk"])
        finally:
            counts.waits.add(now() - asked)
        acts = request.extensions["kind"] is not RequestKind.READ
        if call.leaving and acts:
            await self._check_leaving(call.leaving, request, turns)
        sending = asyncio.create_task(self._send(request, turns, counts))
        if acts or not call.leaving:
            call.sending = sending
        self._in_flight[sending] = request
        sending.add_done_callback(self._is_back)
        await asyncio.wait([sending], timeout=call.deadline - now())
        if not sending.done():
            raise httpx.ReadTimeout("no answer before the deadline", request=request)
        return sending.result()

    async def _turns(self, buckets: tuple[Bucket, ...], call: Call, *, bulk: bool) -> list[Turn]:
        """Return a turn in each bucket, after those in the caller's own parts of them, if there are any."""
        if call.share < 1:
            buckets = (*(bucket.own(call.caller, call.share) for bucket in buckets), *buckets)
        turns: list[Turn] = []
        try:
            for bucket in buckets:
                turns.append(await self._pace.enter(bucket, call, bulk=bulk))  # noqa: PERF401 - each is kept at once
        except BaseException:
            await _give_back(turns)
            raise
        return turns

    async def _check_leaving(self, leaving: Leaving, request: httpx.Request, turns: list[Turn]) -> None:
        try:
            await leaving(request.extensions["outgoing"])
        except BaseException:
            await _give_back(turns)
            raise
        for turn in turns:
            turn.leaves()

    async def _send(self, request: httpx.Request, turns: list[Turn], counts: RequestCounts) -> httpx.Response:
        deadline = request.extensions["call"].deadline
        counts.retries += request.extensions.get("attempt", 1) > 1
        end = "no_answer"
        try:
            response = await loaded(await self._wire.handle_async_request(request), deadline)
            response.request = request
            end = str(response.status_code)
        except NEVER_LEFT:
            end = "no_connection"
            await _give_back(turns)
            raise
        finally:
            counts.ends[end] += 1
        # Without an answer the slot stays leased: the request may still be counted.
        refused = response.status_code == 429
        used_up = refused and is_used_up(response)
        for turn in turns:
            # What is used up for a day is no reason to make fewer requests in a second.
            throttled = refused and (turn.bucket.is_quota or not used_up)
            if throttled and turn.bucket in request.extensions["buckets"]:
                await turn.throttled(pause_asked(response, 0.0))
            else:
                await turn.answered()
        return response

    def _is_back(self, sending: asyncio.Task[httpx.Response]) -> None:
        del self._in_flight[sending]
        if not sending.cancelled():
            sending.exception()  # asked for, since a call that was cancelled does not

    async def drain(self, grace: float) -> list[httpx.Request]:
        """Give what has left `grace` seconds to come back; return the requests that did not."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=grace)
        return list(self._in_flight.values())

    async def aclose(self) -> None:
        """Close the wire and stop the pace."""
        await self._pace.aclose()
        await self._wire.aclose()


async def _give_back(turns: Iterable[Turn]) -> None:
    for turn in turns:
        await turn.unused()


def is_used_up(response: httpx.Response) -> bool:
    """Return whether a 429 is of a limit per day, which no pause of seconds helps.

    It has no Retry-After, a text like "rate limited to 100 request(s) per day", and its endpoint counts what
    is left in X-RateLimit-Remaining (App API, getArchivedMessage, 2026-09).
    """
    if response.status_code != 429:
        return False
    left = response.headers.get("x-ratelimit-remaining", "").strip()
    return left == "0" or DAY.search(response.content[:10_000]) is not None


def pause_asked(response: httpx.Response, default: float, longest: float = LONGEST_HOLD) -> float:
    """Return the seconds that Retry-After (a number or a date) asks for, up to `longest`, or `default`."""
    asked = response.headers.get("retry-after", "")
    try:
        pause = float(asked) if asked else default
    except ValueError:
        try:
            pause = parsedate_to_datetime(asked).timestamp() - time()
        except (ValueError, OverflowError):
            pause = default
    return min(max(pause, 0.0), longest) if math.isfinite(pause) else default

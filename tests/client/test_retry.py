"""The outcome table, by fault injection."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cio_mcp.client import RequestKind
from cio_mcp.client.pacing import Limits
from cio_mcp.client.retry import OUTCOMES, AttemptEnd, NextStep
from cio_mcp.errors import CustomerIOError, NotSent, Refused, UnknownOutcome
from tests.client.wires import Connected, Script, connected
from tests.client.wires import End as Fault

pytestmark = pytest.mark.anyio

Act = Callable[[Connected], Awaitable[object]]

ACTS: dict[RequestKind, Act] = {
    RequestKind.READ: lambda there: there.app().get("/v1/campaigns"),
    RequestKind.REPEATABLE: lambda there: there.track().put("/api/v1/customers/{id}", {}, id="someone"),
    RequestKind.ONCE: lambda there: there.app().post(
        "/v1/send/email", {}, kind=RequestKind.ONCE, if_unknown="Look first."
    ),
    RequestKind.TRIGGER: lambda there: there.app().post(
        "/v1/campaigns/{id}/triggers", {}, kind=RequestKind.TRIGGER, if_unknown="Look first.", id=7
    ),
}

FAULTS: dict[AttemptEnd, list[Fault]] = {
    AttemptEnd.NEVER_LEFT: [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError],
    AttemptEnd.THROTTLED: [429],
    AttemptEnd.LOST: [
        *(408, 500, 502, 503, 504, 599),
        *(
            httpx.ReadTimeout,
            httpx.ReadError,
            httpx.RemoteProtocolError,
            httpx.WriteError,
            httpx.WriteTimeout,
        ),
        httpx.Response(502, text="<html><title>Bad gateway</title></html>"),
    ],
    AttemptEnd.ANSWERED: [400, 401, 403, 404, 405, 413, 422, 501],
}

CASES = [
    pytest.param(end, kind, fault, id=f"{end.name}-{kind.name}-{getattr(fault, '__name__', fault)}")
    for end, faults in FAULTS.items()
    for fault in faults
    for kind in RequestKind
]


@pytest.mark.parametrize(("end", "kind", "fault"), CASES)
async def test_a_single_fault_ends_as_the_table_says(
    end: AttemptEnd, kind: RequestKind, fault: Fault
) -> None:
    wire = Script([fault])
    async with connected(wire) as there:
        error: CustomerIOError | None = None
        try:
            await ACTS[kind](there)
        except CustomerIOError as raised:
            error = raised

    match OUTCOMES[end][kind]:
        case NextStep.RETRY:
            assert error is None
            assert len(wire.arrivals) == 2
        case NextStep.REPORT:
            assert isinstance(error, Refused)
            assert len(wire.arrivals) == 1
        case NextStep.UNKNOWN:
            assert isinstance(error, UnknownOutcome)
            assert "Look first." in str(error)
            assert not error.retryable
            assert len(wire.arrivals) == 1


@pytest.mark.parametrize("kind", [RequestKind.ONCE, RequestKind.TRIGGER])
def test_what_must_not_happen_twice_is_never_repeated_once_it_may_have_happened(kind: RequestKind) -> None:
    assert OUTCOMES[AttemptEnd.LOST][kind] is NextStep.UNKNOWN


@pytest.mark.parametrize(
    ("fault", "kind", "outcome", "words"),
    [
        (503, RequestKind.READ, Refused, "503"),
        (httpx.ReadTimeout, RequestKind.READ, UnknownOutcome, "A read changes nothing"),
        (503, RequestKind.REPEATABLE, UnknownOutcome, "status 503 came back"),
        (
            httpx.ReadError,
            RequestKind.REPEATABLE,
            UnknownOutcome,
            "Calling again with the same arguments is safe",
        ),
        (httpx.ConnectError, RequestKind.ONCE, NotSent, "(ConnectError). Check the network"),
    ],
)
async def test_a_fault_that_stays_is_told_after_four_attempts(
    fault: Fault, kind: RequestKind, outcome: type[CustomerIOError], words: str
) -> None:
    wire = Script([fault] * 9)
    async with connected(wire) as there:
        with pytest.raises(outcome) as raised:
            await ACTS[kind](there)

    assert words in str(raised.value)
    assert raised.value.retryable
    assert len(wire.arrivals) == 4


@pytest.mark.parametrize("then", [429, httpx.ConnectError])
async def test_a_write_that_was_lost_once_stays_unknown_whatever_later_attempts_say(then: Fault) -> None:
    wire = Script([httpx.ReadError, *[then] * 99])
    async with connected(wire) as there:
        with pytest.raises(UnknownOutcome):
            await ACTS[RequestKind.REPEATABLE](there)


async def test_a_write_that_was_lost_and_then_finds_no_turn_is_unknown_and_not_called_unsent() -> None:
    wire = Script([httpx.ReadError, httpx.Response(429, headers={"retry-after": "60"})])
    async with connected(wire) as there:
        with pytest.raises(UnknownOutcome):
            await ACTS[RequestKind.REPEATABLE](there)

    assert len(wire.arrivals) == 2


@dataclass
class Ledger(httpx.AsyncBaseTransport):
    """Ends requests as told and counts how often each took effect; further ones succeed.

    A step is how a request ends, and whether it took effect before that.
    """

    steps: list[tuple[Fault, bool]]
    effects: list[bool] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        end, effective = self.steps.pop(0) if self.steps else (200, True)
        self.effects.append(effective)
        if isinstance(end, type):
            raise end("injected", request=request)
        return httpx.Response(end, json={}) if isinstance(end, int) else end


def throttled(seconds: int) -> httpx.Response:
    return httpx.Response(429, headers={"retry-after": str(seconds)})


BEFORE = st.sampled_from([httpx.ConnectError, httpx.PoolTimeout, 429, 400, 501])
LOSSES = [408, 500, 503, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.WriteError]
STEPS = st.lists(
    st.one_of(
        st.tuples(BEFORE, st.just(False)),
        st.tuples(st.integers(0, 40).map(throttled), st.just(False)),
        st.tuples(st.sampled_from(LOSSES), st.booleans()),
        st.just((200, True)),
    ),
    max_size=6,
)


@given(st.sampled_from(RequestKind), STEPS, st.floats(0, 1), st.integers(1, 40))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_goes_wrong_in_whatever_order_what_is_told_is_true(
    kind: RequestKind, steps: list[tuple[Fault, bool]], jitter: float, deadline: int
) -> None:
    ends = [end for end, _ in steps]
    ledger = Ledger(steps)
    error: CustomerIOError | None = None
    begun = asyncio.get_running_loop().time()
    async with connected(ledger, deadline=deadline, jitter=jitter) as there:
        try:
            await ACTS[kind](there)
        except CustomerIOError as raised:
            error = raised
    took = asyncio.get_running_loop().time() - begun

    effects, attempts = sum(ledger.effects), ends[: len(ledger.effects)]
    assert took <= deadline
    assert sum(end != 429 and getattr(end, "status_code", 0) != 429 for end in attempts) <= 4
    if kind in {RequestKind.ONCE, RequestKind.TRIGGER}:
        assert effects <= 1
    match error:
        case None:
            assert ledger.effects[-1]
        case NotSent():
            assert effects == 0
        case Refused():
            assert effects == 0 or kind in {RequestKind.READ, RequestKind.REPEATABLE}
        case UnknownOutcome():
            assert any(end in LOSSES for end in attempts)


@pytest.mark.parametrize("kind", [RequestKind.ONCE, RequestKind.TRIGGER])
@pytest.mark.parametrize("first", [httpx.ConnectError, httpx.PoolTimeout])
async def test_a_repeat_that_gets_lost_is_not_repeated_again(kind: RequestKind, first: Fault) -> None:
    wire = Script([first, httpx.ReadTimeout])
    async with connected(wire) as there:
        with pytest.raises(UnknownOutcome):
            await ACTS[kind](there)

    assert len(wire.arrivals) == 2


async def test_a_throttled_trigger_is_told_when_to_try_again_and_its_broadcast_is_held_back() -> None:
    wire = Script([throttled(20)])
    async with connected(wire) as there:
        with pytest.raises(Refused, match=r"The call was not executed\. Call again in 20 s\.") as raised:
            await ACTS[RequestKind.TRIGGER](there)
        await ACTS[RequestKind.TRIGGER](there)

    assert (raised.value.retryable, raised.value.retry_in) == (True, 20)
    assert wire.times[1] - wire.times[0] == pytest.approx(20)


@pytest.mark.parametrize("first", [429, httpx.ConnectError])
async def test_a_404_after_a_delete_that_cannot_have_happened_is_a_refusal(first: Fault) -> None:
    async with connected(Script([first, 404])) as there:
        with pytest.raises(Refused):
            await there.track().delete("/api/v1/customers/{id}", id=1)


async def test_a_404_after_a_lost_write_that_is_no_delete_is_a_refusal() -> None:
    async with connected(Script([503, 404])) as there:
        with pytest.raises(Refused):
            await ACTS[RequestKind.REPEATABLE](there)


async def test_a_404_is_done_for_a_repeated_delete_and_a_refusal_for_the_first() -> None:
    wire = Script([502, 404, 404])
    async with connected(wire) as there:
        assert await there.track().delete("/api/v1/customers/{id}", id=1) == {}
        with pytest.raises(Refused):
            await there.track().delete("/api/v1/customers/{id}", id=1)


async def test_pauses_double_and_are_jittered() -> None:
    for jitter, pauses in ((1.0, [1.0, 2.0, 4.0]), (0.5, [0.5, 1.0, 2.0]), (0.0, [0.0, 0.0, 0.0])):
        wire = Script([503] * 3)
        async with connected(wire, jitter=jitter) as there:
            await ACTS[RequestKind.READ](there)
        taken = [later - earlier for earlier, later in zip(wire.times, wire.times[1:], strict=False)]
        assert taken == pytest.approx(pauses)


@pytest.mark.parametrize(
    ("deadline", "attempts"), [(0.5, 1), (1.0, 1), (2.5, 2), (3.0, 2), (3.5, 3), (7.5, 4)]
)
async def test_no_pause_reaches_the_deadline(deadline: float, attempts: int) -> None:
    wire = Script([503] * 9)
    begun = asyncio.get_running_loop().time()
    async with connected(wire, deadline=deadline) as there:
        with pytest.raises(Refused):
            await ACTS[RequestKind.READ](there)
        told = asyncio.get_running_loop().time()

    assert len(wire.arrivals) == attempts
    assert told - begun < deadline


async def test_nothing_is_repeated_at_the_deadline_itself() -> None:
    wire = Script(latency=60)
    async with connected(wire, deadline=5, jitter=0) as there:
        with pytest.raises(UnknownOutcome):
            await ACTS[RequestKind.REPEATABLE](there)

    assert len(wire.arrivals) == 1


async def test_a_request_that_comes_after_its_calls_deadline_is_not_sent() -> None:
    wire = Script()
    async with connected(wire, deadline=5) as there:
        app = there.app()
        await asyncio.sleep(5)
        with pytest.raises(NotSent, match="the call's time ran out") as raised:
            await app.post("/v1/send/email", {}, kind=RequestKind.ONCE)

    assert raised.value.retryable
    assert not wire.arrivals


async def test_no_attempt_is_made_that_has_no_time_to_connect() -> None:
    wire = Script([httpx.ConnectError] * 2)
    async with connected(wire, deadline=1.05, jitter=1) as there:
        with pytest.raises(NotSent, match="cannot be reached"):
            await ACTS[RequestKind.ONCE](there)

    assert len(wire.arrivals) == 1


async def test_an_answer_that_does_not_come_before_the_deadline_is_unknown() -> None:
    wire = Script(latency=60)
    async with connected(wire, deadline=5) as there:
        with pytest.raises(UnknownOutcome, match="no answer"):
            await ACTS[RequestKind.ONCE](there)

    assert len(wire.arrivals) == 1


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.25),
        ("soon", 0.25),
        ("nan", 0.25),
        ("", 0.25),
    ],
)
async def test_a_429_holds_back_for_as_long_as_it_asks(header: str, pause: float) -> None:
    wire = Script([httpx.Response(429, headers={"retry-after": header})])
    async with connected(wire) as there:
        await ACTS[RequestKind.READ](there)

    assert wire.times[1] - wire.times[0] == pytest.approx(pause, abs=0.01)


RETRIED = [RequestKind.READ, RequestKind.REPEATABLE, RequestKind.ONCE]
QUOTA = {"errors": [{"detail": "rate limited to 50 request(s) per day (reference 7c1)", "status": "429"}]}


@pytest.mark.parametrize("kind", RETRIED)
async def test_a_429_that_does_not_say_when_to_try_again_is_tried_again_once(kind: RequestKind) -> None:
    body = {"errors": [{"detail": "too many requests (reference 7c0)", "status": "429"}]}
    wire = Script([httpx.Response(429, json=body) for _ in range(99)])
    async with connected(wire) as there:
        with pytest.raises(
            Refused, match=r"429: too many requests \(reference 7c0\)\. .*not executed"
        ) as raised:
            await ACTS[kind](there)

    assert [wire.times[1] - wire.times[0], len(wire.times)] == pytest.approx([0.25, 2], abs=0.02)
    assert (raised.value.status, raised.value.retryable) == (429, True)
    assert kind is RequestKind.REPEATABLE or "limit per day may be used up" in raised.value.do


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(429, json=QUOTA),
        httpx.Response(429, json=QUOTA, headers={"retry-after": "1"}),
        httpx.Response(429, headers={"x-ratelimit-limit": "50", "x-ratelimit-remaining": "0"}),
        httpx.Response(429, text="Daily quota reached"),
    ],
)
@pytest.mark.parametrize("kind", RETRIED)
async def test_a_limit_per_day_that_is_used_up_ends_a_call_at_once_and_slows_down_no_other(
    kind: RequestKind, answer: httpx.Response
) -> None:
    wire = Script([answer])
    async with connected(wire) as there:
        with pytest.raises(Refused, match="waiting does not help before tomorrow") as raised:
            await ACTS[kind](there)
        await ACTS[kind](there)

    assert (raised.value.status, raised.value.retryable, raised.value.retry_in) == (429, False, None)
    assert len(wire.arrivals) == 2
    assert wire.times[1] - wire.times[0] <= 0.1


@pytest.mark.parametrize("then", [httpx.ConnectError, httpx.PoolTimeout])
@pytest.mark.parametrize("kind", RETRIED)
async def test_what_was_refused_and_finds_no_connection_after_that_is_not_called_unsent(
    kind: RequestKind, then: Fault
) -> None:
    async with connected(Script([throttled(1), *[then] * 9])) as there:
        with pytest.raises(Refused, match=r"429: no reason given\. The call was not executed"):
            await ACTS[kind](there)


@pytest.mark.parametrize("kind", RETRIED)
async def test_429s_that_say_when_to_try_again_are_tried_again_until_the_deadline(kind: RequestKind) -> None:
    wire = Script([throttled(8) for _ in range(9)])
    async with connected(wire) as there:
        with pytest.raises(Refused, match=r"Call again in 8 s\.") as raised:
            await ACTS[kind](there)

    assert len(wire.arrivals) == 4
    assert (raised.value.retryable, raised.value.retry_in) == (True, 8)


async def test_a_429_may_name_the_moment_to_try_again() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    wire = Script([httpx.Response(429, headers={"retry-after": moment})])
    async with connected(wire) as there:
        await ACTS[RequestKind.READ](there)

    assert 15 < wire.times[1] - wire.times[0] <= 20


@pytest.mark.parametrize(
    "header", ["1e999", "-7", "Wed, 21 Oct 2015 07:28:00 -0000", "21 Jan 9 07:28 +99999999999999999999"]
)
async def test_no_header_of_a_429_shuts_a_limit_for_good(header: str) -> None:
    wire = Script([httpx.Response(429, headers={"retry-after": header})])
    async with connected(wire, limits=Limits(app=1)) as there:
        await ACTS[RequestKind.READ](there)
        await ACTS[RequestKind.READ](there)

    assert len(wire.arrivals) == 3


async def test_a_429_that_asks_for_more_than_the_deadline_is_told_at_once() -> None:
    wire = Script([httpx.Response(429, headers={"retry-after": "3600"})])
    async with connected(wire) as there:
        with pytest.raises(Refused, match=r"429: no reason given\. .* Call again in 3600 s\.") as raised:
            await ACTS[RequestKind.READ](there)

    assert raised.value.retry_in == 3600
    assert len(wire.arrivals) == 1


async def test_an_error_holds_no_address_with_its_query_and_no_identifier() -> None:
    for fault in (httpx.ConnectError, httpx.ReadError):
        async with connected(Script([fault] * 4)) as there:
            with pytest.raises(CustomerIOError) as raised:
                await ACTS[RequestKind.REPEATABLE](there)
        assert "secret" not in str(raised.value)
        assert "someone" not in str(raised.value)

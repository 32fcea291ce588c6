"""Batches: cut to the limits, none lost, none twice, each operation's end told."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cio_mcp.client.batches import BatchResult, OperationEnd, send_batch
from cio_mcp.client.pacing import Limits
from tests.client.wires import connected, most_in_a_window
from tests.upstream import LATE, Fault, Upstream
from tests.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.anyio


def event(number: int, size: int = 10, **data: Any) -> dict[str, Any]:
    who = {"id": str(number)}
    data = {"a": "x" * size} | data
    return {
        "type": "person",
        "action": "event",
        "identifiers": who,
        "name": "n",
        "id": f"{number}",
        "attributes": data,
    }


async def sent(upstream: Upstream, operations: list[dict[str, Any]], **options: Any) -> BatchResult:
    async with connected(upstream, **options) as to:
        return await send_batch(to.track(), operations)


def ends(found: BatchResult) -> list[OperationEnd]:
    return [one.end for one in found.ends]


def odd(operation: dict[str, Any]) -> str | None:
    return f"odd {operation['id']}" if operation["attributes"].get("odd") else None


SIZES = st.lists(
    st.tuples(st.sampled_from([0, 1, 100, 5_000, 31_000, 31_880, 31_950, 40_000]), st.booleans()), max_size=90
)
STRIKES: list[Fault | None] = [
    None,
    (500, False),
    (503, LATE),
    (429, False),
    (httpx.ReadError, False),
    (httpx.ReadTimeout, LATE),
    (httpx.ConnectError, False),
    (httpx.Response(429, headers={"retry-after": "1"}), False),
]


@settings(max_examples=60, deadline=None)
@given(SIZES, st.lists(st.sampled_from(STRIKES), max_size=12))
def test_none_is_lost_none_counts_twice_and_each_end_is_told_for_the_right_one(
    sizes: list[tuple[int, bool]], faults: list[Fault | None]
) -> None:
    operations = [event(number, size, odd=bad) for number, (size, bad) in enumerate(sizes)]
    upstream = Upstream(odd, list(faults))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        found = runner.run(sent(upstream, operations))

    for operation, end in zip(operations, found.ends, strict=True):
        number, bad = operation["id"], operation["attributes"]["odd"]
        size = len(json.dumps(operation, separators=(",", ":")))
        counted = number in upstream.events
        match end.end:
            case OperationEnd.ACCEPTED:
                assert counted
            case OperationEnd.REFUSED:
                assert not counted
                assert f"odd {number}" in end.reason if size <= 32_000 else "32000" in end.reason
            case OperationEnd.NOT_SENT:
                assert found.stopped
            case OperationEnd.UNKNOWN:
                assert faults
        assert size <= 32_000 or end.end is OperationEnd.REFUSED
        assert not (bad and counted)
    assert found.stopped or faults or set(ends(found)) <= {OperationEnd.ACCEPTED, OperationEnd.REFUSED}


async def test_batches_are_full_and_several_are_in_flight_under_the_pace() -> None:
    upstream = Upstream(latency=1.0)
    times: list[float] = []
    take = upstream.handle_async_request

    async def timed(request: httpx.Request) -> httpx.Response:
        times.append(asyncio.get_running_loop().time())
        return await take(request)

    upstream.handle_async_request = timed  # type: ignore[method-assign]
    found = await sent(upstream, [event(n, 480) for n in range(20_000)], limits=Limits(track=5))

    assert set(ends(found)) == {OperationEnd.ACCEPTED}
    assert len(upstream.requests) == 24  # of about 600 bytes each
    assert upstream.most_at_once >= 5
    assert most_in_a_window(times) <= 5


async def test_small_operations_are_cut_by_count() -> None:
    upstream = Upstream()
    await sent(upstream, [event(n) for n in range(2500)])

    assert [len(request) for request in upstream.requests] == [1000, 1000, 500]


async def test_what_a_whole_batch_is_refused_for_is_found_by_halving_it() -> None:
    def judged(request: httpx.Request) -> httpx.Response:
        batch = json.loads(request.content)["batch"]
        if any(operation["id"] == "77" for operation in batch):
            return httpx.Response(400, json={"errors": [{"reason": "invalid", "message": "no 77"}]})
        return httpx.Response(200, json={})

    wire = httpx.MockTransport(judged)
    async with connected(wire) as to:
        found = await send_batch(to.track(), [event(n) for n in range(300)])

    assert [n for n, one in enumerate(found.ends) if one.end is OperationEnd.REFUSED] == [77]
    assert found.ends[77].reason == "no 77"


async def test_a_refusal_that_names_no_row_is_found_out_by_halving_too() -> None:
    def judged(request: httpx.Request) -> httpx.Response:
        batch = json.loads(request.content)["batch"]
        wrong = any(operation["id"] == "7" for operation in batch)
        errors = [{"reason": "invalid", "message": "one is wrong"}]
        return httpx.Response(207, json={"errors": errors}) if wrong else httpx.Response(200, json={})

    async with connected(httpx.MockTransport(judged)) as to:
        found = await send_batch(to.track(), [event(n) for n in range(20)])

    assert [n for n, one in enumerate(found.ends) if one.end is not OperationEnd.ACCEPTED] == [7]


async def test_halving_ends_where_everything_is_refused() -> None:
    asked: list[httpx.Request] = []

    def judged(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(400, json={"errors": [{"reason": "invalid", "message": "no"}]})

    async with connected(httpx.MockTransport(judged)) as to:
        found = await send_batch(to.track(), [event(n) for n in range(1000)])

    assert set(ends(found)) == {OperationEnd.REFUSED}
    assert len(asked) <= 2 * 64 + 1


@pytest.mark.parametrize("status", [401, 403, 404, 501])
async def test_a_refusal_of_the_whole_api_stops_at_once(status: int) -> None:
    upstream = Upstream(latency=0.1, faults=[(status, False)] * 100)
    found = await sent(upstream, [event(n) for n in range(20_000)])

    assert set(ends(found)) == {OperationEnd.NOT_SENT}
    assert found.stopped
    assert found.stopped.status == status
    assert len(upstream.requests) == 1


async def test_what_fits_no_more_before_the_deadline_is_not_sent() -> None:
    upstream = Upstream()
    found = await sent(upstream, [event(n) for n in range(20_000)], limits=Limits(track=1), deadline=4)

    assert 2000 <= ends(found).count(OperationEnd.ACCEPTED) < 20_000
    assert OperationEnd.UNKNOWN not in ends(found)
    assert {int(number) for number in upstream.events} == {
        number for number, end in enumerate(ends(found)) if end is OperationEnd.ACCEPTED
    }
    assert found.stopped
    assert found.stopped.retryable


async def test_an_api_that_stays_down_leaves_what_left_unknown_and_the_rest_unsent() -> None:
    upstream = Upstream(faults=[(500, LATE)] * 1000)
    found = await sent(upstream, [event(n) for n in range(20_000)])

    assert set(ends(found)) == {OperationEnd.UNKNOWN, OperationEnd.NOT_SENT}
    arrived = {operation["id"] for request in upstream.requests for operation in request}
    assert {str(n) for n, end in enumerate(ends(found)) if end is OperationEnd.UNKNOWN} == arrived


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (httpx.Response(207, json={}), OperationEnd.REFUSED),
        (httpx.Response(207, json={"errors": []}), OperationEnd.REFUSED),
        (httpx.Response(200, json={"error": "no such site"}), OperationEnd.UNKNOWN),
        (httpx.Response(200, json={"meta": {"errors": ["no"]}}), OperationEnd.UNKNOWN),
        (
            httpx.Response(200, json={"errors": [{"reason": "invalid", "message": "no"}]}),
            OperationEnd.UNKNOWN,
        ),
        (httpx.Response(200, json={"errors": [], "meta": {}, "new": 1}), OperationEnd.ACCEPTED),
    ],
)
async def test_a_success_counts_only_where_it_tells_no_error(
    answer: httpx.Response, end: OperationEnd
) -> None:
    upstream = Upstream(faults=[(answer, False)] * 3)

    assert ends(await sent(upstream, [event(1)])) == [end]
    assert upstream.events == {}


async def test_what_an_answer_refuses_without_a_name_is_found_by_halving() -> None:
    def judged(request: httpx.Request) -> httpx.Response:
        batch = json.loads(request.content)["batch"]
        return httpx.Response(207 if any(one["id"] == "7" for one in batch) else 200, json={})

    async with connected(httpx.MockTransport(judged)) as to:
        found = await send_batch(to.track(), [event(n) for n in range(20)])

    assert [n for n, one in enumerate(found.ends) if one.end is not OperationEnd.ACCEPTED] == [7]

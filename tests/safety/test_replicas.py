"""What bounds an agent bounds it over all replicas, through a real Redis and in real time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from pydantic import SecretStr

from cio_mcp.app.build import build
from cio_mcp.app.workspace import safety_file
from cio_mcp.safety.stores import SHELF, NoRoom, Store
from cio_mcp.safety.stores.file import FileStore
from cio_mcp.safety.stores.redis import BEAT, STOP, RedisStore
from cio_mcp.server.server import Server, facts
from cio_mcp.settings import load
from tests.agent import Agent, an_agent, at_the_shell
from tests.redis_server import PASSWORD, RedisServer

pytestmark = [pytest.mark.anyio, pytest.mark.processes]

DELETE = {"customer_id": "u_1001"}
EMAIL = {
    "customer_id": "u_1001",
    "to": "ada@example.com",
    "transactional_message_id": 1,
    "allow_missing": True,
}


@asynccontextmanager
async def two_replicas(redis: RedisServer, **settings: Any) -> AsyncIterator[tuple[Agent, Agent]]:
    async with (
        an_agent(shared_pace=redis.address, **settings) as one,
        an_agent(beside=one, shared_pace=redis.address, **settings) as other,
    ):
        yield one, other


def acts(*replicas: Agent) -> int:
    return sum(sent.startswith("DELETE") or "/send/" in sent for replica in replicas for sent in replica.sent)


async def at_once(replicas: tuple[Agent, ...], tool: str, arguments: dict[str, Any]) -> list[bool]:
    """Return which of the calls that the replicas make at the same moment were done."""
    ends = await asyncio.gather(*(replica.client.call_tool(tool, arguments) for replica in replicas))
    return [not end.is_error for end in ends]


async def left(replica: Agent, count: int) -> None:
    """Wait until a replica's cap leaves so many."""
    async with asyncio.timeout(30):
        while (await replica.call("server_status"))["caps"][0]["left"] != count:  # noqa: ASYNC110 - elsewhere
            await asyncio.sleep(0.01)


async def test_what_one_replica_previewed_another_does_once(redis: RedisServer) -> None:
    async with two_replicas(redis, confirm="preview") as (one, other):
        code = (await one.call("delete_customer", **DELETE))["confirmation"]
        await other.call("delete_customer", **DELETE, confirmation=code)
        text = await one.fail("delete_customer", **DELETE, confirmation=code)

    assert "has been used already" in text
    assert acts(one, other) == 1
    assert not safety_file().exists()


async def test_mistakes_with_a_code_are_counted_over_all_replicas(redis: RedisServer) -> None:
    async with two_replicas(redis, confirm="preview") as (one, other):
        for mistakes, holds in ((2, True), (3, False)):
            code = (await one.call("delete_customer", **DELETE))["confirmation"]
            for replica in (one, other, one)[:mistakes]:
                text = await replica.fail("delete_customer", customer_id="u_1002", confirmation=code)
            assert ("after 3 mistakes the code is void" in text) == (not holds)
            if holds:
                await other.call("delete_customer", **DELETE, confirmation=code)
            assert "used already" in await other.fail("delete_customer", **DELETE, confirmation=code)

    assert acts(one, other) == 1


async def test_of_two_replicas_that_use_a_code_at_the_same_moment_one_acts(redis: RedisServer) -> None:
    async with two_replicas(redis, confirm="preview") as replicas:
        code = (await replicas[0].call("delete_customer", **DELETE))["confirmation"]
        done = await at_once(replicas * 5, "delete_customer", {**DELETE, "confirmation": code})

    assert sum(done) == 1
    assert acts(*replicas) == 1


async def test_a_cap_holds_over_all_replicas_at_the_same_moment(redis: RedisServer) -> None:
    async with two_replicas(redis, max_sends_per_hour="5", max_sends_per_day="50") as replicas:
        done = await at_once(replicas * 10, "send_transactional_email", EMAIL)
        text = await replicas[0].fail("send_transactional_email", **EMAIL)
        wait = replicas[0].facts["retry_in_seconds"]
        left = [(await replica.call("server_status"))["caps"] for replica in replicas]

    assert sum(done) == 5
    assert acts(*replicas) == 5
    assert "CIO_MAX_SENDS_PER_HOUR=5" in text
    assert 3500 < wait <= 3660
    assert [[cap["left"] for cap in caps] for caps in left] == [[0, 45], [0, 45]]


async def test_what_was_not_executed_counts_nowhere_and_leaves_its_code_to_all(redis: RedisServer) -> None:
    offer: dict[str, Any] = {"broadcast_id": 10, "emails": ["ada@example.com", "chidi@example.org"]}
    async with two_replicas(redis, confirm="preview", max_sends_per_day="2") as (one, other):
        code = (await one.call("trigger_broadcast", **offer))["confirmation"]
        one.wire.fail(429, of="POST")
        await one.fail("trigger_broadcast", **offer, confirmation=code)
        await other.call("trigger_broadcast", **offer, confirmation=code)
        assert "would exceed" in await one.fail("send_transactional_email", **EMAIL)


async def test_a_call_that_is_cancelled_before_it_left_counts_nowhere(redis: RedisServer) -> None:
    async with two_replicas(redis, max_sends_per_day="2", send_rate="0.1") as (one, other):
        await one.call("send_transactional_email", **EMAIL)
        waiting = asyncio.create_task(one.client.call_tool("send_transactional_email", EMAIL))
        await left(other, 0)
        waiting.cancel()
        await left(other, 1)

    assert acts(one) == 1


async def test_without_redis_only_what_needs_it_is_refused_until_it_is_back(redis: RedisServer) -> None:
    async with two_replicas(redis, confirm="preview", max_sends_per_hour="5") as (one, other):
        code = (await one.call("delete_customer", **DELETE))["confirmation"]
        redis.kill()
        refusals = [
            await one.fail("send_transactional_email", **EMAIL),
            await one.fail("delete_customer", **DELETE),
            await other.fail("delete_customer", **DELETE, confirmation=code),
        ]
        assert other.facts["retryable"]
        shown = await one.call("delete_customer", **DELETE, dry_run=True)
        await one.call("identify_customer", customer_id="u_1")
        await one.call("get_customer", **DELETE)
        status = await one.call("server_status")
        assert acts(one, other) == 0
        redis.start()
        code = (await one.call("delete_customer", **DELETE))["confirmation"]
        await other.call("delete_customer", **DELETE, confirmation=code)
        await one.call("send_transactional_email", **EMAIL)

    assert all("(CIO_SHARED_PACE) cannot be reached" in text for text in refusals)
    assert PASSWORD not in " ".join(refusals)
    assert "confirmation" not in shown
    assert "(CIO_SHARED_PACE) cannot be reached (ConnectionError)" in status["notes"][0]
    assert status["caps"] == [{"setting": "CIO_MAX_SENDS_PER_HOUR", "most": 5}]
    assert acts(one, other) == 2


async def test_a_redis_that_lost_everything_is_told_again_what_was_sent(redis: RedisServer) -> None:
    async with two_replicas(redis, max_sends_per_day="2") as replicas:
        for replica in replicas:
            await replica.call("send_transactional_email", **EMAIL)
        redis.ask("FLUSHALL")
        await asyncio.sleep(BEAT + 1)
        text = await replicas[0].fail("send_transactional_email", **EMAIL)

    assert "CIO_MAX_SENDS_PER_DAY=2" in text


async def test_a_stop_halts_all_replicas_until_it_is_lifted_whatever_happens_to_redis(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SHARED_PACE", redis.address)

    async def is_stopped(replica: Agent) -> bool:
        return (await replica.client.call_tool("identify_customer", {"customer_id": "u_1"})).is_error

    async with two_replicas(redis) as replicas:
        before = [await is_stopped(replica) for replica in replicas]
        assert at_the_shell("stop") == 0
        at_once = [await is_stopped(replica) for replica in replicas]
        redis.kill()
        without = [await is_stopped(replica) for replica in replicas]
        assert at_the_shell("resume") == 1
        redis.start()
        async with asyncio.timeout(20):
            while not redis.ask("EXISTS", STOP):  # noqa: ASYNC110 - elsewhere
                await asyncio.sleep(0.1)
        async with an_agent(beside=replicas[0], shared_pace=redis.address) as new:
            afterwards = [await is_stopped(replica) for replica in (*replicas, new)]
            assert at_the_shell("resume") == 0
            lifted = [await is_stopped(replica) for replica in (*replicas, new)]

    assert (before, at_once, without) == ([False] * 2, [True] * 2, [True] * 2)
    assert (afterwards, lifted) == ([True] * 3, [False] * 3)
    said = capsys.readouterr()
    assert "(CIO_SHARED_PACE) cannot be reached" in said.err
    assert f"Redis at 127.0.0.1:{redis.port}" in said.out
    assert PASSWORD not in said.out + said.err


async def test_a_stop_through_redis_halts_a_sandbox_too_and_doctor_and_status_agree(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SHARED_PACE", redis.address)
    app = build(load({"CIO_SHARED_PACE": redis.address}))
    seen = []
    async with Client(Server(app)) as client:
        for command in ("stop", "resume"):
            assert at_the_shell(command) == 0
            capsys.readouterr()
            assert at_the_shell("doctor") == 0
            told = "an operator (cio-mcp stop) has stopped all writes" in capsys.readouterr().out
            refused = (await client.call_tool("identify_customer", {"customer_id": "1"})).is_error
            status = facts(await client.call_tool("server_status", {}))
            seen.append((told, refused, status.get("stopped")))
    await app.aclose()

    assert seen == [(True, True, True), (False, False, None)]


@pytest.fixture(params=["file", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Provide either kind of store."""
    found: Store
    if request.param == "file":
        found = FileStore(tmp_path / "safety.db", asyncio.get_running_loop().time)
    else:
        found = RedisStore(SecretStr(request.getfixturevalue("redis").address))
    yield found
    await found.aclose()


async def test_a_code_is_told_from_one_that_is_late_or_never_was(store: Store) -> None:
    await store.remember("code", "bound", 600)
    await store.remember("old", "bound", -1)

    assert [await store.use(name) for name in ("code", "code", "old")] == [
        ("first", "bound"),
        ("again", "bound"),
        ("late", "bound"),
    ]
    assert await store.use("none") == ("never", "")
    await store.restore("none")
    assert await store.use("none") == ("never", "")


async def test_a_shelf_keeps_the_newest_texts_by_number_and_no_other_shelfs(store: Store) -> None:
    numbers = [await store.keep("one", f"text {number}") for number in range(SHELF + 2)]
    await store.keep("two", "other")
    await store.drop("one", numbers[-1])

    assert numbers == list(range(1, SHELF + 3))
    assert list((await store.kept("one")).items())[:2] == [(SHELF + 1, "text 10"), (SHELF, "text 9")]
    assert min(await store.kept("one")) == 3
    assert await store.kept("two") == {1: "other"}
    assert await store.kept("three") == {}


async def test_room_that_a_window_leaves_is_found_when_it_is_promised(store: Store) -> None:
    caps = {1.0: 3, 60.0: 100}
    for recipients in (2, 1):
        assert callable(await store.spend("one", recipients, caps))
    full = await store.spend("one", 1, caps)
    assert isinstance(full, NoRoom)
    assert full.seconds
    assert 0 < full.seconds <= 3
    assert await store.spend("one", 4, caps) == NoRoom(None)
    assert callable(await store.spend("two", 3, caps))
    await asyncio.sleep(full.seconds + 0.1)
    refund = await store.spend("one", 1, caps)
    assert callable(refund)
    assert await store.sent("one", 60) == 4
    await refund()
    assert await store.sent("one", 60) == 3


async def test_later_sends_are_counted_where_they_go_out(store: Store) -> None:
    now = asyncio.get_running_loop().time() if isinstance(store, FileStore) else time.time()
    caps, hour = {3600.0: 3}, 3600
    soon, far = now + 2 * hour, now + 10 * hour

    assert callable(await store.spend("shop", 3, caps, soon))
    assert isinstance(await store.spend("shop", 1, caps, soon + hour / 2), NoRoom)
    assert isinstance(await store.spend("shop", 1, caps, soon - hour / 2), NoRoom)
    assert callable(await store.spend("shop", 3, caps, far))
    assert callable(await store.spend("shop", 3, caps))
    assert isinstance(await store.spend("shop", 1, caps), NoRoom)
    assert await store.sent("shop", 3600) == 3


async def test_what_is_scheduled_is_kept_until_it_is_due(store: Store) -> None:
    for what, at in (("late", 4_000_000_000), ("gone", 4_000_000_000), ("gone", 0), ("over", 1)):
        await store.schedule(what, at)

    assert await store.scheduled() == ["2096-10-02T07:06:40Z: late"]


async def test_a_replica_that_counts_hours_does_not_forget_what_another_counts_for_a_day(
    redis: RedisServer,
) -> None:
    store = RedisStore(SecretStr(redis.address))
    await store.spend("shop", 1, {86_400: 5})
    await store.spend("shop", 1, {3600: 5})
    await store.aclose()

    assert max(redis.ask("TTL", key) for key in redis.ask("KEYS", "*")) > 86_400

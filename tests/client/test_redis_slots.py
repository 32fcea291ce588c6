"""One budget for all replicas, through a real Redis and in real time.

Times are asserted from below only, and how many requests fall into a window: what is slow stays right.
"""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from cio_mcp.app.workspace import slots
from cio_mcp.client.call import Call
from cio_mcp.client.pacing import Bucket, Pace, SharedBucket
from cio_mcp.client.pacing.redis_buckets import HEARD, RedisBuckets
from cio_mcp.client.pacing.redis_slots import RedisSlots
from cio_mcp.client.pacing.slots import LEASE, Lease, Wait
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load
from tests.client.wires import most_in_a_window
from tests.redis_server import PASSWORD, RedisServer, serving_redis

pytestmark = [pytest.mark.anyio, pytest.mark.processes]

QUICK = Bucket("track", 20, 0.2, "one")
SLOW = Bucket("broadcast /v1/campaigns/7/triggers", 1, 60, "one")
AHEAD = 0.02

# What takes so long will never be; still less than the window of the slow bucket.
LONG = 30


@dataclass
class Replica:
    """Sends as a replica does, and keeps when; `slots` are what it shares."""

    slots: RedisSlots
    arrivals: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pace = Pace(self.slots)

    async def send(self, count: int, bucket: Bucket = QUICK) -> None:
        async def one() -> None:
            turn = await self._pace.enter(bucket, Call(now() + 60))
            self.arrivals.append(now())
            await turn.answered()

        await asyncio.gather(*(one() for _ in range(count)))

    async def aclose(self) -> None:
        await self._pace.aclose()


@asynccontextmanager
async def replicas(address: str, count: int) -> AsyncIterator[list[Replica]]:
    started = [Replica(RedisSlots(SecretStr(address))) for _ in range(count)]
    try:
        yield started
    finally:
        for replica in started:
            await replica.aclose()


@asynccontextmanager
async def stores(address: str, count: int) -> AsyncIterator[list[RedisSlots]]:
    async with replicas(address, count) as started:
        yield [replica.slots for replica in started]


def now() -> float:
    return asyncio.get_running_loop().time()


def arrivals(sharing: list[Replica]) -> list[float]:
    return sorted(at for replica in sharing for at in replica.arrivals)


async def lease(slots: RedisSlots, bucket: Bucket) -> Lease | Wait:
    return await slots.lease(bucket, AHEAD, 1.0, 1)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG):
        while not true():  # noqa: ASYNC110 - what is waited for is not in this process, or has no event
            await asyncio.sleep(0.02)


async def leased(slots: RedisSlots, bucket: Bucket) -> Lease:
    """Ask until a slot is leased."""
    async with asyncio.timeout(LONG):
        while True:
            got = await lease(slots, bucket)
            if isinstance(got, Lease):
                return got
            await asyncio.sleep(0.02)


async def shown(redis: RedisServer) -> list[SharedBucket]:
    buckets = RedisBuckets(SecretStr(redis.address))
    try:
        return await buckets.look()
    finally:
        await buckets.server.aclose()


async def logged(caplog: pytest.LogCaptureFixture, word: str, lines: int) -> None:
    """Wait until so many lines of the log hold `word`."""
    await until(lambda: sum(word in message for message in caplog.messages) == lines)


async def test_replicas_together_keep_to_one_limit_and_all_are_served(redis: RedisServer) -> None:
    async with replicas(redis.address, 3) as sharing:
        await asyncio.gather(*(replica.send(40) for replica in sharing))

    assert [len(replica.arrivals) for replica in sharing] == [40, 40, 40]
    assert most_in_a_window(arrivals(sharing), QUICK.window) <= QUICK.limit


async def test_two_workspaces_do_not_share_a_budget(redis: RedisServer) -> None:
    async with stores(redis.address, 2) as (one, other):
        await leased(one, SLOW)
        assert isinstance(await lease(other, SLOW), Wait)
        await leased(other, replace(SLOW, workspace="two"))


async def test_a_replica_with_a_smaller_share_uses_slots_of_the_same_limit(redis: RedisServer) -> None:
    whole, half = replace(SLOW, limit=4), replace(SLOW, limit=2)
    async with stores(redis.address, 2) as (one, other):
        taken = [await leased(one, whole) for _ in range(4)]
        await one.rest(whole, taken[3], 0.0)
        await one.rest(whole, taken[2], 0.0)
        await leased(one, whole)
        assert isinstance(await lease(other, half), Wait)
        assert isinstance(await lease(other, whole), Lease)


async def test_what_a_dead_replica_had_leased_is_free_again_after_the_lease(redis: RedisServer) -> None:
    once = replace(QUICK, limit=1)
    async with stores(redis.address, 2) as (killed, other):
        begun = await leased(killed, once)
        after = await leased(other, once)

    assert after.start - begun.start >= once.window + LEASE


async def test_a_slot_that_is_given_back_rides_on_the_next_lease(redis: RedisServer) -> None:
    async with stores(redis.address, 1) as (slots,):
        await slots.rest(SLOW, await leased(slots, SLOW), 0.0)
        for _ in range(3):
            got = await lease(slots, SLOW)
            assert isinstance(got, Lease)
            await slots.rest(SLOW, got, 0.0)


async def test_a_slot_that_is_given_back_reaches_the_others_without_a_next_lease(redis: RedisServer) -> None:
    async with stores(redis.address, 2) as (one, other):
        given_back = await leased(one, SLOW)
        await leased(one, QUICK)  # and so a sign of life says nothing of the other bucket
        await one.rest(SLOW, given_back, 0.0)
        await leased(other, SLOW)


async def test_a_slot_whose_lease_ran_out_is_not_given_back_twice(redis: RedisServer) -> None:
    once = replace(QUICK, limit=1)
    async with stores(redis.address, 2) as (one, other):
        late = await leased(one, once)
        await leased(other, once)
        await one.rest(once, late, 0.0)
        assert isinstance(await lease(one, once), Wait)


async def test_a_replica_that_leaves_gives_back_what_it_holds_and_is_not_counted(redis: RedisServer) -> None:
    twice = replace(SLOW, limit=2)
    async with stores(redis.address, 1) as (staying,):
        await leased(staying, twice)
        async with stores(redis.address, 1) as (leaving,):
            held = await leased(leaving, twice)
            (before,) = await shown(redis)
            await leaving.rest(twice, held, 0.0)
        (after,) = await shown(redis)

    assert (before.used, before.processes) == (2, 2)
    assert (after.used, after.processes) == (1, 1)


async def test_a_replica_that_was_not_heard_of_is_forgotten(redis: RedisServer) -> None:
    async with stores(redis.address, 1) as (slots,):
        await lease(slots, SLOW)
        redis.ask("ZADD", "{cio-mcp:one}:replicas", (time.time() - HEARD) * 1e6, "killed")
        await lease(slots, SLOW)

        assert redis.ask("ZCARD", "{cio-mcp:one}:replicas") == 1


async def test_a_429_holds_back_every_replica(redis: RedisServer) -> None:
    async with stores(redis.address, 2) as (one, other):
        await one.shut(QUICK, 60)
        wait = await lease(other, QUICK)

    assert isinstance(wait, Wait)
    assert wait.seconds > 30


async def test_what_replicas_share_is_shown(redis: RedisServer) -> None:
    async with stores(redis.address, 2) as sharing:
        for waiting, slots in enumerate(sharing, 3):
            await slots.lease(SLOW, AHEAD, 1.0, waiting)
        await sharing[0].shut(replace(SLOW, name="app"), 60)
        app, broadcast = await shown(redis)

    assert broadcast == SharedBucket(SLOW.name, 1, 60, used=1, waiting=7, shut=0, processes=2)
    assert app.name == "app"
    assert 30 < app.shut <= 60


async def test_redis_keeps_nothing_for_long_and_all_of_a_workspace_on_one_node(redis: RedisServer) -> None:
    async with stores(redis.address, 1) as (slots,):
        await slots.rest(SLOW, await leased(slots, SLOW), 60)
        await lease(slots, SLOW)
        keys = redis.ask("KEYS", "*")

        assert len(keys) == 4
        assert all(key.startswith("{cio-mcp:one}:") for key in keys)
        assert all(0 < redis.ask("PTTL", key) <= (600 + 20 * SLOW.window) * 1000 for key in keys)


async def test_times_from_before_the_clock_of_redis_was_set_back_are_forgotten(redis: RedisServer) -> None:
    async with stores(redis.address, 1) as (slots,):
        await leased(slots, SLOW)
        tomorrow = (time.time() + 86_400) * 1e6
        redis.ask("ZADD", f"{{cio-mcp:one}}:slots:{SLOW.name}", tomorrow, 0)
        redis.ask("HSET", f"{{cio-mcp:one}}:bucket:{SLOW.name}", "shut", tomorrow)

        assert isinstance(await lease(slots, SLOW), Lease)


async def test_a_redis_that_forgot_the_scripts_is_told_them_again(redis: RedisServer) -> None:
    async with stores(redis.address, 1) as (slots,):
        await leased(slots, replace(SLOW, limit=2))
        redis.ask("SCRIPT", "FLUSH")

        assert isinstance(await lease(slots, replace(SLOW, limit=2)), Lease)


async def test_a_redis_that_lost_everything_makes_no_window_overflow(redis: RedisServer) -> None:
    async with replicas(redis.address, 2) as sharing:
        sending = [asyncio.create_task(replica.send(60)) for replica in sharing]
        await until(lambda: len(arrivals(sharing)) >= 30)
        redis.ask("FLUSHALL")
        await asyncio.gather(*sending)

    assert most_in_a_window(arrivals(sharing), QUICK.window) <= QUICK.limit


@pytest.mark.parametrize("failure", ["killed", "frozen"])
async def test_while_redis_is_away_each_replica_keeps_to_its_part_and_then_comes_back(
    redis: RedisServer, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    fail, mend = {"killed": (redis.kill, redis.start), "frozen": (redis.freeze, redis.thaw)}[failure]
    async with replicas(redis.address, 2) as sharing:
        await asyncio.gather(*(replica.send(30) for replica in sharing))
        fail()
        await asyncio.gather(*(replica.send(30) for replica in sharing))
        alone = [replica.arrivals[30:] for replica in sharing]
        mend()
        await asyncio.gather(*(replica.send(30) for replica in sharing))
        await logged(caplog, "shared again", lines=2)
        await asyncio.gather(*(replica.send(30) for replica in sharing))
        (bucket,) = await shown(redis)

    assert [len(replica.arrivals) for replica in sharing] == [120, 120]
    assert max(most_in_a_window(times, QUICK.window) for times in alone) <= QUICK.limit / 2
    assert most_in_a_window(arrivals(sharing), QUICK.window) <= QUICK.limit
    assert bucket.processes == 2
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 4
    assert sum("is away" in message for message in caplog.messages) == 2
    assert PASSWORD not in caplog.text


async def test_a_replica_that_is_back_goes_on_with_its_part_and_keeps_that_of_another(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    bucket = replace(QUICK, limit=4)
    async with stores(redis.address, 1) as (slots,):
        await leased(slots, bucket)
        redis.ask("ZADD", "{cio-mcp:one}:replicas", time.time() * 1e6, "another")
        await leased(slots, bucket)
        redis.kill()
        await leased(slots, bucket)
        redis.start()
        while not any("shared again" in message for message in caplog.messages):
            await lease(slots, bucket)
            await asyncio.sleep(0.02)
        shut, kept = redis.ask("HMGET", "{cio-mcp:one}:bucket:track", "shut", "kept")

        assert float(shut) <= time.time() * 1e6
        assert redis.ask("ZCOUNT", "{cio-mcp:one}:slots:track", kept, kept) == 2
        assert redis.ask("ZCARD", "{cio-mcp:one}:slots:track") == 4


async def test_a_redis_that_comes_and_goes_does_not_make_parts_larger(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with stores(redis.address, 1) as (slots,):
        await leased(slots, QUICK)
        redis.ask("ZADD", "{cio-mcp:one}:replicas", time.time() * 1e6, "another")
        await leased(slots, QUICK)
        for times in (1, 2):
            redis.kill()
            await logged(caplog, "is away", lines=times)
            redis.start()
            await logged(caplog, "shared again", lines=times)
            await lease(slots, QUICK)

    assert sum("one of 2 parts" in message for message in caplog.messages) == 2


async def test_a_pause_that_was_asked_for_outlasts_redis(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with stores(redis.address, 2) as (one, other):
        await leased(one, QUICK)
        await one.shut(QUICK, 60)
        redis.kill()
        alone = await lease(one, QUICK)
        redis.start()
        await logged(caplog, "shared again", lines=1)
        shared = await lease(other, QUICK)

    assert isinstance(alone, Wait)
    assert isinstance(shared, Wait)
    assert min(alone.seconds, shared.seconds) > 30


async def test_a_replica_that_only_missed_an_answer_makes_nobody_wait(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    thrice = replace(SLOW, limit=3)
    async with stores(redis.address, 1) as (slots,):
        await leased(slots, thrice)
        redis.freeze()
        assert isinstance(await lease(slots, thrice), Wait)
        redis.thaw()  # and leases a slot to nobody, which is lost for a while
        await logged(caplog, "shared again", lines=1)

        assert isinstance(await lease(slots, thrice), Lease)


async def test_a_replica_that_sends_nothing_learns_that_redis_is_away_and_back(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with stores(redis.address, 1) as (slots,):
        await leased(slots, SLOW)
        redis.kill()
        await logged(caplog, "is away", lines=1)
        redis.start()
        await logged(caplog, "shared again", lines=1)


async def test_a_redis_that_was_never_there_leaves_a_replica_a_quarter(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with replicas(f"redis://:{PASSWORD}@127.0.0.1:9", 1) as (replica,):
        await replica.send(12)

    assert most_in_a_window(replica.arrivals, QUICK.window) <= QUICK.limit / 4
    assert ["one of 4 parts" in message for message in caplog.messages] == [True]
    assert PASSWORD not in caplog.text


async def test_a_wrong_password_is_told_without_it(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    address = redis.address.replace(PASSWORD, "wr0ng")
    async with stores(address, 1) as (slots,):
        await lease(slots, QUICK)
        seen = f"{caplog.text} {slots!r} {vars(slots)!r} {vars(slots._server)!r}"

    assert "AuthenticationError" in caplog.text
    assert "wr0ng" not in seen


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[RedisServer]]:
    """Provide two nodes that share the keys."""
    with ExitStack() as running:
        nodes = []
        for number, first in enumerate((0, 8192)):
            folder = tmp_path / str(number)
            folder.mkdir()
            nodes.append(running.enter_context(serving_redis(folder, "--cluster-enabled", "yes")))
            nodes[-1].ask("CLUSTER", "ADDSLOTS", *range(first, first + 8192))
        nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", nodes[1].port)
        yield nodes


async def test_a_redis_cluster_is_shared_through_any_of_its_nodes(cluster: list[RedisServer]) -> None:
    workspaces = [replace(SLOW, workspace=name) for name in ("one", "two", "three", "four")]
    await until(lambda: all("cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in cluster))
    async with stores(cluster[0].address, 1) as (one,), stores(cluster[1].address, 1) as (other,):
        for bucket in workspaces:
            await leased(one, bucket)
            assert isinstance(await lease(other, bucket), Wait)
        async with asyncio.timeout(LONG):  # on a busy machine a node can be late, and is away for a while
            while [bucket.processes for bucket in await shown(cluster[0])] != [2] * len(workspaces):
                for bucket in workspaces:
                    assert isinstance(await lease(one, bucket), Wait)
                    assert isinstance(await lease(other, bucket), Wait)
    assert all(node.ask("DBSIZE") for node in cluster)


@pytest.mark.parametrize(
    "address",
    [
        f"redis://:{PASSWORD}/x@localhost:6379",
        f"redis://:{PASSWORD}@localhost:port",
        f"redis://:{PASSWORD}@localhost?db=first",
        f"redis://:{PASSWORD}@localhost?no_such_option={PASSWORD}",
        f"rediss://:{PASSWORD}@localhost?ssl_cert_reqs=perhaps",
    ],
)
def test_an_address_that_cannot_be_one_is_a_wrong_setting_and_not_echoed(address: str) -> None:
    with pytest.raises(SettingsError, match="CIO_SHARED_PACE") as error:
        slots(load({"CIO_SHARED_PACE": address}), ExitStack())

    assert PASSWORD not in str(error.value)
    assert error.value.__cause__ is None


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("client.pacing.redis_slots", "client.pacing.redis_buckets", "databases.redis"):
        monkeypatch.delitem(sys.modules, f"cio_mcp.{name}")
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)

    with pytest.raises(SettingsError, match=r"CIO_SHARED_PACE: .*pip install 'cio-mcp\[redis\]'"):
        slots(load({"CIO_SHARED_PACE": "redis://localhost"}), ExitStack())


def test_the_library_is_not_loaded_where_it_is_not_used() -> None:
    modules = "cio_mcp.transports.stdio, cio_mcp.cli.pace, cio_mcp.cli.doctor"
    code = f"import sys, {modules}; print('redis' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout == "False\n"

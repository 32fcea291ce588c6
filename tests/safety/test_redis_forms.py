"""What stands in Redis and is not of cio-mcp never lets anything out."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from cio_mcp.errors import NotAllowed
from cio_mcp.safety.stores import NoRoom
from cio_mcp.safety.stores.redis import STOP, RedisStore
from tests.agent import an_agent, at_the_shell
from tests.redis_server import RedisServer

pytestmark = [pytest.mark.anyio, pytest.mark.processes]

COUNTS = "{cio-mcp:shop}:sent"


@pytest.fixture
async def store(redis: RedisServer) -> AsyncIterator[RedisStore]:
    found = RedisStore(SecretStr(redis.address))
    yield found
    await found.aclose()


@pytest.mark.parametrize(
    "command",
    [
        ("SET", STOP, "1"),
        ("SET", STOP, "true"),
        ("SET", STOP, "no"),
        ("SET", STOP, "00"),
        ("SET", STOP, "0 "),
        ("SET", STOP, ""),
        ("SET", STOP, "stopped:"),
        ("LPUSH", STOP, "0"),
        ("HSET", STOP, "0", "0"),
        ("SADD", STOP, "0"),
    ],
)
async def test_anything_but_a_zero_in_the_stop_key_means_stopped(
    redis: RedisServer, command: tuple[str, ...], store: RedisStore
) -> None:
    redis.ask(*command)

    assert await store.stopped()
    assert await store.stop(False), "and no resume of somebody else's lifts it"
    assert await store.stopped()
    redis.ask("DEL", STOP)
    redis.ask("SET", STOP, "0")
    assert not await store.stopped()


async def test_a_resume_lifts_one_s_own_stop_alone(redis: RedisServer) -> None:
    one, other = (RedisStore(SecretStr(redis.address), name) for name in ("one", "other"))
    seen = []
    for store, stop in [(one, True), (one, True), (other, True), (one, False), (one, False), (other, False)]:
        await store.stop(stop)
        seen.append(await one.stopped())
    assert await other.stop(False) == ""
    for store in (one, other):
        await store.aclose()

    assert seen == [True, True, True, True, True, False]


async def test_a_tenant_who_resumes_is_told_that_another_has_stopped(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SHARED_PACE", redis.address)
    monkeypatch.setenv("CIO_APP_API_KEY", "key-of-one")
    assert at_the_shell("stop") == 0
    monkeypatch.setenv("CIO_APP_API_KEY", "key-of-another")
    assert at_the_shell("stop") == 0
    assert at_the_shell("resume") == 1
    said = capsys.readouterr().err
    async with an_agent(shared_pace=redis.address) as agent:
        assert "has stopped" in await agent.fail("identify_customer", customer_id="u_1")
        monkeypatch.setenv("CIO_APP_API_KEY", "key-of-one")
        assert at_the_shell("resume") == 0
        await agent.call("identify_customer", customer_id="u_1")

    assert "others remain" in said
    assert "key-of" not in said + str(redis.ask("GET", STOP))


async def test_a_replica_that_has_seen_no_stop_does_not_hide_one_that_redis_lost(redis: RedisServer) -> None:
    one, other = (RedisStore(SecretStr(redis.address)) for _ in range(2))
    assert not await one.stopped()
    await other.stop(True)
    assert await other.stopped()
    redis.ask("FLUSHALL")
    assert not await one.stopped(), "nobody has told it yet"
    assert await other.stopped()
    assert await one.stopped()
    for store in (one, other):
        await store.aclose()


@pytest.mark.parametrize(
    "command",
    [
        ("SET", COUNTS, "0"),
        ("LPUSH", COUNTS, "0"),
        ("HSET", COUNTS, "3600:1:ab", "-1000"),
        ("HSET", COUNTS, "3600:9999999999:ab", "-1"),
        ("HSET", COUNTS, "3600:9999999999:ab", "nan"),
        ("HSET", COUNTS, "3600:9999999999:ab", "0x10"),
        ("HSET", COUNTS, "3600:9999999999:ab", "1.5"),
        ("HSET", COUNTS, "3600:9999999999:ab", ""),
        ("HSET", COUNTS, "3600:9999999999:ab", "9" * 400),
        ("HSET", COUNTS, "-3600:1:ab", "0"),
        ("HSET", COUNTS, "note", "0"),
    ],
)
async def test_a_count_of_another_form_is_refused_and_not_counted(
    redis: RedisServer, command: tuple[str, ...], store: RedisStore
) -> None:
    redis.ask(*command)
    for count in (0, 1):
        with pytest.raises(NotAllowed, match="did not write"):
            await store.spend("shop", count, {3600: 5})
    redis.ask("DEL", COUNTS)

    assert not isinstance(await store.spend("shop", 5, {3600: 5}), NoRoom)
    assert isinstance(await store.spend("shop", 1, {3600: 5}), NoRoom)


@pytest.mark.parametrize(
    "command",
    [
        ("SET", "bound"),
        ("LPUSH", "bound"),
        ("HSET", "bound", "b"),
        ("HSET", "bound", "b", "expires", "never"),
        ("HSET", "bound", "b", "expires", "-1"),
        ("HSET", "bound", "b", "expires", "99999999999", "used", "no"),
    ],
)
async def test_a_code_of_another_form_is_refused(
    redis: RedisServer, command: tuple[Any, ...], store: RedisStore
) -> None:
    name, *rest = command
    redis.ask(name, "{cio-mcp:code:abc}", *rest)

    with pytest.raises(NotAllowed, match="did not write"):
        await store.use("abc")


async def test_a_refund_that_comes_late_takes_nothing_from_a_later_count(
    redis: RedisServer, store: RedisStore
) -> None:
    refund = await store.spend("shop", 3, {3600: 5})
    assert not isinstance(refund, NoRoom)
    store._counted["shop"].clear()  # as when the slice has left its window
    await refund()
    redis.ask("FLUSHALL")

    assert not isinstance(await store.spend("shop", 5, {3600: 5}), NoRoom)
    assert isinstance(await store.spend("shop", 1, {3600: 5}), NoRoom)

"""Codes and counts that replicas share through Redis."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from importlib.resources import files
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from cio_mcp.client.call import now
from cio_mcp.databases.redis import RedisAway, RedisConnection
from cio_mcp.errors import NotAllowed
from cio_mcp.safety.stores import KEPT, SHELF, NoRoom, Refund, Use, in_order
from cio_mcp.safety.stores.file import REMEMBERED

# Seconds between checks of a replica that has counted anything, or is stopped, that Redis still knows.
BEAT = 2.0

# Seconds after a failure of Redis in which the check whether calls are stopped does not wait for it again.
PROBE = 1.0

# What stands here stops everything, unless it is FREE.
STOP, FREE = "{cio-mcp:}:stop", "0"
SCHEDULED = "{cio-mcp:}:scheduled"

_SCRIPTS = files(__package__)
USE, COUNT, STOPPED, CHANGE_STOP = (
    _SCRIPTS.joinpath(f"{name}.lua").read_text("ascii") for name in ("use", "count", "stop", "change_stop")
)

REMEMBER = """
redis.call('HSET', KEYS[1], 'bound', ARGV[1], 'expires', redis.call('TIME')[1] + ARGV[2])
return redis.call('EXPIRE', KEYS[1], ARGV[2] + ARGV[3])
"""
RESTORE = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'used', 0, 'bound', ARGV[1] or redis.call('HGET', KEYS[1], 'bound'))
end
"""
SCHEDULE = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. redis.call('TIME')[1])
if ARGV[2] == '0' then
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
return redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
"""
LIST = "return redis.call('ZRANGEBYSCORE', KEYS[1], redis.call('TIME')[1], '+inf', 'WITHSCORES')"
KEEP = """
local number = redis.call('HINCRBY', KEYS[1], 'newest', 1)
redis.call('HSET', KEYS[1], number, ARGV[1])
redis.call('HDEL', KEYS[1], number - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return number
"""
READ = "return redis.call('HGETALL', KEYS[1])"
DROP = "return redis.call('HDEL', KEYS[1], ARGV[1])"
REFUND = """
for at = 2, #ARGV do
  if redis.call('HEXISTS', KEYS[1], ARGV[at]) == 1 then
    redis.call('HINCRBY', KEYS[1], ARGV[at], -ARGV[1])
  end
end
"""


class RedisStore:
    """A store in the Redis at `address`, with Redis's clock; `tenant` lifts no stop but its own.

    Every change is one script. If Redis loses its data, codes are gone, but within seconds every replica
    writes its counts again, and that calls are stopped. Raises SettingsError for an address that redis-py
    rejects.
    """

    def __init__(self, address: SecretStr, tenant: str = "operator") -> None:
        self._tenant = tenant
        self._server = RedisConnection(address)
        self._me = uuid4().hex
        self._counted: dict[str, Counter[str]] = defaultdict(Counter)  # what this replica counted itself
        self._caps: dict[str, Mapping[float, int]] = {}
        self._stopped = FREE  # what this replica saw last
        self._ask_again = 0.0
        self._beating: asyncio.Task[None] | None = None
        self.place = f"Redis at {self._server.place}"

    async def remember(self, code: str, bound: str, life: float) -> None:
        """See `Store.remember`."""
        await self._run(REMEMBER, _code(code), bound, round(life), round(REMEMBERED))

    async def use(self, code: str) -> tuple[Use, str]:
        """See `Store.use`."""
        use, bound = await self._run(USE, _code(code))
        if use == "foreign":
            raise self._foreign(_code(code))
        return use, bound

    async def restore(self, code: str, bound: str | None = None) -> None:
        """See `Store.restore`."""
        await self._run(RESTORE, _code(code), *(() if bound is None else (bound,)))

    async def spend(
        self, workspace: str, recipients: int, caps: Mapping[float, int], at: float | None = None
    ) -> Refund | NoRoom:
        """See `Store.spend`."""
        wait, _, fields = await self._count(workspace, recipients, caps, at)
        if wait:
            return NoRoom(None if wait < 0 else wait)
        self._caps[workspace] = caps
        self._counted[workspace].update(dict.fromkeys(fields, recipients))
        if at is None:
            self._forget(workspace, fields)
        self._keep_telling()
        return partial(self._refund, workspace, recipients, fields)

    def _forget(self, workspace: str, newest: list[str]) -> None:
        """Drop this replica's counts of slices that have left their window."""
        last = dict(field.split(":")[:2] for field in newest)
        counted = self._counted[workspace]
        for field in list(counted):
            window, slice_, _ = field.split(":")
            if window in last and int(slice_) < int(last[window]) - 60:
                del counted[field]

    async def _refund(self, workspace: str, recipients: int, fields: list[str]) -> None:
        counted = self._counted[workspace]
        counted.subtract({field: recipients for field in fields if field in counted})
        await self._run(REFUND, _counts(workspace), recipients, *fields)

    async def schedule(self, what: str, at: float) -> None:
        """See `Store.schedule`."""
        await self._run(SCHEDULE, SCHEDULED, what, round(at))

    async def scheduled(self) -> list[str]:
        """See `Store.scheduled`."""
        found = await self._run(LIST, SCHEDULED)
        return in_order((what, float(at)) for what, at in zip(found[::2], found[1::2], strict=True))

    async def sent(self, workspace: str, seconds: float) -> int:
        """See `Store.sent`."""
        return int((await self._count(workspace, 0, {seconds: 0}))[1])

    async def keep(self, shelf: str, text: str) -> int:
        """See `Store.keep`."""
        return int(await self._run(KEEP, _shelf(shelf), text, SHELF, round(KEPT)))

    async def kept(self, shelf: str) -> dict[int, str]:
        """See `Store.kept`."""
        found = await self._run(READ, _shelf(shelf))
        pairs = zip(found[::2], found[1::2], strict=True)
        return dict(sorted(((int(at), text) for at, text in pairs if at.isdecimal()), reverse=True))

    async def drop(self, shelf: str, number: int) -> None:
        """See `Store.drop`."""
        await self._run(DROP, _shelf(shelf), number)

    async def stop(self, stop: bool) -> str:
        """See `Store.stop`."""
        now = str(await self._run(CHANGE_STOP, STOP, self._tenant, int(stop)))
        return "" if now == FREE else f'"{STOP}" in {self.place} is {now!r}'

    async def stopped(self) -> bool:
        """See `Store.stopped`. While Redis cannot be reached, return the last known state."""
        if now() >= self._ask_again:
            try:
                self._stopped = await self._run(STOPPED, STOP, self._stopped)
            except NotAllowed:
                self._ask_again = now() + PROBE
            if self._stopped != FREE:
                self._keep_telling()
        return self._stopped != FREE

    async def trouble(self) -> str | None:
        """See `Store.trouble`."""
        try:
            await self._server.reach()
        except RedisAway as away:
            return (
                f"the Redis that replicas share (CIO_SHARED_PACE) cannot be reached ({away}): each replica "
                "uses its part of a limit; confirmations, and sends under a cap, are refused until it is back"
            )
        return None

    async def aclose(self) -> None:
        """Close the connections; the counts stay in Redis."""
        if self._beating:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        await self._server.aclose()

    async def _count(
        self, workspace: str, recipients: int, caps: Mapping[float, int], at: float | None = None
    ) -> Any:
        windows = [x for seconds, most in caps.items() for x in (round(seconds), most)]
        known = [x for counted in self._counted[workspace].items() for x in counted]
        due = round(at or 0)
        found = await self._run(
            COUNT, _counts(workspace), self._me, recipients, due, len(caps), *windows, *known
        )
        if found[0] == -2:
            raise self._foreign(_counts(workspace))
        return found

    def _foreign(self, key: str) -> NotAllowed:
        return NotAllowed(
            f"Nothing was done: {self.place} holds what cio-mcp did not write, under {key}.",
            do="An operator has to find out who wrote it, and remove it.",
        )

    def _keep_telling(self) -> None:
        self._beating = self._beating or asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            await self.stopped()
            with suppress(NotAllowed):
                for workspace, caps in list(self._caps.items()):
                    await self._count(workspace, 0, caps)

    async def _run(self, script: str, key: str, *arguments: str | int) -> Any:
        try:
            return await self._server.run(script, [key], *arguments)
        except RedisAway:
            raise NotAllowed(
                "Nothing was done: the Redis that replicas share (CIO_SHARED_PACE) cannot be reached, and "
                "without it neither confirmation codes nor caps on sends work.",
                do="Call again in a few seconds; calls that need neither still work.",
                retryable=True,
            ) from None


def _code(code: str) -> str:
    return f"{{cio-mcp:code:{code}}}"


def _shelf(name: str) -> str:
    return f"{{cio-mcp:kept:{name}}}"


def _counts(workspace: str) -> str:
    return f"{{cio-mcp:{workspace}}}:sent"

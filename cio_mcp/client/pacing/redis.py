"""A bucket in Redis or Valkey: its keys, the connection, the scripts beside it. Nothing else knows of Redis.

Importing it raises SettingsError where redis-py is missing, which comes with the extra `cio-mcp[redis]`.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from cio_mcp.client.pacing.limits import Bucket
from cio_mcp.client.pacing.slots import Lease, Shown
from cio_mcp.errors import SettingsError

try:
    from redis.asyncio import Redis, RedisCluster
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import NoScriptError, RedisClusterException, RedisError, ResponseError
    from redis.exceptions import TimeoutError as RedisTimeout
except ImportError:
    raise SettingsError(
        "CIO_SHARED_PACE: sharing through Redis needs redis-py: pip install 'cio-mcp[redis]'"
    ) from None

# How long Redis may take over a connection or an answer, and over all that one look at a bucket needs.
TIMEOUT, PATIENCE = 0.25, 0.5

# A replica that has not been heard of for so long does not count among those that share.
HEARD = 5.0

# Redis forgets what nobody has used for so long, and 20 of a bucket's windows. Nothing is ever further ahead
# than that, unless Redis's clock was set back: then it is forgotten too.
KEEP = 600.0

# In place of how many calls wait: the replica leaves.
GONE = -1

# Each look at a bucket is one script; Redis keeps it by its digest until it starts again.
_SCRIPTS = files(__package__)
TURN, LOOK = (_SCRIPTS.joinpath(name).read_text("ascii") for name in ("turn.lua", "look.lua"))

# Whether scripts may run and write.
TRY = "return redis.call('SET', KEYS[1], '', 'PX', 1000)"


class Away(Exception):
    """Redis cannot be used now; the text says why and holds no secret. `late`: no answer came in time."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.late = isinstance(error, TimeoutError | RedisTimeout)


class Answer(NamedTuple):
    """How many share; the slot that was leased (-1: none), the seconds to its start, and its end in Redis."""

    sharing: int
    number: int
    wait: float
    ends: int


class Server:
    """The Redis at an address, or the Redis Cluster that it belongs to; `place` names it in public.

    Connections are made when they are needed. Raises SettingsError for an address that redis-py does not
    take; all else that can go wrong is Away.
    """

    def __init__(self, address: SecretStr) -> None:
        self._address = address
        self._client: Redis | RedisCluster | None = None
        self._opening = asyncio.Lock()
        try:
            parts = urlsplit(address.get_secret_value())
            self.place = f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path
            _client(Redis, address).connection_pool.make_connection()
        except (TypeError, ValueError, RedisError):
            message = "redis-py does not take this address; write redis://user:password@host:6379/0"
            raise SettingsError(f"CIO_SHARED_PACE: {message}") from None

    async def turn(
        self,
        bucket: Bucket,
        replica: str,
        *,
        lasts: float,
        ahead: float,
        waiting: int,
        shut: float,
        in_use: bool,
        back: Iterable[tuple[Lease, float]],
    ) -> Answer:
        """Look at a bucket for `replica`: lease a slot that `lasts` if one is free within `ahead` seconds.

        The bucket is `shut` for so many seconds from now at least, and for a lease if it is in use and yet
        unknown to Redis. Each slot in `back` is free again after its seconds.
        """
        keys = _keys(bucket.workspace, bucket.name)
        sharing, number, wait, ends = await self._run(
            TURN,
            [*keys, _waiting(bucket.workspace, bucket.name) + replica],
            replica,
            bucket.limit,
            *map(_micros, (bucket.window, lasts, ahead)),
            waiting,
            _micros(shut),
            int(in_use),
            *map(_micros, (HEARD, KEEP + 20 * bucket.window)),
            *(x for lease, seconds in back for x in (lease.number, int(lease.ends), _micros(seconds))),
        )
        return Answer(sharing, number, wait / 1e6, ends)

    async def look(self) -> list[Shown]:
        """Return the buckets, as they are now."""
        async with _failing():
            client = await self._connected()
            found = [key async for key in client.scan_iter("{cio-mcp:*}:bucket:*", count=1000)]
        return [await self._look(key) for key in sorted(found)]

    async def _look(self, key: str) -> Shown:
        tag, _, name = key.partition("}:bucket:")
        workspace = tag.removeprefix("{cio-mcp:")
        limit, window, used, waiting, shut, sharing = await self._run(
            LOOK, _keys(workspace, name), _waiting(workspace, name), _micros(HEARD)
        )
        return Shown(name, limit, window / 1e6, used, waiting, shut / 1e6, sharing)

    async def reach(self) -> None:
        """Make sure that Redis can be used."""
        await self._run(TRY, ["{cio-mcp:}:reached"])

    async def aclose(self) -> None:
        """Close the connections; later uses make new ones."""
        client, self._client = self._client, None
        if client:
            with suppress(Away):
                async with _failing():
                    await client.aclose()

    async def _run(self, script: str, keys: list[str], *arguments: str | int) -> Any:
        digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        async with _failing(), asyncio.timeout(PATIENCE):
            client = await self._connected()
            try:
                return await client.execute_command("EVALSHA", digest, len(keys), *keys, *arguments)
            except NoScriptError:  # a Redis that is new, or was started again
                return await client.execute_command("EVAL", script, len(keys), *keys, *arguments)

    async def _connected(self) -> Any:
        async with self._opening:
            if self._client is None:
                async with _client(Redis, self._address) as first:
                    in_cluster = await _in_cluster(first)
                self._client = _client(RedisCluster if in_cluster else Redis, self._address)
            return self._client


async def _in_cluster(client: Any) -> bool:
    try:
        await client.execute_command("CLUSTER SLOTS")
    except ResponseError:
        return False
    return True


@asynccontextmanager
async def _failing() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, RedisClusterException, OSError) as error:
        raise Away(error) from None


def _client(kind: type[Redis | RedisCluster], address: SecretStr) -> Any:
    return kind.from_url(
        address.get_secret_value(),
        decode_responses=True,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=TIMEOUT,
        socket_timeout=TIMEOUT,
    )


def _keys(workspace: str, name: str) -> list[str]:
    """Return the keys of a bucket's slots, of the bucket, and of its workspace's replicas.

    What stands in braces keeps all of a workspace on one node of a cluster.
    """
    tag = f"{{cio-mcp:{workspace}}}"
    return [f"{tag}:slots:{name}", f"{tag}:bucket:{name}", f"{tag}:replicas"]


def _waiting(workspace: str, name: str) -> str:
    """Return how the keys begin that say how many calls wait in each replica."""
    return f"{{cio-mcp:{workspace}}}:waiting:{name}:"


def _micros(seconds: float) -> int:
    return round(seconds * 1e6)

"""The Redis or Valkey that replicas share. Nothing else knows of redis-py.

Importing it raises SettingsError where redis-py is missing, which comes with the extra `cio-mcp[redis]`.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

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

# How long Redis may take over a connection or an answer, and over all that one script needs.
TIMEOUT, PATIENCE = 0.25, 0.5

# Whether scripts may run and write.
TRY = "return redis.call('SET', KEYS[1], '', 'PX', 1000)"


class RedisAway(Exception):
    """Redis cannot be used now; the text says why and holds no secret. `late`: no answer came in time."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.late = isinstance(error, TimeoutError | RedisTimeout)


class RedisConnection:
    """The Redis at an address, or the Redis Cluster that it belongs to; `place` names it in public.

    Connections are made when they are needed. Raises SettingsError for an address that redis-py does not
    take; all else that can go wrong is RedisAway.
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

    async def run(self, script: str, keys: list[str], *arguments: str | int) -> Any:
        """Run a script, which Redis keeps by its digest until it starts again; returns what it returns."""
        digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        async with _failing(), asyncio.timeout(PATIENCE):
            client = await self._connected()
            try:
                return await client.execute_command("EVALSHA", digest, len(keys), *keys, *arguments)
            except NoScriptError:  # a Redis that is new, or was started again
                return await client.execute_command("EVAL", script, len(keys), *keys, *arguments)

    async def find(self, pattern: str) -> list[str]:
        """Return the keys that fit a pattern, in order."""
        async with _failing():
            client = await self._connected()
            return sorted([key async for key in client.scan_iter(pattern, count=1000)])

    async def reach(self) -> None:
        """Make sure that Redis can be used."""
        await self.run(TRY, ["{cio-mcp:}:reached"])

    async def aclose(self) -> None:
        """Close the connections; later uses make new ones."""
        client, self._client = self._client, None
        if client:
            with suppress(RedisAway):
                async with _failing():
                    await client.aclose()

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
        raise RedisAway(error) from None


def _client(kind: type[Redis | RedisCluster], address: SecretStr) -> Any:
    return kind.from_url(
        address.get_secret_value(),
        decode_responses=True,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=TIMEOUT,
        socket_timeout=TIMEOUT,
    )

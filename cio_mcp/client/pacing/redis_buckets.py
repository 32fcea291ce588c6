"""RedisBuckets in a Redis or Valkey: their keys, and the scripts beside this file."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import NamedTuple

from pydantic import SecretStr

from cio_mcp.client.pacing.buckets import Bucket
from cio_mcp.client.pacing.slots import Lease, SharedBucket
from cio_mcp.databases.redis import RedisConnection

# A replica that has not been heard of for so long does not count among those that share.
HEARD = 5.0

# Redis forgets what nobody has used for so long, and 20 of a bucket's windows. Nothing is ever further ahead
# than that, unless Redis's clock was set back: then it is forgotten too.
KEEP = 600.0

# In place of how many calls wait: the replica leaves.
GONE = -1

# Each look at a bucket is one script.
_SCRIPTS = files(__package__)
TURN, BRING, LOOK = (
    _SCRIPTS.joinpath(f"{name}.lua").read_text("ascii") for name in ("turn", "bring", "look")
)


class Reply(NamedTuple):
    """How many share; the slot that was leased (-1: none), the seconds to its start, and its end in Redis."""

    sharing: int
    number: int
    wait: float
    ends: int


class RedisBuckets:
    """The buckets in the Redis at an address; raises what `RedisConnection` does."""

    def __init__(self, address: SecretStr) -> None:
        self.server = RedisConnection(address)

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
    ) -> Reply:
        """Look at a bucket for `replica`: lease a slot that `lasts` if one is free within `ahead` seconds.

        The bucket is `shut` for so many seconds from now at least, and for a lease if it is in use and yet
        unknown to Redis. Each slot in `back` is free again after its seconds.
        """
        keys = _keys(bucket.workspace, bucket.label)
        sharing, number, wait, ends = await self.server.run(
            TURN,
            [*keys, _waiting(bucket.workspace, bucket.label) + replica],
            replica,
            bucket.limit,
            *map(_micros, (bucket.window, lasts, ahead)),
            waiting,
            _micros(shut),
            int(in_use),
            *map(_micros, (HEARD, _keep(bucket))),
            *(x for lease, seconds in back for x in (lease.number, int(lease.ends), _micros(seconds))),
        )
        return Reply(sharing, number, wait / 1e6, ends)

    async def bring(self, bucket: Bucket, *, away: float, patience: float, rests: Sequence[float]) -> bool:
        """Bring the slots that a replica has used alone, which are free again after these `rests`.

        It was `away` for so many seconds. Those of others are kept for `patience` seconds after the first of
        them is back; returns whether these here still were.
        """
        brought: int = await self.server.run(
            BRING,
            _keys(bucket.workspace, bucket.label)[:2],
            bucket.limit,
            *map(_micros, (bucket.window, away, patience, _keep(bucket))),
            len(rests),
            *map(_micros, rests),
        )
        return brought == len(rests)

    async def look(self) -> list[SharedBucket]:
        """Return the buckets, as they are now."""
        return [await self._look(key) for key in await self.server.find("{cio-mcp:*}:bucket:*")]

    async def _look(self, key: str) -> SharedBucket:
        tag, _, name = key.partition("}:bucket:")
        workspace = tag.removeprefix("{cio-mcp:")
        limit, window, used, waiting, shut, sharing = await self.server.run(
            LOOK, _keys(workspace, name), _waiting(workspace, name), _micros(HEARD)
        )
        return SharedBucket(name, limit, window / 1e6, used, waiting, shut / 1e6, sharing)


def _keys(workspace: str, name: str) -> list[str]:
    """Return the keys of a bucket's slots, of the bucket, and of its workspace's replicas.

    What stands in braces keeps all of a workspace on one node of a cluster.
    """
    tag = f"{{cio-mcp:{workspace}}}"
    return [f"{tag}:slots:{name}", f"{tag}:bucket:{name}", f"{tag}:replicas"]


def _waiting(workspace: str, name: str) -> str:
    """Return how the keys begin that say how many calls wait in each replica."""
    return f"{{cio-mcp:{workspace}}}:waiting:{name}:"


def _keep(bucket: Bucket) -> float:
    return KEEP + 20 * bucket.window


def _micros(seconds: float) -> int:
    return round(seconds * 1e6)

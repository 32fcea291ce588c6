"""The limits as this program may use them, and the buckets that each request is counted in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cio_mcp.limits import LIMITS, Limit, covering

# A limit of several requests in a longer window than this is a quota.
LONG = 60.0


@dataclass(frozen=True)
class Bucket:
    """What is counted together: at most `limit` requests in any `window` seconds.

    `name` is the limit's, and `part` tells its buckets apart: a path, a caller. `workspace` tells workspaces
    apart without naming them (a hash), so that two never share a budget and two processes on one workspace
    always do.
    """

    name: str
    limit: int
    window: float
    workspace: str = ""
    part: str = ""

    @classmethod
    def of(cls, name: str, requests: float, window: float, workspace: str = "", part: str = "") -> "Bucket":
        """Return a bucket for so many requests in a window: whole ones, or one in a longer window."""
        limit = max(1, math.floor(requests))
        return cls(name, limit, window * limit / requests, workspace, part)

    @cached_property
    def label(self) -> str:
        """The name of the limit, and of the part of it."""
        return f"{self.name} {self.part}" if self.part else self.name

    @property
    def is_quota(self) -> bool:
        """Whether the window is so long that nobody waits in it: its requests may leave as they come."""
        return self.limit > 1 and self.window > LONG

    def own(self, caller: str, share: float) -> "Bucket":
        """Return the bucket of one caller who may use only a part of this one."""
        part = f"{self.part} of {caller}".strip()
        return self.of(self.name, self.limit * share, self.window, self.workspace, part)

    def divided(self, sharers: int) -> "Bucket":
        """Return what each of so many may use that do not see each other: less, or one in a longer window."""
        if limit := self.limit // sharers:
            return replace(self, limit=limit)
        return replace(self, limit=1, window=self.window * sharers / self.limit)


class Limits:
    """Customer.io's limits as this program may use them.

    `values` are what settings say in place of the declared numbers, by limit, and `share` is the part of each
    limit that may be used here.
    """

    def __init__(self, declared: Sequence[Limit] = LIMITS, *, share: float = 1.0, **values: float) -> None:
        self._limits = {limit.name: limit for limit in declared}
        for name, value in values.items():
            limit = self._limits[name]
            self._limits[name] = (
                replace(limit, window=value) if limit.sets == "window" else replace(limit, requests=value)
            )
        self._share = share
        self._buckets: dict[tuple[str, str, str], tuple[Bucket, ...]] = {}

    @property
    def names(self) -> Sequence[str]:
        """The names of all limits."""
        return tuple(self._limits)

    def buckets(self, method: str, route: str, path: str, workspace: str = "") -> tuple[Bucket, ...]:
        """Return the buckets that a request to `path`, made of `route`, must pass, the narrowest first."""
        known = method, route, workspace
        if known in self._buckets:
            return self._buckets[known]
        limits = covering(f"{method} {route}", self._limits.values())
        buckets = tuple(self._bucket(limit, path, workspace) for limit in limits)
        if not any(limit.each_path for limit in limits):
            self._buckets[known] = buckets
        return buckets

    def _bucket(self, limit: Limit, path: str, workspace: str) -> Bucket:
        part = path if limit.each_path else ""
        return Bucket.of(limit.name, limit.requests * self._share, limit.window, workspace, part)

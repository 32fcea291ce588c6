"""Customer.io's documented limits, and the bucket of each request."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from cio_mcp.client.call import Kind


@dataclass(frozen=True)
class Bucket:
    """One documented limit: at most `limit` requests in any `window` seconds.

    `workspace` tells workspaces apart without naming them (a hash), so that two never share a budget and two
    processes on one workspace always do.
    """

    name: str
    limit: int
    window: float
    workspace: str = ""

    @classmethod
    def per_second(cls, name: str, rate: float, workspace: str = "") -> "Bucket":
        """Return a bucket for `rate` requests per second: whole ones, or one in a longer window."""
        limit = max(1, math.floor(rate))
        return cls(name, limit, limit / rate, workspace)

    def own(self, caller: str, share: float) -> "Bucket":
        """Return the bucket of one caller who may use only a part of this one."""
        return self.per_second(f"{self.name} of {caller}", self.limit / self.window * share, self.workspace)

    def part(self, sharers: int) -> "Bucket":
        """Return what each of so many may use that do not see each other: less, or one in a longer window."""
        if limit := self.limit // sharers:
            return replace(self, limit=limit)
        return replace(self, limit=1, window=self.window * sharers / self.limit)


@dataclass(frozen=True)
class Limits:
    """Customer.io's limits as this program may use them: requests per second, and seconds per broadcast.

    Track documents 1000 per second but no 429; the 100 here is what the vendor asked for until 2024 and
    is kind to a backend that shares the workspace. App, sends and broadcasts: App API reference, 2026-08.
    """

    track: float = 100
    app: float = 10
    send: float = 100
    broadcast_interval: float = 10
    share: float = 1.0

    def bucket(self, api: Literal["track", "app"], path: str, kind: Kind, workspace: str = "") -> Bucket:
        """Return the bucket that a request to `path` of `api` must pass through."""
        if kind is Kind.TRIGGER:
            return Bucket.per_second(f"broadcast {path}", self.share / self.broadcast_interval, workspace)
        if path.startswith("/v1/send/"):
            return Bucket.per_second("send", self.share * self.send, workspace)
        rate = self.track if api == "track" else self.app
        return Bucket.per_second(api, self.share * rate, workspace)

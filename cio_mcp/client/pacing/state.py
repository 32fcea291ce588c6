"""What can be seen of a bucket from outside."""

from dataclasses import dataclass

from cio_mcp.client.pacing.buckets import Bucket


@dataclass(frozen=True)
class BucketState:
    """A bucket as this process knows it at one moment. All times are in seconds.

    `share` is the part of the limit that is in use now, less than 1 after a 429; `held` is for how long a
    429 still holds the bucket back; `last_429` is how long ago one came. The rest says that the circuit is
    open: for how long the API has failed, with what, and in how long one request may try again.
    """

    bucket: Bucket
    waiting: int
    share: float
    held: float
    last_429: float | None
    failing_for: float | None = None
    failing_with: str | None = None
    probe_in: float | None = None

"""Every request waits its turn, so that no documented limit is ever exceeded.

`transport` sends, `buckets` says what counts a request, and `queue` gives a bucket's turns: `lanes` decide
whose it is, `slots` when it comes, and `feedback` learns from the answers.
"""

from cio_mcp.client.pacing.buckets import Bucket, Limits
from cio_mcp.client.pacing.queue import Pace
from cio_mcp.client.pacing.slots import MemorySlots, SharedBucket, Slots
from cio_mcp.client.pacing.state import BucketState
from cio_mcp.client.pacing.transport import NEVER_LEFT, PaceTransport, is_used_up, pause_asked

__all__ = [
    "NEVER_LEFT",
    "Bucket",
    "BucketState",
    "Limits",
    "MemorySlots",
    "Pace",
    "PaceTransport",
    "SharedBucket",
    "Slots",
    "is_used_up",
    "pause_asked",
]

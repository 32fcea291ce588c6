"""Every request waits its turn, so that no documented limit is ever exceeded.

`paced` is the transport. `limits` says which bucket a request belongs to, and `queue` gives a bucket's turns:
`lanes` decide whose it is, `slots` when it comes, and `feedback` learns from the answers.
"""

from cio_mcp.client.pacing.buckets import Bucket, Limits
from cio_mcp.client.pacing.paced import NEVER_LEFT, Paced, pause_asked
from cio_mcp.client.pacing.queue import Pace
from cio_mcp.client.pacing.seen import Seen
from cio_mcp.client.pacing.slots import MemorySlots, Shown, Slots

__all__ = [
    "NEVER_LEFT",
    "Bucket",
    "Limits",
    "MemorySlots",
    "Pace",
    "Paced",
    "Seen",
    "Shown",
    "Slots",
    "pause_asked",
]

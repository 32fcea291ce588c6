"""Every request waits its turn, so that no documented limit is ever exceeded.

`limits` says which bucket a request belongs to, `slots` keeps the slots of each bucket (`shared` for all
processes of a host), `lanes` decides whose turn it is and `queue` when, and `paced` is the transport.
"""

from cio_mcp.client.pacing.limits import Bucket, Limits
from cio_mcp.client.pacing.paced import NEVER_LEFT, Paced, pause_asked
from cio_mcp.client.pacing.queue import Pace, Seen
from cio_mcp.client.pacing.slots import MemorySlots, Slots

__all__ = ["NEVER_LEFT", "Bucket", "Limits", "MemorySlots", "Pace", "Paced", "Seen", "Slots", "pause_asked"]

"""The embedded Customer.io: an imitation of the Track and App APIs over a workspace of its own.

It knows nothing of the rest of this package and is reached over HTTP like the real thing: `state/` holds
what a workspace knows and does, `routes/` speaks HTTP about it, `seed` tells the story that it starts with.
"""

from cio_mcp.sandbox.app import Sandbox
from cio_mcp.sandbox.asgi import ConnectionCut
from cio_mcp.sandbox.gate import Counts, Credentials
from cio_mcp.sandbox.state.migration import adopt
from cio_mcp.sandbox.state.schema import VERSION

__all__ = ["VERSION", "ConnectionCut", "Counts", "Credentials", "Sandbox", "adopt"]

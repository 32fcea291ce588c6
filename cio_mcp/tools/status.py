"""The server itself: what it may do."""

from cio_mcp.toolkit.answers import Status
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)


@tools.reads
async def server_status(now: Status) -> Status:
    """Read what this server may do: workspace, permissions, bounds, what is left of caps, limits in use."""
    return now

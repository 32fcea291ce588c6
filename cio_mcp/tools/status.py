"""The toolset `status`: the server itself."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.status import Status

tools = Toolbox(__name__)


@tools.reads
async def server_status(now: Status) -> Status:
    """Read what this server may do and its state.

    Covers time, sandbox or live, permissions, bounds, caps, rate limits, tools that are off.
    """
    return now

"""The toolset `status`: the server itself."""

from cio_mcp.toolkit.answers.status import Status
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)


@tools.reads
async def server_status(now: Status) -> Status:
    """Read what this server may do and its state.

    Covers time, sandbox or live, permissions, bounds, caps, rate limits, tools that are off.
    """
    return now

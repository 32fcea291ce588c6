"""The tools, one file per area. A new area is a file here and a name in `TOOLS`."""

from cio_mcp.tools.broadcasts import broadcasts
from cio_mcp.tools.campaigns import campaigns
from cio_mcp.tools.events import events
from cio_mcp.tools.messages import messages
from cio_mcp.tools.people import people
from cio_mcp.tools.status import status
from cio_mcp.tools.transactional import transactional

TOOLS = [
    tool
    for toolbox in (people, events, campaigns, broadcasts, transactional, messages, status)
    for tool in toolbox.tools
]

# What is on by default: the operations that were promised, and what a newcomer needs most beside them.
CORE = {tool.name for tool in TOOLS}

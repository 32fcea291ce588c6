"""The tools, one file per area. A new area is a file here and a name in `TOOLS`."""

from cio_mcp.tools.broadcasts import broadcasts
from cio_mcp.tools.campaigns import campaigns
from cio_mcp.tools.events import events
from cio_mcp.tools.messages import messages
from cio_mcp.tools.people import people
from cio_mcp.tools.transactional import transactional

TOOLS = [
    tool
    for toolbox in (people, events, campaigns, broadcasts, transactional, messages)
    for tool in toolbox.tools
]

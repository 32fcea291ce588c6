"""The tools, one file per area. A new area is a file here and a line in `TOOLBOXES`."""

from cio_mcp.tools.broadcasts import broadcasts
from cio_mcp.tools.campaigns import campaigns
from cio_mcp.tools.events import events
from cio_mcp.tools.people import people
from cio_mcp.tools.transactional import transactional

TOOLBOXES = (people, events, campaigns, broadcasts, transactional)

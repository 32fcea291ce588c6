"""The toolset `bulk`: thousands of customers and events in one call, or from a file at an address."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.bulk import customers, events, imports, objects, results

tools = Toolbox(__name__, customers.tools, events.tools, objects.tools, results.tools, imports.tools)

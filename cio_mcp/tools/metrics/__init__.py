"""The toolset `metrics`: results of messages, of their parts, of links and journeys, and of the workspace."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.metrics import parts, report, totals

tools = Toolbox(__name__, totals.tools, parts.tools, report.tools)

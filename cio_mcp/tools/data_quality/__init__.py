"""The toolset `data_quality`: customers' activity, and whether writes were applied."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.data_quality import activities, checks, rejections

tools = Toolbox(__name__, activities.tools, rejections.tools, checks.tools)

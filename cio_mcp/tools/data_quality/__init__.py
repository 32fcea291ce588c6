"""The toolset `data_quality`: what happened to customers, and what became of writes."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.data_quality import activities, checks, rejections

tools = Toolbox(__name__, activities.tools, rejections.tools, checks.tools)

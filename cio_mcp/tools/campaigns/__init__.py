"""The toolset `campaigns`: campaigns, which Customer.io's pages call automations."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.campaigns import campaigns, comparison

tools = Toolbox(__name__, campaigns.tools, comparison.tools)

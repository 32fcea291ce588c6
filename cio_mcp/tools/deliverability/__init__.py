"""The toolset `deliverability`: why a message did not arrive, and who cannot or will not receive any."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.deliverability import explanation, opt_outs, suppressions

tools = Toolbox(__name__, explanation.tools, suppressions.tools, opt_outs.tools)

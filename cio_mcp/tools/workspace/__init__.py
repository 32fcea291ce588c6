"""The toolset `workspace`: what is set up in a workspace, exports of it, and its reporting webhooks."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.workspace import exports, items, reporting_webhooks

tools = Toolbox(__name__, items.tools, exports.tools, reporting_webhooks.tools)

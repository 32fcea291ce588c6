"""The toolset `newsletters`: messages to many people, sent once. In Customer.io's UI: one-time sends."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.newsletters import drafts, newsletters, sending

tools = Toolbox(__name__, newsletters.tools, drafts.tools, sending.tools)

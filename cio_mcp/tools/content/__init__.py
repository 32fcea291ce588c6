"""The toolset `content`: what messages say, and what they said."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.content import contents, preview, sent, updates

tools = Toolbox(__name__, contents.tools, preview.tools, sent.tools, updates.tools)

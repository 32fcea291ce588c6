"""The toolset `transactional`: one message to one person, now, by any channel."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.transactional import channels, email, templates

tools = Toolbox(__name__, email.tools, templates.tools, channels.tools)

"""The toolset `broadcasts`: API-triggered broadcasts, which send one message to many people at once."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.broadcasts import broadcasts, runs, sending

tools = Toolbox(__name__, broadcasts.tools, sending.tools, runs.tools)

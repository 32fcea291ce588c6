"""The toolset `broadcasts`: API-triggered broadcasts, one message to many, now."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.broadcasts import broadcasts, runs, sending

tools = Toolbox(__name__, broadcasts.tools, sending.tools, runs.tools)

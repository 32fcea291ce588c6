"""The toolset `design_studio`: emails of Design Studio, from a draft to what a message says."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.design_studio import drafts, emails, linking, publishing

tools = Toolbox(__name__, emails.tools, drafts.tools, linking.tools, publishing.tools)

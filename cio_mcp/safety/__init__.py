"""The checks between the application and a tool, which itself only declares its effect and whom it reaches.

`permissions` decides which tools are on, `bounds` who and how many people may be reached, and `confirmation`
that a call does what its preview showed. `stores` hold the state that processes share, and `guard`, through
which every call passes, applies all of these.
"""

from cio_mcp.safety.guard import Guard
from cio_mcp.safety.tool_call import Approver, MakePreview, Suspension, ToolCall

__all__ = ["Approver", "Guard", "MakePreview", "Suspension", "ToolCall"]

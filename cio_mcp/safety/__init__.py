"""What stands between the server and a tool. A tool declares its effect and whom it reaches, and never asks.

`permissions` says which tools are on, `bounds` who may be reached and how many, `confirmation` that what is
done is what was previewed, `store` keeps what processes must know of each other, and `guard` is the one way
to a tool, past all of them.
"""

from cio_mcp.safety.call import MakePreview, Person, Suspended, ToolCall
from cio_mcp.safety.guard import Guard

__all__ = ["Guard", "MakePreview", "Person", "Suspended", "ToolCall"]

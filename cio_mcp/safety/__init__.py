"""What stands between the server and a tool: today the dry run.

A tool declares its effect and never asks; `Guard` decides whether and how it runs.
"""

from cio_mcp.safety.guard import Guard

__all__ = ["Guard"]

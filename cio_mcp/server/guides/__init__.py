"""What clients can offer beside the tools: prompts to start from, and resources to read."""

from cio_mcp.server.guides import writing as _writing  # noqa: F401 - registers its prompts
from cio_mcp.server.guides.prompts import PROMPTS, Prompt
from cio_mcp.server.guides.resources import RESOURCES, TEMPLATES, Resource, WorkspaceResource

__all__ = ["PROMPTS", "RESOURCES", "TEMPLATES", "Prompt", "Resource", "WorkspaceResource"]

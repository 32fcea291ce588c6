"""What a client can offer to people and models beside the tools: prompts to start from, texts to read."""

from cio_mcp.server.guides.prompts import PROMPTS, Prompt
from cio_mcp.server.guides.resources import RESOURCES, TEMPLATES, Resource, Template

__all__ = ["PROMPTS", "RESOURCES", "TEMPLATES", "Prompt", "Resource", "Template"]

"""What the program was told, by environment variables."""

from cio_mcp.settings.environment import load, variables
from cio_mcp.settings.model import CREDENTIALS, PREFIX, Settings

__all__ = ["CREDENTIALS", "PREFIX", "Settings", "load", "variables"]

"""What the program was told, by environment variables."""

from cio_mcp.settings.environment import first_fault, load, variables
from cio_mcp.settings.model import Settings
from cio_mcp.settings.scopes import CREDENTIALS, variable

__all__ = ["CREDENTIALS", "Settings", "first_fault", "load", "variable", "variables"]

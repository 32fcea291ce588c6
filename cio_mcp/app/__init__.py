"""The application, put together from the settings: `build` returns an `App`, which runs tools."""

from cio_mcp.app.application import App, Outcome
from cio_mcp.app.build import build
from cio_mcp.app.catalogue import OpenWorkspace

__all__ = ["App", "OpenWorkspace", "Outcome", "build"]

"""The ASGI application, for whoever runs an ASGI server of their own: `cio_mcp.asgi:create_app`."""

from cio_mcp.transports.http.app import create_app

__all__ = ["create_app"]

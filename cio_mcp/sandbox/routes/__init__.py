"""The HTTP side, one module per area. Each route says where it is known from what it does."""

from importlib import import_module
from pkgutil import iter_modules

from cio_mcp.sandbox.http import Handler

TABLES: list[tuple[str, str, Handler]] = [
    entry
    for area in iter_modules(__path__)
    for entry in import_module(f"cio_mcp.sandbox.routes.{area.name}").routes.table
]

"""The HTTP side, one module per area."""

from cio_mcp.sandbox.routes import broadcasts, campaigns, customers, events, segments, transactional

TABLES = [
    entry
    for module in (customers, events, campaigns, broadcasts, transactional, segments)
    for entry in module.routes.table
]

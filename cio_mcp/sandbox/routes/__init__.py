"""The HTTP side, one module per area."""

from cio_mcp.sandbox.routes import (
    activities,
    broadcasts,
    campaigns,
    customers,
    events,
    messages,
    newsletters,
    segments,
    transactional,
)

TABLES = [
    entry
    for module in (
        *(customers, events, activities, campaigns, broadcasts, newsletters),
        *(transactional, messages, segments),
    )
    for entry in module.routes.table
]

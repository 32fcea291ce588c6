"""The HTTP side, one module per area."""

from cio_mcp.sandbox.routes import (
    activities,
    broadcasts,
    campaigns,
    customers,
    events,
    exports,
    messages,
    newsletters,
    relationships,
    segments,
    subscriptions,
    transactional,
)

TABLES = [
    entry
    for module in (
        *(customers, subscriptions, relationships, events, activities, campaigns, broadcasts, newsletters),
        *(transactional, messages, segments, exports),
    )
    for entry in module.routes.table
]

"""The HTTP side, one module per area. Each route says whether what it does is documented, live or assumed."""

from cio_mcp.sandbox.routes import (
    activities,
    broadcasts,
    campaigns,
    collections,
    customers,
    events,
    exports,
    messages,
    metrics,
    newsletters,
    relationships,
    reporting_webhooks,
    segments,
    snippets,
    subscriptions,
    transactional,
    workspaces,
)

TABLES = [
    entry
    for module in (
        *(customers, subscriptions, relationships, events, activities, campaigns, broadcasts, newsletters),
        *(transactional, messages, metrics, segments),
        *(exports, snippets, collections, reporting_webhooks, workspaces),
    )
    for entry in module.routes.table
]

"""The HTTP side, one module per area."""

from cio_mcp.sandbox.routes import (
    activities,
    broadcasts,
    campaigns,
    collections,
    customers,
    entities,
    events,
    exports,
    messages,
    metrics,
    newsletters,
    objects,
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
        *(entities, objects),
        *(exports, snippets, collections, reporting_webhooks, workspaces),
    )
    for entry in module.routes.table
]

"""The HTTP side, one module per area. Each route says where it is known from what it does."""

from cio_mcp.sandbox.routes import (
    activities,
    broadcasts,
    campaigns,
    collections,
    content_updates,
    contents,
    customers,
    design_publishing,
    design_studio,
    entities,
    events,
    exports,
    imports,
    messages,
    metrics,
    newsletter_drafts,
    newsletters,
    objects,
    opt_outs,
    relationships,
    reporting_webhooks,
    segments,
    snippets,
    subscriptions,
    suppressions,
    transactional,
    workspaces,
)

TABLES = [
    entry
    for module in (
        *(customers, subscriptions, relationships, events, activities, campaigns, broadcasts, newsletters),
        *(
            newsletter_drafts,
            transactional,
            contents,
            content_updates,
            messages,
            metrics,
            segments,
            suppressions,
            opt_outs,
        ),
        *(entities, objects, design_studio, design_publishing),
        *(exports, imports, snippets, collections, reporting_webhooks, workspaces),
    )
    for entry in module.routes.table
]

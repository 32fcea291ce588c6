"""The tools: one module or folder for each toolset, named as the toolset is."""

from cio_mcp.tools import (
    broadcasts,
    campaigns,
    data_quality,
    events,
    messages,
    metrics,
    newsletters,
    people,
    segments,
    status,
    transactional,
    workspace,
)

TOOLSETS = (
    *(people.tools, segments.tools, events.tools, campaigns.tools, broadcasts.tools, newsletters.tools),
    *(transactional.tools, messages.tools, metrics.tools, data_quality.tools, workspace.tools, status.tools),
)

TOOLS = [tool for toolset in TOOLSETS for tool in toolset]

# What is on by default: the operations that were promised, what settles an unknown outcome, and what it takes
# to finish what they begin.
CORE = (
    *("identify_customer", "delete_customer", "get_customer", "search_customers", "list_segments"),
    *("track_event", "track_anonymous_event", "track_page_view"),
    *("list_campaigns", "get_campaign_metrics"),
    *("trigger_broadcast", "list_broadcasts", "list_broadcast_triggers", "get_broadcast_trigger"),
    *("send_transactional_email", "list_transactional_messages", "list_customer_messages"),
    *("check_write", "server_status"),
)

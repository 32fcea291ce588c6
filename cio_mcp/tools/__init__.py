"""The tools: one module or folder for each toolset, with the toolset's name."""

from cio_mcp.tools import (
    broadcasts,
    bulk,
    campaigns,
    content,
    data_quality,
    deliverability,
    design_studio,
    events,
    messages,
    metrics,
    newsletters,
    objects,
    people,
    sandbox,
    segments,
    status,
    transactional,
    workspace,
)

TOOLSETS = (
    *(people.tools, objects.tools, segments.tools, events.tools, bulk.tools),
    *(campaigns.tools, broadcasts.tools, newsletters.tools, content.tools),
    design_studio.tools,
    *(transactional.tools, messages.tools, deliverability.tools, metrics.tools),
    *(data_quality.tools, workspace.tools, status.tools),
)

TOOLS = [tool for toolset in TOOLSETS for tool in toolset]

# Tools that are there on an embedded sandbox only: no live list has them.
SANDBOX_TOOLS = list(sandbox.tools)

# The tools that are on by default: the operations of the brief, the tools that settle an unknown outcome, and
# the lists and checks without which these cannot be finished.
CORE = (
    *("identify_customer", "delete_customer", "get_customer", "search_customers", "list_segments"),
    *("track_event", "track_anonymous_event", "track_page_view"),
    *("identify_customers", "track_events", "list_row_results"),
    *("list_campaigns", "get_campaign_metrics", "report_workspace"),
    *("trigger_broadcast", "list_broadcasts", "list_broadcast_triggers", "get_broadcast_trigger"),
    *("send_transactional_email", "list_transactional_messages", "list_customer_messages"),
    *("get_content", "explain_no_message"),
    *("check_write", "server_status"),
    *(tool.name for tool in SANDBOX_TOOLS),
)

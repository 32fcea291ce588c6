"""The tools, one file per area. A new area is a file here and a name in `TOOLS`."""

from cio_mcp.tools.activities import activities
from cio_mcp.tools.broadcasts import broadcasts
from cio_mcp.tools.campaigns import campaigns
from cio_mcp.tools.channels import channels
from cio_mcp.tools.checks import checks
from cio_mcp.tools.comparison import comparison
from cio_mcp.tools.data_quality import data_quality
from cio_mcp.tools.devices import devices
from cio_mcp.tools.events import events
from cio_mcp.tools.exports import exports
from cio_mcp.tools.identities import identities
from cio_mcp.tools.message_metrics import message_metrics
from cio_mcp.tools.messages import messages
from cio_mcp.tools.newsletters import newsletters
from cio_mcp.tools.people import people
from cio_mcp.tools.relationships import relationships
from cio_mcp.tools.reporting_webhooks import reporting_webhooks
from cio_mcp.tools.search import search
from cio_mcp.tools.segments import segments
from cio_mcp.tools.status import status
from cio_mcp.tools.subscriptions import subscriptions
from cio_mcp.tools.transactional import transactional
from cio_mcp.tools.triggers import triggers
from cio_mcp.tools.workspace_items import workspace_items

TOOLS = [
    tool
    for toolbox in (
        *(people, search, identities, subscriptions, devices, relationships, segments),
        *(events, campaigns, comparison, broadcasts, triggers, newsletters),
        *(transactional, channels, messages, message_metrics),
        *(activities, data_quality, checks),
        *(workspace_items, exports, reporting_webhooks, status),
    )
    for tool in toolbox.tools
]

# What is on by default: the operations that were promised, what settles an unknown outcome, and what a
# newcomer needs most beside them.
CORE = (
    *("identify_customer", "delete_customer", "get_customer", "search_customers"),
    *("track_event", "track_anonymous_event", "track_page_view"),
    *("list_campaigns", "get_campaign_metrics"),
    *("trigger_broadcast", "list_broadcasts", "list_broadcast_triggers"),
    *("send_transactional_email", "list_customer_messages"),
    *("check_write", "server_status"),
)

"""The names of the tools that are on by default; who needs only these imports no tool."""

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
    *("move_sandbox_clock", "explain_sandbox_message"),  # where they are there
)

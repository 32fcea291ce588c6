"""The MCP Inspector's command line lists and calls every tool: `python inspector.py CIO_MCP NODE_FOLDER`."""

import json
import subprocess
import sys
from typing import Any

CALLS: dict[str, dict[str, str]] = {
    "identify_customer": {"customer_id": "u_9", "attributes": '{"plan": "pro"}'},
    "delete_customer": {"customer_id": "u_1001"},
    "get_customer": {"customer_id": "u_1001"},
    "track_event": {"customer_id": "u_1001", "name": "purchase", "data": '{"amount": 20}'},
    "track_anonymous_event": {"anonymous_id": "anon_1", "name": "looked"},
    "track_page_view": {"customer_id": "u_1001", "url": "https://example.com/pricing"},
    "list_campaigns": {},
    "get_campaign_metrics": {"campaign_id": "1"},
    "trigger_broadcast": {"broadcast_id": "10", "emails": '["ada@example.com"]'},
    "list_broadcast_triggers": {"broadcast_id": "10"},
    "send_transactional_email": {
        "transactional_message_id": "1",
        "to": "ada@example.com",
        "customer_id": "u_1001",
        "message_data": '{"order_id": "1"}',
    },
    "list_customer_messages": {"customer_id": "u_1001"},
}


def main(cio_mcp: str, folder: str) -> None:
    def inspect(*arguments: str) -> Any:
        command = [f"{folder}/node_modules/.bin/mcp-inspector", "--cli", cio_mcp, *arguments]
        return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    listed = [tool["name"] for tool in inspect("--method", "tools/list")["tools"]]
    assert sorted(listed) == sorted(CALLS), listed
    for name in listed:
        arguments = [part for pair in CALLS[name].items() for part in ("--tool-arg", "=".join(pair))]
        answer = inspect("--method", "tools/call", "--tool-name", name, *arguments)
        assert not answer.get("isError"), answer
    command = [f"{folder}/node_modules/.bin/mcp-inspector", "--cli", cio_mcp, "--method", "tools/call"]
    command += ["--tool-name", "get_customer", "--tool-arg", "customer_id=nobody"]
    failed = subprocess.run(command, capture_output=True, check=False, text=True).stdout
    assert "404" in failed, failed
    print(f"ok MCP Inspector: {len(listed)} tools listed, each called")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The MCP Inspector's command line lists and calls every tool: `python inspector.py NODE_FOLDER`."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

# In place of the id of a message that was sent: the sandbox gives out random ones.
ANY_MESSAGE = "any"

CALLS: dict[str, dict[str, Any]] = {
    "identify_customer": {"customer_id": "u_9", "attributes": {"plan": "pro"}},
    "delete_customer": {"customer_id": "u_9"},
    "get_customer": {"customer_id": "u_1001"},
    "track_event": {"customer_id": "u_1001", "name": "purchase", "data": {"amount": 20}},
    "track_anonymous_event": {"anonymous_id": "anon_1", "name": "looked"},
    "track_page_view": {"customer_id": "u_1001", "url": "https://example.com/pricing"},
    "list_campaigns": {},
    "get_campaign_metrics": {"campaign_id": 1},
    "trigger_broadcast": {"broadcast_id": 10, "emails": ["ada@example.com", "bruno@example.com"]},
    "list_broadcast_triggers": {"broadcast_id": 10},
    "send_transactional_email": {
        "transactional_message_id": 1,
        "to": "ada@example.com",
        "customer_id": "u_1001",
        "message_data": {"order_id": "1"},
    },
    "list_customer_messages": {"customer_id": "u_1001"},
    "list_messages": {},
    "get_message": {"delivery_id": ANY_MESSAGE},
    "wait_for_delivery": {"delivery_id": ANY_MESSAGE},
    "list_activities": {},
    "find_rejected_data": {},
    "check_write": {"customer_id": "u_1001", "attributes": {"plan": "pro"}},
    "list_broadcasts": {},
    "get_broadcast_trigger": {"broadcast_id": 12, "trigger_id": 1},
    "list_newsletters": {},
    "get_newsletter": {"newsletter_id": 21},
    "send_newsletter": {"newsletter_id": 21},
    "server_status": {},
}


class Inspector:
    """The Inspector, which starts a server for each request; a file keeps the sandbox between them."""

    def __init__(self, node_folder: str, state: str) -> None:
        program = Path(node_folder, "node_modules", ".bin", "mcp-inspector")
        self._command = [str(program), "--cli", "-e", f"CIO_SANDBOX_PATH={state}"]
        self._command += ["-e", "CIO_TOOLSETS=all", "cio-mcp", "--method"]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._command, *arguments], capture_output=True, check=False, text=True)

    def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        given = ("--tool-name", tool, "--tool-args-json", json.dumps(arguments))
        done = self.run("tools/call", *given)
        assert done.returncode == 0, done
        answer: dict[str, Any] = json.loads(done.stdout)["structuredContent"]
        return answer


def main(node_folder: str) -> None:
    with tempfile.TemporaryDirectory() as state:
        inspector = Inspector(node_folder, f"{state}/sandbox.db")
        for era in ("legacy", "modern"):
            listed = inspector.run("tools/list", "--strict", "--protocol-era", era)
            names = [tool["name"] for tool in json.loads(listed.stdout)["tools"]]
            assert sorted(names) == sorted(CALLS), set(names) ^ set(CALLS)
            assert (listed.returncode, "warning" in listed.stderr.lower()) == (0, False), listed.stderr
        sent = inspector.call("list_messages", {})["messages"][0]["delivery_id"]
        for name, given in CALLS.items():
            arguments = given | ({"delivery_id": sent} if given.get("delivery_id") == ANY_MESSAGE else {})
            answer = inspector.call(name, arguments)
            if answer.get("outcome") == "preview":
                answer = inspector.call(name, arguments | {"confirmation": answer["confirmation"]})
            assert answer.get("outcome") != "preview", answer
        failed = inspector.run(
            "tools/call", "--tool-name", "get_customer", "--tool-arg", "customer_id=nobody"
        )
        assert (failed.returncode, "404" in failed.stdout) == (5, True), failed
        version = json.loads(Path(node_folder, "package-lock.json").read_text())["packages"]
        version = version["node_modules/@modelcontextprotocol/inspector"]["version"]
        print(f"ok MCP Inspector {version}: {len(CALLS)} tools listed in both eras of MCP, each called")


if __name__ == "__main__":
    main(*sys.argv[1:])

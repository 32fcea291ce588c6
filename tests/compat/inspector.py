"""The MCP Inspector's command line lists and calls every tool.

`python -m tests.compat.inspector NODE_FOLDER`; `cio-mcp` is on the PATH.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cio_mcp.client import RequestKind
from cio_mcp.sandbox import Sandbox
from cio_mcp.tools.every import TOOLS
from tests.test_outcomes import ACTS, Act

# How each tool is called where everything goes wrong once, and those that need no answer of Customer.io's.
CALLS = ACTS | {
    "server_status": Act(RequestKind.READ, {}),
    "move_sandbox_clock": Act(RequestKind.READ, {"to": "+1h"}),
    "explain_sandbox_message": Act(RequestKind.READ, {"person": "u_1001", "message": "Welcome series"}),
}

# Only a person may confirm these, and the Inspector's command line cannot ask one.
REFUSED = {tool.name for tool in TOOLS if tool.affects.by_person}

# It reads what the server has kept of an earlier call, and the Inspector starts a server for each.
UNCALLED = {"list_row_results"}


class Inspector:
    """The Inspector, which starts a server for each request; a file keeps the sandbox between them."""

    def __init__(self, node_folder: str, state: Path) -> None:
        program = Path(node_folder, "node_modules", ".bin", "mcp-inspector")
        self._command = [str(program), "--cli", "-e", f"CIO_SANDBOX_PATH={state}"]
        self._command += ["-e", "CIO_TOOLSETS=all", "cio-mcp", "--method"]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._command, *arguments], capture_output=True, check=False, text=True)

    def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        given = ("--tool-name", tool, "--tool-args-json", json.dumps(arguments))
        done = self.run("tools/call", *given)
        if tool in REFUSED:
            assert "requires a person's consent" in done.stdout, done
            return {}
        assert done.returncode == 0, done
        answer: dict[str, Any] = json.loads(done.stdout)["structuredContent"]
        return answer


def main(node_folder: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        inspector = Inspector(node_folder, Path(folder, "sandbox.db"))
        for era in ("legacy", "modern"):
            listed = inspector.run("tools/list", "--strict", "--protocol-era", era)
            names = [tool["name"] for tool in json.loads(listed.stdout)["tools"]]
            assert sorted(names) == sorted(CALLS.keys() | UNCALLED), set(names) ^ set(CALLS)
            assert (listed.returncode, "warning" in listed.stderr.lower()) == (0, False), listed.stderr
        for name in CALLS:
            call(node_folder, Path(folder, f"{name}.db"), name)
        failed = inspector.run(
            "tools/call", "--tool-name", "get_customer", "--tool-arg", "customer_id=nobody"
        )
        assert (failed.returncode, "404" in failed.stdout) == (5, True), failed
    version = json.loads(Path(node_folder, "package-lock.json").read_text())["packages"]
    version = version["node_modules/@modelcontextprotocol/inspector"]["version"]
    print(f"ok MCP Inspector {version}: {len(names)} tools listed in both eras of MCP, {len(CALLS)} called")


def call(node_folder: str, state: Path, tool: str) -> None:
    """Call a tool on a sandbox of its own, and confirm what wants to be confirmed."""
    sandbox = Sandbox(str(state))
    arguments = CALLS[tool].on(sandbox)
    sandbox.close()
    inspector = Inspector(node_folder, state)
    if first := CALLS[tool].first:
        confirmed(inspector, *first)
    confirmed(inspector, tool, arguments)


def confirmed(inspector: Inspector, tool: str, arguments: dict[str, Any]) -> None:
    answer = inspector.call(tool, arguments)
    if answer.get("outcome") == "preview":
        answer = inspector.call(tool, arguments | {"confirmation": answer["confirmation"]})
    assert answer.get("outcome") != "preview", answer


if __name__ == "__main__":
    main(*sys.argv[1:])

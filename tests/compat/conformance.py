"""MCP's conformance suite on `cio-mcp serve`: `python -m tests.compat.conformance NODE FOLDER`.

What applies to any server must pass; the rest wants things of fixed names that only a demo server has.
`cio-mcp` is on the PATH, NODE is version 22 or newer, and the suite is installed in FOLDER.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.compat.serving import serving

REVISIONS = ("2025-06-18", "2025-11-25", "2026-07-28")

APPLY = {
    "caching",
    "dns-rebinding-protection",
    "http-header-validation",
    "input-required-result-unsupported-methods",
    "ping",
    "prompts-list",
    "resources-list",
    "sep-2164-resource-not-found",
    "server-initialize",
    "server-session-lifecycle",
    "server-sse-multiple-streams",
    "server-stateless",
    "tools-list",
}

# What the others want, by how their names begin. A call of a tool that is not there is answered with an
# error, which some of them take for a pass: it would say nothing.
WANTED = {
    "completion-complete": "completions, which this server does not announce",
    "elicitation-sep": "tools test_elicitation_*",
    "http-custom-header-server-validation": "a tool with an argument that travels as a header",
    "input-required-result": "tools and a prompt test_input_required_result_*",
    "json-schema-2020-12": "the tool json_schema_2020_12_tool",
    "logging-set-level": "MCP's logging, which this server does not announce",
    "prompts-get": "prompts test_*",
    "resources-read": "the resources test://static-text and test://static-binary",
    "resources-subscribe": "subscriptions to resources, which this server does not announce",
    "resources-templates-read": "the resource test://template/{id}/data",
    "resources-unsubscribe": "subscriptions to resources, which this server does not announce",
    "server-sse-polling": "the tool test_reconnection",
    "tools-call": "tools test_*",
}

# Single checks of scenarios that apply, which want the same.
CHECKS_WANTED = {
    "sep-2549-resources-read-caching-hints": "a resource",
    "sep-2575-missing-capability-http-400": "the tool test_missing_capability",
    "sep-2575-server-rejects-undeclared-capability": "the tool test_missing_capability",
    "sep-2575-server-sends-prompts-list-changed-on-subscription": "the tool test_trigger_prompt_change",
    "sep-2575-server-sends-tools-list-changed-on-subscription": "the tool test_trigger_tool_change",
}


class Suite:
    """The suite, as it is installed in a folder."""

    def __init__(self, node: str, folder: str) -> None:
        package = Path(folder, "node_modules", "@modelcontextprotocol", "conformance")
        self.version = json.loads((package / "package.json").read_text())["version"]
        self._command = [node, str(package / "dist" / "index.js")]

    def scenarios(self, revision: str) -> list[str]:
        """Return the scenarios for servers of a revision; the suite lists those for clients behind them."""
        listed = subprocess.run([*self._command, "list"], capture_output=True, check=True, text=True).stdout
        servers = listed.partition("Client scenarios")[0]
        return [name for name, at in re.findall(r"- (\S+) \[(.+)\]", servers) if revision in at.split(",")]

    def checks(self, scenario: str, revision: str, url: str) -> list[dict[str, Any]]:
        """Run a scenario; returns its checks, each with `id` and `status`."""
        with tempfile.TemporaryDirectory() as out:
            options = ["--url", url, "--scenario", scenario, "--spec-version", revision, "-o", out]
            subprocess.run([*self._command, "server", *options], capture_output=True, check=False)
            (found,) = Path(out).glob("*/checks.json")
            checks: list[dict[str, Any]] = json.loads(found.read_text())
        return checks


def main(node: str, folder: str) -> None:
    suite = Suite(node, folder)
    with serving() as address:
        for revision in REVISIONS:
            scenarios = suite.scenarios(revision)
            unknown = [name for name in scenarios if name not in APPLY and not name.startswith(tuple(WANTED))]
            assert scenarios, f"the suite knows nothing of {revision}"
            assert not unknown, f"say whether they apply, and if not why: {unknown}"
            passed, applied = 0, [name for name in scenarios if name in APPLY]
            for name in applied:
                checks = [
                    check
                    for check in suite.checks(name, revision, f"{address}/mcp")
                    if check["id"] not in CHECKS_WANTED and check["status"] != "INFO"
                ]
                assert checks, f"{name} on {revision} checked nothing"
                failed = [check for check in checks if check["status"] != "SUCCESS"]
                assert not failed, f"{name} on {revision}: {json.dumps(failed, indent=2)}"
                passed += len(checks)
            print(
                f"ok MCP conformance {suite.version} on {revision}: {passed} checks of {', '.join(applied)}; "
                f"{len(scenarios) - len(applied)} scenarios want what only a demo server has"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Customer.io's own SDKs and the brief's curl commands against `cio-mcp sandbox`.

`python sandbox.py CIO_MCP PYTHON_WITH_SDK FOLDER_WITH_NODE_SDK` starts two sandboxes on one file, one of them
over TLS, lets each client at them, and reads back with `cio-mcp call` what they did.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BASIC = ["-u", "sandbox-site:sandbox-track-key"]
BEARER = ["-H", "Authorization: Bearer sandbox-app-key"]


def main(cio_mcp: str, python: str, node_folder: str) -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environ = os.environ | {"CIO_SANDBOX_PATH": f"{folder}/sandbox.db"}
        plain = stack.enter_context(serving(cio_mcp, environ))
        tls = stack.enter_context(serving(cio_mcp, environ, "--tls"))
        url, _ = said(plain)
        tls_url, certificate = said(tls, "certificate")
        port = tls_url.rpartition(":")[2]
        trust = {"REQUESTS_CA_BUNDLE": certificate}
        subprocess.run([python, HERE / "customerio_sdk.py", url, port], env=os.environ | trust, check=True)
        subprocess.run(["node", HERE / "customerio_node.mjs", url], cwd=node_folder, check=True)

        def customer(name: str) -> Any:
            call = [cio_mcp, "call", "get_customer", f"customer_id={name}"]
            return json.loads(subprocess.run(call, env=environ, capture_output=True, check=False).stdout)

        assert customer("sdk_python")["attributes"] == {"plan": "pro", "purchases": "1", "total_spent": "7"}
        assert customer("sdk_node")["attributes"] == {"plan": "team", "purchases": "1", "total_spent": "9"}
        assert customer("sdk_gone")["status"] == customer("sdk_node_gone")["status"] == 404
        print("ok get_customer sees what both did")
        fresh, _ = said(stack.enter_context(serving(cio_mcp, dict(os.environ))))
        print(f"ok {curl_the_brief(fresh)} curl commands of the brief, with only the host changed")


@contextmanager
def serving(cio_mcp: str, environ: dict[str, str], *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [cio_mcp, "sandbox", "--port", "0", *options]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(timeout=5) == 0


def said(process: subprocess.Popen[str], last: str = "state") -> tuple[str, str]:
    """Return a sandbox's address and the last word of the line that begins with `last`."""
    assert process.stdout
    text = ""
    while not re.search(rf"^  {last} .*\n", text, re.MULTILINE):
        text += process.stdout.readline()
    address = re.search(r"https?://[\d.]+:\d+", text)
    assert address
    return address[0], text.split()[-1]


def curl_the_brief(url: str) -> int:
    """Run each request of the brief's "Common Agent Operations" as curl; returns how many there were."""
    text = (HERE.parent / "brief.md").read_text()
    blocks = re.findall(
        r"```bash\n(\w+) https://(\w+)\.customer\.io(\S+)\n.*?\n(\{.*?\n\})?\n*```", text, re.DOTALL
    )
    for method, api, path, body in sorted(blocks, key=lambda block: block[0] == "DELETE"):
        number = "10" if path.endswith("triggers") else "1"
        target = url + path.replace("{customer_id}", "user_123").replace("{campaign_id}", number)
        command = ["curl", "-sf", "-X", method, *(BASIC if api == "track" else BEARER), target]
        subprocess.run([*command, *(["--json", body] if body else [])], check=True, stdout=subprocess.DEVNULL)
    assert len(blocks) == 9, blocks
    return len(blocks)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Customer.io's own SDKs and the brief's curl commands against `cio-mcp sandbox`.

`python -m tests.compat.sandbox PYTHON_WITH_SDK NODE_FOLDER` starts two sandboxes on one file, one of them
over TLS, lets each SDK at them, and the lines of docs/sandbox.md, and reads back with `cio-mcp call` what
they did; `cio-mcp` is on the PATH.
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


def main(python: str, node_folder: str) -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environ = os.environ | {"CIO_SANDBOX_PATH": f"{folder}/sandbox.db"}
        url, _ = said(stack.enter_context(serving(environ)))
        tls_url, certificate = said(stack.enter_context(serving(environ, "--tls")), "certificate")
        port, trust = tls_url.rpartition(":")[2], {"REQUESTS_CA_BUNDLE": certificate}
        clients = HERE / "clients"
        subprocess.run([python, clients / "customerio_sdk.py", url, port], env=os.environ | trust, check=True)
        subprocess.run(["node", clients / "customerio_node.mjs", url], cwd=node_folder, check=True)
        # The same operations have a file of their own, since what they leave is not what is read below.
        every = stack.enter_context(serving(dict(os.environ)))
        every_url, _ = said(every)
        subprocess.run(
            [python, clients / "every_operation.py", every_url, port], env=os.environ | trust, check=True
        )
        subprocess.run(["node", clients / "every_operation.mjs", every_url], cwd=node_folder, check=True)

        def read(tool: str, argument: str) -> Any:
            command = ["cio-mcp", "call", tool, argument]
            return json.loads(subprocess.run(command, env=environ, capture_output=True, check=False).stdout)

        python_did, node_did = (
            read("get_customer", f"customer_id=sdk_{name}") for name in ("python", "node")
        )
        assert python_did["attributes"] == {"plan": "pro", "purchases": "1", "total_spent": "7"}, python_did
        assert node_did["attributes"] == {"plan": "team", "purchases": "1", "total_spent": "9"}, node_did
        assert (python_did["email"], node_did["email"]) == ("python@example.com", "node@example.com")
        for name in ("python", "node"):
            assert read("get_customer", f"customer_id=sdk_{name}_gone")["status"] == 404
            assert read("list_customer_messages", f"customer_id=sdk_{name}")["messages"]
        assert len(read("list_broadcast_triggers", "broadcast_id=10")["triggers"]) == 1
        print("ok get_customer, list_customer_messages and list_broadcast_triggers see what both did")
        run_the_docs(url, tls_url, trust, python, node_folder)
        for number in (1, 2, 3):
            assert read("get_customer", f"customer_id=u_{number}")["email"].endswith("@example.com")
        print("ok the lines of docs/sandbox.md")
        fresh, _ = said(stack.enter_context(serving(dict(os.environ))))
        print(f"ok {curl_the_brief(fresh)} curl commands of the brief, with only the host changed")


@contextmanager
def serving(environ: dict[str, str], *options: str) -> Iterator[subprocess.Popen[str]]:
    command = ["cio-mcp", "sandbox", "--port", "0", *options]
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


def run_the_docs(url: str, tls_url: str, trust: dict[str, str], python: str, node_folder: str) -> None:
    """Run what docs/sandbox.md shows, on other ports than there."""
    text = (HERE.parent.parent / "docs/sandbox.md").read_text()
    shown = dict(re.findall(r"<!-- (\w+) -->\n```\w+\n(.*?)```", text, re.DOTALL))
    commands = {"curl": ["bash", "-e"], "node": ["node", "-"], "python": [python, "-"]}
    assert shown.keys() == commands.keys()
    for name, text in shown.items():
        lines = text.replace("http://127.0.0.1:8080", url).replace("8443", tls_url.rpartition(":")[2])
        environ = os.environ | trust | {"NODE_PATH": f"{node_folder}/node_modules"}
        done = subprocess.run(
            commands[name], input=lines, env=environ, text=True, capture_output=True, check=True
        )
        assert done.stdout.strip(), done.stderr


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

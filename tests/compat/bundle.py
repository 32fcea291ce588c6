"""The desktop bundle validates, packs, and starts from another folder.

`python -m tests.compat.bundle NODE_FOLDER UV`.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "check", "version": "1"},
    },
}


def main(node_folder: str, uv: str) -> None:
    mcpb = f"{node_folder}/node_modules/.bin/mcpb"
    print(said(mcpb, "validate", str(ROOT / "manifest.json")).strip())
    with tempfile.TemporaryDirectory() as elsewhere:
        packed = f"{elsewhere}/cio-mcp.mcpb"
        print(said(mcpb, "pack", str(ROOT), packed).partition("Archive Details\n")[2].strip())
        ZipFile(packed).extractall(f"{elsewhere}/installed")
        blank = start(f"{elsewhere}/installed", uv, {})
        assert "embedded sandbox" in blank["instructions"], blank
        filled = start(f"{elsewhere}/installed", uv, {"app_api_key": "key", "region": "EU"})
        assert "live workspace (eu)" in filled["instructions"], filled
    print("ok the packed bundle starts from another folder, with its form blank and filled")


def start(bundle: str, uv: str, form: dict[str, str]) -> dict[str, Any]:
    """Start the bundle as a desktop client does: what is not filled in stays a placeholder."""
    config = json.loads(Path(bundle, "manifest.json").read_text())["server"]["mcp_config"]
    given = {f"${{user_config.{name}}}": value for name, value in form.items()}
    server = subprocess.Popen(
        [uv, *(argument.replace("${__dirname}", bundle) for argument in config["args"])],
        cwd="/",
        env=os.environ | {name: given.get(value, value) for name, value in config["env"].items()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    server.stdin.write(json.dumps(HELLO) + "\n")
    server.stdin.flush()
    answer: dict[str, Any] = json.loads(server.stdout.readline())["result"]
    server.stdin.close()
    assert server.wait(timeout=10) == 0
    return answer


def said(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


if __name__ == "__main__":
    main(*sys.argv[1:])

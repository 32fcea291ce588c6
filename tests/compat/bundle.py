"""The desktop bundle validates, packs, and starts from another folder: `python bundle.py NODE_FOLDER UV`."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]


def main(folder: str, uv: str) -> None:
    mcpb = f"{folder}/node_modules/.bin/mcpb"
    with tempfile.TemporaryDirectory() as elsewhere:
        subprocess.run([mcpb, "validate", ROOT / "manifest.json"], check=True)
        packed = Path(elsewhere) / "cio-mcp.mcpb"
        subprocess.run([mcpb, "pack", ROOT, packed], check=True)
        ZipFile(packed).extractall(elsewhere)
        (Path(elsewhere) / "work").mkdir()
        answer = start(elsewhere, uv)
    assert answer["result"]["serverInfo"]["name"] == "cio-mcp", answer
    print("ok the packed bundle starts from another folder")


def start(bundle: str, uv: str) -> dict[str, dict[str, dict[str, str]]]:
    """Start the bundle as a desktop client does, with every field of its form left blank."""
    config = json.loads(Path(bundle, "manifest.json").read_text())["server"]["mcp_config"]
    arguments = [argument.replace("${__dirname}", bundle) for argument in config["args"]]
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "check", "version": "1"},
        },
    }
    server = subprocess.Popen(
        [Path(uv).absolute(), *arguments],
        cwd=Path(bundle) / "work",
        env=os.environ | config["env"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    server.stdin.write(json.dumps(hello) + "\n")
    server.stdin.flush()
    line = server.stdout.readline()
    server.stdin.close()
    assert server.wait(timeout=10) == 0
    answer: dict[str, dict[str, dict[str, str]]] = json.loads(line)
    return answer


if __name__ == "__main__":
    main(*sys.argv[1:])

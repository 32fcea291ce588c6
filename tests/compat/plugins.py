"""The plugin passes the commands of the clients that validate one, and clients' files their own schemas.

`python -m tests.compat.plugins HOME_OF_THE_PROGRAMS`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cio_mcp.cli.clients import client_files
from cio_mcp.cli.clients.entry import DesiredEntry

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "plugins/customerio"
LOCAL = {"command": "/usr/bin/cio-mcp", "env": {"CIO_REGION": "eu"}}
REMOTE = {"url": "https://cio.example.com/mcp", "headers": {"Authorization": "Bearer x"}}

# Prints nothing where a schema takes all values, else what it finds wrong.
CHECK = """
const { readFileSync } = require('node:fs')
const [name, place, path] = process.argv.slice(1)
const load = async () => {
  const found = name === 'librechat' ? require('librechat-data-provider') : await import(place)
  const schema = name === 'librechat' ? found.MCPServersSchema : found.configYamlSchema
  for (const value of JSON.parse(readFileSync(path))) {
    const told = schema.safeParse(name === 'librechat' ? value.mcpServers : value)
    if (!told.success) console.log(JSON.stringify(told.error.issues))
  }
}
load()
"""


def main(home: str) -> None:
    for program in ("claude", "gemini"):
        command = f"{home}/{program}/node_modules/.bin/{program}"
        words = ["plugin"] if program == "claude" else ["extensions"]
        for folder in (PLUGIN, ROOT) if program == "claude" else (PLUGIN,):
            said(command, *words, "validate", str(folder))
            print(f"ok {program} takes {folder.relative_to(ROOT.parent)}")
    modules = Path(home, "forms/node_modules")
    place = modules / "@continuedev/config-yaml/dist/index.js"
    clients = client_files(Path("/home/x"), "linux", {})
    for name in ("librechat", "continue"):
        values: list[dict[str, Any]] = [DesiredEntry(entry).alone(clients[name]) for entry in (LOCAL, REMOTE)]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(json.dumps(values))
            file.flush()
            wrong = said("node", "-e", CHECK, name, str(place), file.name, cwd=str(modules.parent))
        assert not wrong.strip(), wrong
        print(f"ok the schema of {name} takes what is written for it")


def said(*command: str, cwd: str | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1])

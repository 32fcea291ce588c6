"""Agent frameworks list and call the tools, by the very snippets that docs show.

`python -m tests.compat.frameworks FOLDER`: there each has an environment of its own; `cio-mcp` and `node` are
on the PATH.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.compat.serving import serving

PACKAGES = {
    "langchain_adapters": "langchain-mcp-adapters",
    "openai_agents": "openai-agents",
    "pydantic_ai_toolset": "pydantic-ai-slim",
    "first_sdk": "mcp",
    "typescript_sdk": "@modelcontextprotocol/sdk",
}
REMOTE = ("langchain_adapters", "openai_agents", "pydantic_ai_toolset", "typescript_sdk")
CLIENTS = Path(__file__).parent / "clients"


class Frameworks:
    """Frameworks in their environments, and what they must see: the `tools` that are on, and a customer."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._tools = [tool["name"] for tool in json.loads(said("cio-mcp", "tools", "--json")) if tool["on"]]

    def run(self, name: str, over: str, script: str, **environ: str) -> None:
        """Run a framework's script, and say that it did what it should."""
        folder, package = self._folder / name, PACKAGES[name]
        if (modules := folder / "node_modules").exists():
            # A module finds its packages from where it lies.
            copy = shutil.copy(CLIENTS / f"{script}.mjs", folder)
            printed = said("node", str(copy), **environ)
            version = json.loads((modules / package / "package.json").read_text())["version"]
        else:
            python = str(folder / "bin" / "python")
            printed = said(python, str(CLIENTS / f"{script}.py"), **environ)
            version = said(python, "-c", f"import importlib.metadata as m; print(m.version('{package}'))")
        assert printed.split("\n", 1)[0].split() == self._tools, printed
        assert "ada@example.com" in printed, printed
        what = f"{len(self._tools)} tools listed, one called"
        print(f"ok {package} {version.strip()} over {over}: {what}")


def main(folder: str) -> None:
    frameworks = Frameworks(folder)
    for name in PACKAGES:
        frameworks.run(name, "stdio", name)
    with tempfile.TemporaryDirectory() as secrets:
        tokens = f"{secrets}/tokens.json"
        token = said("cio-mcp", "token", "--file", tokens, "add", "agents").strip()
        # So slow a limit that all calls but the first wait longer than the 5 s after which clients like to
        # give up.
        with serving(CIO_TOKENS_FILE=tokens, CIO_APP_RATE="0.1", CIO_SHARED_PACE="off") as address:
            for path, over in (("/mcp", "Streamable HTTP"), ("/sse", "SSE")):
                for name in REMOTE:
                    url = address + path
                    frameworks.run(name, over, f"{name}_remote", CIO_MCP_URL=url, CIO_MCP_TOKEN=token)


def said(*command: str, **environ: str) -> str:
    return subprocess.run(
        command, env=os.environ | environ, stdout=subprocess.PIPE, check=True, text=True
    ).stdout


if __name__ == "__main__":
    main(*sys.argv[1:])

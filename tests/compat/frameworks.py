"""Agent frameworks list and call the tools over stdio, by the very snippets that README shows.

`python -m tests.compat.frameworks FOLDER`: there each has a virtual environment of its own; `cio-mcp` is on
the PATH.
"""

import json
import subprocess
import sys
from pathlib import Path

PACKAGES = {
    "langchain_adapters": "langchain-mcp-adapters",
    "openai_agents": "openai-agents",
    "pydantic_ai_toolset": "pydantic-ai-slim",
    "first_sdk": "mcp",
}


def main(folder: str) -> None:
    names = [tool["name"] for tool in json.loads(said("cio-mcp", "tools", "--json")) if tool["on"]]
    for name, package in PACKAGES.items():
        python = str(Path(folder, name, "bin", "python"))
        printed = said(python, str(Path(__file__).parent / "clients" / f"{name}.py"))
        assert printed.split("\n", 1)[0].split() == names, printed
        assert "ada@example.com" in printed, printed
        version = said(python, "-c", f"import importlib.metadata as m; print(m.version('{package}'))").strip()
        print(f"ok {package} {version}: {len(names)} tools listed, one called")


def said(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


if __name__ == "__main__":
    main(*sys.argv[1:])

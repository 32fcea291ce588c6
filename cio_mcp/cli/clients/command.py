"""The command by which a client starts this program."""

import json
import shutil
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cio_mcp import __version__

# Folders in which uv keeps what it may delete at any time.
PASSING = {"archive-v0", "builds-v0", "environments-v2"}


def start_command() -> dict[str, Any]:
    """Return the command of an entry, by its full path: clients have another PATH than a shell.

    Where `uvx` made the environment for this run alone, the entry starts `uvx`.
    """
    if PASSING & set(Path(sys.prefix).parts) and (runner := shutil.which("uvx")):
        return {"command": runner, "args": ["--from", _source(), "cio-mcp"]}
    command = shutil.which("cio-mcp", path=str(Path(sys.executable).parent)) or shutil.which("cio-mcp")
    return {"command": command} if command else {"command": sys.executable, "args": ["-m", "cio_mcp"]}


def _source() -> str:
    """Return what was installed: the wheel or folder that it came from, or this version."""
    told = json.loads(distribution("cio-mcp").read_text("direct_url.json") or "{}")
    address = urlsplit(told.get("url", ""))
    return unquote(address.path) if address.scheme == "file" else f"cio-mcp=={__version__}"

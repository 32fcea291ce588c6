"""MCP clients: where each keeps its servers, and in which form."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cio_mcp.cli.clients.shape import EntryShape

NAME = "customerio"


@dataclass(frozen=True)
class ClientFile:
    """Where an MCP client keeps its servers, under which key, and how it writes one.

    A client with `inputs` asks people for keys itself, and keeps them out of the file. Where servers are
    `listed` each holds its name. `new` is what a file needs besides.
    """

    title: str
    path: Path
    key: str = "mcpServers"
    shape: EntryShape = field(default_factory=EntryShape)
    inputs: bool = False
    listed: bool = False
    new: Mapping[str, Any] = field(default_factory=dict)


def clients() -> Mapping[str, ClientFile]:
    """Return the clients by name, for this user and this folder."""
    return client_files(Path.home(), sys.platform, os.environ)


def client_files(home: Path, system: str, environ: Mapping[str, str]) -> Mapping[str, ClientFile]:
    """Return the clients by name; `system` is `sys.platform`. tests/cli/client_forms.json has the sources."""
    roaming = Path(environ.get("APPDATA") or home / "AppData/Roaming")
    support = home / "Library/Application Support"
    config = home / ".config"
    programs = {"darwin": support, "win32": roaming}.get(system, config)
    windows = system == "win32"
    cline = "Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"
    return {
        "claude-desktop": ClientFile(
            "Claude Desktop", programs / "Claude/claude_desktop_config.json", shape=EntryShape(remote=None)
        ),
        "claude-code": ClientFile(
            "Claude Code", Path(".mcp.json"), shape=EntryShape(remote={"type": "http"})
        ),
        "cursor": ClientFile("Cursor", home / ".cursor/mcp.json"),
        "vscode": ClientFile(
            "VS Code",
            Path(".vscode/mcp.json"),
            "servers",
            EntryShape({"type": "stdio"}, {"type": "http"}),
            inputs=True,
        ),
        "windsurf": ClientFile(
            "Windsurf",
            home / ".codeium/windsurf/mcp_config.json",
            shape=EntryShape(names={"url": "serverUrl"}),
        ),
        "codex": ClientFile(
            "Codex",
            Path(environ.get("CODEX_HOME") or home / ".codex") / "config.toml",
            "mcp_servers",
            EntryShape(names={"headers": "http_headers"}),
        ),
        "gemini": ClientFile(
            "Gemini CLI", home / ".gemini/settings.json", shape=EntryShape(names={"url": "httpUrl"})
        ),
        "zed": ClientFile(
            "Zed", (roaming / "Zed" if windows else config / "zed") / "settings.json", "context_servers"
        ),
        "cline": ClientFile("Cline", programs / cline, shape=EntryShape(remote={"type": "streamableHttp"})),
        "continue": ClientFile(
            "Continue",
            home / ".continue/config.yaml",
            shape=EntryShape(
                {"type": "stdio"}, {"type": "streamable-http"}, {"headers": "requestOptions.headers"}
            ),
            listed=True,
            new={"name": "Local Config", "version": "1.0.0", "schema": "v1"},
        ),
        "goose": ClientFile(
            "Goose",
            (roaming / "Block/goose/config" if windows else config / "goose") / "config.yaml",
            "extensions",
            EntryShape(
                _GOOSE | {"type": "stdio", "args": []},
                _GOOSE | {"type": "streamable_http"},
                {"command": "cmd", "env": "envs", "url": "uri"},
            ),
        ),
        "librechat": ClientFile(
            "LibreChat",
            Path("librechat.yaml"),
            shape=EntryShape({"type": "stdio", "args": []}, {"type": "streamable-http"}),
            new={"version": "1.3.1"},
        ),
    }


_GOOSE = {
    "name": NAME,
    "description": "Customer.io: customers, events, campaigns, messages",
    "enabled": True,
    "timeout": 300,
}

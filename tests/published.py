"""Files by which others find and install the server: the registry's entry, plugins, skills, install links.

All follow from the package: its settings, prompts and tools, and the one address in pyproject.toml.
"""

import base64
import json
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from cio_mcp import __version__
from cio_mcp.server.guides import PROMPTS
from cio_mcp.server.guides.prompts import Prompt
from cio_mcp.settings import variables

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ADDRESS: str = PYPROJECT["tool"]["cio-mcp"]["address"]

TITLE = "Customer.io"
SUMMARY = "Operate a Customer.io workspace: customers, events, campaigns, broadcasts, email."
KEYS = ("CIO_SITE_ID", "CIO_TRACK_API_KEY", "CIO_APP_API_KEY")
CHOSEN = (*KEYS, "CIO_REGION", "CIO_PERMISSIONS", "CIO_ALLOWED_RECIPIENTS")
PLUGIN = Path("plugins/customerio")


def registry_name() -> str:
    """Return the server's name in the registry: the namespace of whoever owns the address."""
    owner = urlsplit(ADDRESS).path.strip("/").partition("/")[0]
    return f"io.github.{owner}/cio-mcp" if owner else "com.example/cio-mcp"


def server_json() -> dict[str, Any]:
    """Return the entry for the MCP registry."""
    repository = {"repository": {"url": ADDRESS, "source": "github"}} if ADDRESS else {}
    package = {
        "registryType": "pypi",
        "identifier": "cio-mcp",
        "version": __version__,
        "runtimeHint": "uvx",
        "transport": {"type": "stdio"},
        "environmentVariables": [_variable(name) for name in CHOSEN],
    }
    return {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": registry_name(),
        "title": TITLE,
        "description": SUMMARY,
        "version": __version__,
        **repository,
        "packages": [package],
    }


def _variable(name: str) -> dict[str, Any]:
    about: dict[str, Any] = {"name": name, "description": variables()[name], "isRequired": False}
    if name in KEYS:
        about["isSecret"] = True
    if name == "CIO_REGION":
        about |= {"choices": ["us", "eu"], "default": "us"}
    return about


def skill(prompt: Prompt) -> str:
    """Return a prompt as a skill: its steps, with what to ask for first."""
    blanks = {name: f"[{name}]" for name, (_, required) in prompt.arguments.items() if required}
    asks = "\n".join(
        f"- {name}: {about}{'' if required else ' (if the person names it)'}"
        for name, (about, required) in prompt.arguments.items()
    )
    first = f"Find out first, and ask for what was not said:\n\n{asks}\n\n" if asks else ""
    text = prompt.function(**blanks).strip()
    about = f"{prompt.description} Use it with the tools of the MCP server customerio."
    return f"---\nname: {skill_name(prompt)}\ndescription: {json.dumps(about)}\n---\n\n{first}{text}\n"


def skill_name(prompt: Prompt) -> str:
    """Return the name of a prompt's skill."""
    return prompt.name.replace("_", "-")


def plugin_files() -> dict[Path, str]:
    """Return the files of the plugin for Claude Code, Codex and Gemini CLI, which share the skills."""
    about = {"name": "customerio", "version": __version__, "description": SUMMARY}
    named = {"author": {"name": "The cio-mcp developers"}, "license": "MIT"}
    named |= {"repository": ADDRESS} if ADDRESS else {}
    claude_env = {name: f"${{{name}:-}}" for name in CHOSEN}
    settings = [
        {"name": name, "description": variables()[name], "envVar": name, "sensitive": name in KEYS}
        for name in CHOSEN
    ]
    server = {"command": "cio-mcp", "args": []}
    texts: dict[Path, Any] = {
        Path(".claude-plugin/marketplace.json"): {
            "name": "cio-mcp",
            "description": "The MCP server for Customer.io, with its skills.",
            "owner": {"name": "The cio-mcp developers"},
            "plugins": [
                {
                    "name": "customerio",
                    "source": f"./{PLUGIN}",
                    "description": SUMMARY,
                    "version": __version__,
                }
            ],
        },
        PLUGIN / ".claude-plugin/plugin.json": about | named,
        PLUGIN / ".codex-plugin/plugin.json": about
        | named
        | {"skills": "./skills/", "mcpServers": "./.mcp.json"},
        PLUGIN / ".mcp.json": {"mcpServers": {"customerio": server | {"env": claude_env}}},
        PLUGIN / "gemini-extension.json": about
        | {"mcpServers": {"customerio": server}, "settings": settings},
    }
    skills = {PLUGIN / f"skills/{skill_name(prompt)}/SKILL.md": skill(prompt) for prompt in PROMPTS}
    return {ROOT / path: as_json(value) for path, value in texts.items()} | {
        ROOT / path: text for path, text in skills.items()
    }


def as_json(value: Any) -> str:
    """Return a value as these files have it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def links() -> dict[str, str]:
    """Return the links that add the server to a client, which fetches it with uvx."""
    config = {"command": "uvx", "args": ["cio-mcp"]}
    text = json.dumps(config, separators=(",", ":"))
    encoded = quote(base64.b64encode(text.encode()).decode(), safe="")
    named = quote(json.dumps({"name": "customerio", **config}, separators=(",", ":")), safe="")
    about = quote("Customer.io", safe="")
    return {
        "Cursor": f"https://cursor.com/en/install-mcp?name=customerio&config={encoded}",
        "VS Code": f"https://vscode.dev/redirect/mcp/install?name=customerio&config={quote(text, safe='')}",
        "VS Code (direct)": f"vscode:mcp/install?{named}",
        "Goose": f"goose://extension?cmd=uvx&arg=cio-mcp&id=customerio&name={about}&description={about}",
        "LM Studio": f"lmstudio://add_mcp?name=customerio&config={encoded}",
    }


def links_list() -> str:
    """Return the links as a list for the docs."""
    return "\n".join(f"- [{name}]({link})" for name, link in links().items())


def documents() -> dict[Path, str]:
    """Return all these files, as they should read."""
    return {ROOT / "server.json": as_json(server_json()), **plugin_files()}


def stale() -> list[Path]:
    """Return the skills that are there and follow from no prompt any more."""
    return [path for path in (ROOT / PLUGIN).glob("skills/*/SKILL.md") if path not in plugin_files()]

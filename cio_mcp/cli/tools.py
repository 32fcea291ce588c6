"""`cio-mcp tools`: what is on, and what is off and why."""

import argparse
import json
import sys
from typing import Any

from cio_mcp.app.extensions import tools_with
from cio_mcp.app.workspace import tools_off
from cio_mcp.settings import Settings, load
from cio_mcp.settings.workspaces import each


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take how to print them."""
    parser.add_argument("--json", action="store_true", help="print them with their schemas as JSON")


def run(asked: argparse.Namespace) -> int:
    """Print the tools, of each workspace; returns 0."""
    listed: list[dict[str, Any]] = []
    for name, settings in each(load()).items():
        tools = _listed(settings)
        listed += [{"workspace": name} | tool for tool in tools] if name else tools
        if not asked.json:
            _print(name, settings, tools)
    if asked.json:
        sys.stdout.write(json.dumps(listed, indent=2, ensure_ascii=False) + "\n")
    return 0


def _listed(settings: Settings) -> list[dict[str, Any]]:
    tools = tools_with(settings.toolsets)
    off = tools_off(settings, tools)
    return [
        {
            "name": settings.tool_prefix + tool.name,
            "toolset": tool.toolset,
            "effect": str(tool.effect),
            "on": tool.name not in off,
            **({"why_off": off[tool.name]} if tool.name in off else {}),
            "summary": tool.summary,
            "description": tool.description,
            "input_schema": tool.input_schema,
            "output_schema": tool.output_schema,
        }
        for tool in tools
    ]


def _print(name: str, settings: Settings, tools: list[dict[str, Any]]) -> None:
    width = max(len(tool["name"]) for tool in tools)
    for tool in tools:
        note = tool["summary"] if tool["on"] else f"off: {tool['why_off']}"
        sys.stdout.write(f"{tool['name']:<{width}}  {tool['effect']:<7}  {note}\n")
    where = "the embedded sandbox" if settings.uses_sandbox else f"a live workspace ({settings.region})"
    on = sum(tool["on"] for tool in tools)
    in_ = f"{name}: " if name else ""
    sys.stdout.write(f"\n{in_}{on} on, {len(tools) - on} off, on {where}.\n")

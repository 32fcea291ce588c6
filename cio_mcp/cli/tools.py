"""`cio-mcp tools`: what is on, and what is off and why."""

import argparse
import json
import sys
from typing import Any

from cio_mcp.settings import load
from cio_mcp.tools import TOOLS
from cio_mcp.workspace import choose


def run(asked: argparse.Namespace) -> int:
    """Print the tools; returns 0."""
    settings = load()
    _, off = choose(settings)
    listed: list[dict[str, Any]] = [
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
        for tool in TOOLS
    ]
    if asked.json:
        sys.stdout.write(json.dumps(listed, indent=2, ensure_ascii=False) + "\n")
        return 0
    width = max(len(tool["name"]) for tool in listed)
    for tool in listed:
        note = tool["summary"] if tool["on"] else f"off: {tool['why_off']}"
        sys.stdout.write(f"{tool['name']:<{width}}  {tool['effect']:<7}  {note}\n")
    where = "the embedded sandbox" if settings.uses_sandbox else f"a live workspace ({settings.region})"
    sys.stdout.write(f"\n{len(listed) - len(off)} on, {len(off)} off, on {where}.\n")
    return 0

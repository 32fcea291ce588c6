"""`cio-mcp tools`: what is on, and what is off and why."""

import argparse
import json
import sys
from typing import Any

from cio_mcp.app.extensions import tools_of
from cio_mcp.app.workspace import tools_off
from cio_mcp.cli.table import pairs, wrapped_lines
from cio_mcp.errors import SettingsError
from cio_mcp.settings import Settings, load
from cio_mcp.settings.workspaces import each
from cio_mcp.toolkit.arguments.parsing import near_miss

# What the types of schemas are called in the help.
TYPES = {"string": "text", "integer": "whole number", "boolean": "true or false", "array": "list"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take how to print them."""
    parser.description = (
        "List the tools that are on, and those that are off and why; or show one with its arguments."
    )
    parser.add_argument("tool", nargs="?", help="show this tool with its arguments")
    parser.add_argument("--json", action="store_true", help="print them with their schemas as JSON")


def run(asked: argparse.Namespace) -> int:
    """Print the tools, or one of them, of each workspace; returns 0."""
    if asked.tool and not asked.json:
        show_tool(asked.tool)
        return 0
    listed: list[dict[str, Any]] = []
    for name, settings in each(load()).items():
        tools = _listed(settings)
        if asked.tool:
            tools = [_found(asked.tool, tools)]
        listed += [{"workspace": name} | tool for tool in tools] if name else tools
        if not asked.json:
            _print(name, settings, tools)
    if asked.json:
        sys.stdout.write(json.dumps(listed, indent=2, ensure_ascii=False) + "\n")
    return 0


def show_tool(name: str) -> None:
    """Print a tool with its arguments; raises SettingsError if there is none of that name."""
    workspaces = {place: _found(name, _listed(settings)) for place, settings in each(load()).items()}
    tool = next(iter(workspaces.values()))
    schema = tool["input_schema"]
    required = schema.get("required", [])
    choice = {"workspace": f"required: {', '.join(workspaces)}"} if len(workspaces) > 1 else {}
    arguments = {
        argument: _argument(about, required=argument in required)
        for argument, about in schema["properties"].items()
    }
    sys.stdout.write(f"{name} {tool['effect']} (toolset {tool['toolset']})\n")
    for place, found in workspaces.items():
        if not found["on"]:
            where = f" in {place}" if place else ""
            sys.stdout.write(wrapped_lines(f"It is off{where}: {found['why_off']}.") + "\n")
    sys.stdout.write(f"\n{wrapped_lines(tool['description'])}\n\n")
    sys.stdout.write(pairs(choice | arguments) or "It takes no arguments.\n")
    example = " ".join(f"{argument}=…" for argument in (*choice, *required))
    sys.stdout.write(f"\ncio-mcp call {name} {example}".rstrip() + "\n")


def _argument(about: dict[str, Any], *, required: bool) -> str:
    kind = str(about.get("type", "any value"))
    words = ", ".join(map(str, about["enum"])) if "enum" in about else TYPES.get(kind, kind)
    default = f"; default {json.dumps(about['default'])}" if about.get("default") is not None else ""
    told = f"{words}{'; required' if required else default}."
    return f"{told} {' '.join(about.get('description', '').split())}".strip()


def _found(name: str, tools: list[dict[str, Any]]) -> dict[str, Any]:
    known = {tool["name"]: tool for tool in tools}
    if name not in known:
        hint = near_miss(name, known) or "cio-mcp tools lists all of them"
        raise SettingsError(f"{name}: there is no such tool; {hint}")
    return known[name]


def _listed(settings: Settings) -> list[dict[str, Any]]:
    tools = tools_of([settings])
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
    space = max(len(tool["name"]) for tool in tools)
    for tool in tools:
        note = tool["summary"] if tool["on"] else f"off: {tool['why_off']}"
        sys.stdout.write(f"{tool['name']:<{space}}  {tool['effect']:<7}  {note}\n")
    where = "the embedded sandbox" if settings.uses_sandbox else f"a live workspace ({settings.region})"
    on = sum(tool["on"] for tool in tools)
    in_ = f"{name}: " if name else ""
    sys.stdout.write(f"\n{in_}{on} on, {len(tools) - on} off, on {where}.\n")

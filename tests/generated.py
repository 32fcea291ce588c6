"""What is listed twice is written once: the tables in docs/, the bundle's tool list, the schema snapshot.

`python -m tests.generated` (part of `make fix`) writes them; a test compares them.
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from cio_mcp.limits import LIMITS
from cio_mcp.sandbox.assumptions import every as every_assumption
from cio_mcp.server.guides import PROMPTS, RESOURCES, TEMPLATES
from cio_mcp.settings import Settings, variable
from cio_mcp.settings.scopes import RequestSettings, TokenSettings, WorkspaceIdentity, WorkspaceSettings
from cio_mcp.toolkit.core import CORE
from cio_mcp.toolkit.people.consequences import CONFIRMED, IN_WORDS, Consequence
from cio_mcp.toolkit.registry import Tool
from cio_mcp.tools import NAMES
from cio_mcp.tools.every import SANDBOX_TOOLS, TOOLS
from tests import published, reference

ROOT = Path(__file__).parent.parent

# Scripts that docs/frameworks/ shows whole, as `make compat` runs them.
CLIENTS = ROOT / "tests" / "compat" / "clients"
FRAMEWORKS = [
    CLIENTS / f"{name}{where}{kind}"
    for name, kind in (
        ("langchain_adapters", ".py"),
        ("openai_agents", ".py"),
        ("pydantic_ai_toolset", ".py"),
        ("typescript_sdk", ".mjs"),
    )
    for where in ("", "_remote")
]
LANGUAGES = {".py": "python", ".mjs": "js"}


PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

# For what less than the whole process a setting can be set.
SCOPES = {
    "workspace": {**WorkspaceIdentity.model_fields, **WorkspaceSettings.model_fields},
    "token": TokenSettings.model_fields,
    "request": RequestSettings.model_fields,
}


def documents() -> dict[Path, str]:
    """Return each document that holds generated parts, as it should read."""
    parts = {
        "tools": _tools_table(),
        "prompts": _prompts_list(),
        "limits": _limits_table(),
        "settings": _settings_table(),
        "consequences": _consequences_table(),
        "assumptions": _assumptions_table(),
        "links": published.links_list(),
        "registry": f"<!-- mcp-name: {published.registry_name()} -->",
        **{file.stem: f"```{LANGUAGES[file.suffix]}\n{file.read_text()}```" for file in FRAMEWORKS},
    }
    manifest = ROOT / "manifest.json"
    bundle = json.loads(manifest.read_text())
    bundle["tools"] = [{"name": tool.name, "description": tool.summary} for tool in TOOLS]
    bundle |= {"repository": {"type": "git", "url": published.ADDRESS}} if published.ADDRESS else {}
    return {
        **{page: _with_parts(page.read_text(), parts) for page in PAGES},
        manifest: published.as_json(bundle),
        **published.documents(),
        **reference.documents(),
        NAMES: json.dumps(_names(), indent=1) + "\n",
        ROOT / "tests" / "tools.json": json.dumps(list(map(_contract, TOOLS)), indent=2, ensure_ascii=False)
        + "\n",
    }


def _names() -> dict[str, list[str]]:
    """Return the names of our tools by toolset."""
    names: dict[str, list[str]] = {}
    for tool in (*TOOLS, *SANDBOX_TOOLS):
        names.setdefault(tool.toolset, []).append(tool.name)
    return names


def _assumptions_table() -> str:
    head = "| number | name | why so | what it follows from |\n| --- | --- | --- | --- |\n"
    return head + "\n".join(
        f"| {one.number} | {one.name} | {one.reason} | {one.source or 'none'} |"
        for one in every_assumption()
        if f"- **{one.name}**: " in (ROOT / "docs/sandbox.md").read_text()
    )


def _with_parts(text: str, parts: dict[str, str]) -> str:
    """Return `text` with each part between the two marks of its name."""
    return re.sub(
        r"(<!-- (\w+) -->\n).*?(<!-- /\2 -->)",
        lambda marks: f"{marks[1]}{parts[marks[2]]}\n{marks[3]}",
        text,
        flags=re.DOTALL,
    )


def _tools_table() -> str:
    rows = []
    for tool in TOOLS:
        sets = f"{tool.toolset}, core" if tool.name in CORE else tool.toolset
        rows.append(f"| `{tool.name}` | {sets} | {tool.effect} | {tool.summary} |")
    return "\n".join(("| tool | toolsets | effect | what it does |", "| --- | --- | --- | --- |", *rows))


def _consequences_table() -> str:
    rows = []
    for each in Consequence:
        tools = ", ".join(f"`{tool.name}`" for tool in TOOLS if each in tool.affects.consequences)
        when = "always" if each in CONFIRMED else f"with `CIO_CONFIRM_ALSO={each}`"
        if tools:
            rows.append(f"| {IN_WORDS[each]} | {tools} | {when} |")
    return "\n".join(("| what can come of it | tools | confirmed |", "| --- | --- | --- |", *rows))


def _prompts_list() -> str:
    prompts = [
        f"- `{prompt.name}` ({', '.join(prompt.arguments)}): {prompt.description}" for prompt in PROMPTS
    ]
    uris = [found.uri for found in RESOURCES] + [found.uri for found in TEMPLATES]
    texts = ", ".join(f"`{uri}`" for uri in uris)
    return "\n".join((*prompts, f"- resources: {texts}"))


def _settings_table() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        value = ",".join(field.default) if isinstance(field.default, tuple) else field.default
        value = str(value).lower() if isinstance(value, bool) else value
        default = "" if value in {None, ""} else f"`{value}`"
        scopes = ", ".join(scope for scope, fields in SCOPES.items() if name in fields)
        rows.append(f"| `{variable(name)}` | {default} | {scopes} | {field.description} |")
    return "\n".join(("| variable | default | also for a | what it is |", "| --- | --- | --- | --- |", *rows))


def _limits_table() -> str:
    rows = [
        f"| {limit.purpose} | {limit} | {f'`{variable(limit.setting)}`' if limit.setting else ''} |"
        for limit in LIMITS
    ]
    return "\n".join(("| what | Customer.io's limit | setting |", "| --- | --- | --- |", *rows))


def _contract(tool: Tool) -> dict[str, object]:
    return {
        "name": tool.name,
        "title": tool.title,
        "effect": tool.effect,
        "description": tool.description,
        "inputSchema": tool.input_schema,
        "outputSchema": tool.output_schema,
    }


def visible_bytes(tools: Iterable[Tool]) -> int:
    """Return how much of a tool list the model sees: names, descriptions and input schemas."""
    seen = [
        {"name": tool.name, "description": tool.description, "inputSchema": tool.input_schema}
        for tool in tools
    ]
    return len(json.dumps(seen, separators=(",", ":"), ensure_ascii=False).encode())


if __name__ == "__main__":
    for path in published.stale():
        path.unlink()
    for path, text in documents().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    default = visible_bytes(tool for tool in TOOLS if tool.name in CORE)
    sys.stdout.write(f"the model sees {default} bytes of the default tools, {visible_bytes(TOOLS)} of all\n")

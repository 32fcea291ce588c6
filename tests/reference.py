"""Pages of the docs that follow from the code: each toolset's tools, each client's entry."""

import json
import shlex
import textwrap
from pathlib import Path
from typing import Any

from cio_mcp.cli.clients import ClientFile, client_files
from cio_mcp.cli.clients.entry import DesiredEntry
from cio_mcp.cli.clients.texts import FORMS, file_text
from cio_mcp.toolkit.core import CORE
from cio_mcp.toolkit.people.consequences import CONFIRMED, IN_WORDS
from cio_mcp.toolkit.registry import Tool
from cio_mcp.tools.every import TOOLS
from tests.test_outcomes import ACTS

ROOT = Path(__file__).parent.parent
SYSTEMS = {"macOS": ("darwin", "~"), "Linux": ("linux", "~"), "Windows": ("win32", "%USERPROFILE%")}

ENDS = {
    "reads": "returns the data",
    "writes": "ends as `accepted`",
    "deletes": "ends as `preview`, and with its code `accepted`",
    "sends": "ends as `queued` or `triggered`, after a `preview` where it reaches more than one person",
}

# What somebody should know of a client besides its file.
NOTES = json.loads(Path(__file__).with_name("client_notes.json").read_text())


def documents() -> dict[Path, str]:
    """Return these pages, as they should read."""
    toolsets: dict[str, list[Tool]] = {}
    for tool in TOOLS:
        toolsets.setdefault(tool.toolset, []).append(tool)
    pages = {f"reference/{name}.md": toolset_page(name, tools) for name, tools in toolsets.items()}
    pages["reference/index.md"] = "\n".join(
        (
            "# Tools in full\n",
            "Each tool with its arguments, how a call ends, and an example. [Tools](../tools.md) says what",
            "is on, how arguments are read, and what an answer means.\n",
            *(
                f"- [{_title(name)}]({name}.md): {', '.join(f'`{tool.name}`' for tool in tools)}"
                for name, tools in toolsets.items()
            ),
            "",
        )
    )
    pages |= {f"clients/{name}.md": client_page(name) for name in client_files(Path("~"), "linux", {})}
    return {ROOT / "docs" / path: text for path, text in pages.items()}


def toolset_page(name: str, tools: list[Tool]) -> str:
    """Return the page of a toolset."""
    return f"# {_title(name)}\n\n" + "\n".join(map(_tool, tools))


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _tool(tool: Tool) -> str:
    required = tool.input_schema.get("required", [])
    rows = [
        f"| `{name}` | {_kind(about)} | {'required' if name in required else _default(about)} | "
        f"{_cell(about.get('description', ''))} |"
        for name, about in tool.input_schema["properties"].items()
    ]
    table = "\n".join(("| argument | type | default | what it is |", "| --- | --- | --- | --- |", *rows, ""))
    on = "on by default" if tool.name in CORE else f"off by default: `CIO_TOOLSETS=core,{tool.toolset}`"
    return (
        f"## {tool.name}\n\n*{tool.effect}*, {on}.\n\n{tool.description}\n\n"
        f"{table if rows else 'It takes no arguments.'}\n{_ends(tool)}\n\n```bash\n{_example(tool)}\n```\n"
    )


def _ends(tool: Tool) -> str:
    """Return how a call of a tool can end."""
    known = tool.affects.consequences
    ends = [f"A good call {ENDS[str(tool.effect)]}."]
    if always := [IN_WORDS[each] for each in known if each in CONFIRMED]:
        ends.append(f"Previewed and confirmed first: {', '.join(always)}.")
    if others := [f"`{each}`" for each in known if each not in CONFIRMED]:
        ends.append(f"With `CIO_CONFIRM_ALSO={others[0].strip('`')}` it is confirmed, too.")
    ends.append("It can end as `refused` or `not_sent`, with the reason and what to do next")
    last = ", and as `unknown` where no usable answer came back." if tool.effect != "reads" else "."
    return _filled(" ".join(ends) + last)


def _filled(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _example(tool: Tool) -> str:
    arguments = ACTS[tool.name].arguments if tool.name in ACTS else {}
    words = [
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in arguments.items()
    ]
    given = [shlex.quote(word) for word in words]
    missing = [f"{name}=…" for name in tool.input_schema.get("required", []) if name not in arguments]
    return " ".join(("cio-mcp call", tool.name, *given, *missing))


def _kind(about: dict[str, Any]) -> str:
    if "enum" in about:
        return ", ".join(f"`{word}`" for word in about["enum"])
    return str(about.get("type", "any"))


def _default(about: dict[str, Any]) -> str:
    return f"`{json.dumps(about['default'])}`" if about.get("default") not in {None, ""} else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def client_page(name: str) -> str:
    """Return the page of a client."""
    found = {title: client_files(Path(home), system, {})[name] for title, (system, home) in SYSTEMS.items()}
    client = found["Linux"]
    kind = FORMS[client.path.suffix].lower()
    env = {"CIO_APP_API_KEY_FILE": "/home/you/.config/cio-mcp/keys/app_api_key", "CIO_REGION": "us"}
    local = file_text(
        client, DesiredEntry({"command": "/home/you/.local/bin/cio-mcp", "env": env}).alone(client)
    )
    return (
        f"# {client.title}\n\n```bash\ncio-mcp setup {name}     # asks, verifies, writes, starts it once\n"
        f"cio-mcp doctor {name}    # the same checks later\n```\n\n{_filled(NOTES[name])}\n\n"
        f"## The file\n\n{_paths(found)}\n\n```{kind}\n{local}```\n{_elsewhere(name, client, kind)}"
    )


def _paths(found: dict[str, ClientFile]) -> str:
    paths = {title: str(client.path).replace("\\", "/") for title, client in found.items()}
    if len(set(paths.values())) == 1:
        return f"`{paths['Linux']}` in the project's folder"
    return "\n".join(f"- {title}: `{path}`" for title, path in paths.items())


def _elsewhere(name: str, client: ClientFile, kind: str) -> str:
    if client.shape.remote is None:
        return ""
    entry = {"url": "https://cio.example.com/mcp", "headers": {"Authorization": "Bearer …"}}
    remote = file_text(client, DesiredEntry(entry).alone(client))
    command = f"cio-mcp config {name} --url https://cio.example.com/mcp --token - --write"
    return (
        f"\n## A team's server\n\nThe token is read from standard input, and goes into the file:\n\n"
        f"```bash\n{command}\n```\n\n```{kind}\n{remote}```\n"
    )

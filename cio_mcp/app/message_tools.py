"""Messages as tools of their own: those of the workspaces' files, and what they leave on of other tools."""

from collections.abc import Iterable, Sequence

from cio_mcp.errors import SettingsError
from cio_mcp.settings import Settings
from cio_mcp.toolkit.people.consequences import Consequence
from cio_mcp.toolkit.registry import Effect, Tool


def tools_of_files(workspaces: Sequence[Settings], others: Iterable[Tool]) -> list[Tool]:
    """Return the tools that the workspaces' files make; each name is that of one tool among all.

    Raises SettingsError for a file that is wrong.
    """
    found: list[Tool] = []
    known = {tool.name for tool in others}
    for path in dict.fromkeys(one.templates for one in workspaces if one.templates):
        from cio_mcp.tools.templates.file import read_file  # noqa: PLC0415 - few have such a file
        from cio_mcp.tools.templates.tool import tools_in  # noqa: PLC0415

        for tool in tools_in(read_file(path)):
            if tool.name in known:
                fault = f"{path}: [{tool.name}]: is the name of another tool; choose another name"
                raise SettingsError(f"CIO_TEMPLATES: {fault}")
            known.add(tool.name)
            found.append(tool)
    return found


def off_by_file(settings: Settings, tools: Sequence[Tool]) -> dict[str, str]:
    """Return what a file leaves off, and why: tools of other files, and other sends if it says so."""
    if all(tool.toolset != "templates" for tool in tools):
        return {}
    from cio_mcp.tools.templates.tool import MessageTool  # noqa: PLC0415 - as above

    made = {tool.name: tool for tool in tools if isinstance(tool, MessageTool)}
    own = {name: tool for name, tool in made.items() if tool.file.path == settings.templates}
    off = dict.fromkeys(made.keys() - own.keys(), "it belongs to another workspace (CIO_TEMPLATES)")
    if all(tool.file.generic_sends for tool in own.values()):
        return off
    why = f"CIO_TEMPLATES has generic_sends = false: send with {', '.join(own)}"
    return off | {tool.name: why for tool in tools if _sends_messages(tool) and tool.name not in made}


def _sends_messages(tool: Tool) -> bool:
    """Say whether a tool sends messages: a webhook gets data instead."""
    return tool.effect is Effect.SENDS and Consequence.WEBHOOKS not in tool.affects.consequences

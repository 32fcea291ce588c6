"""Toolsets and rules from other installed packages. They are off unless an operator names them.

A package offers them as entry points in the groups `cio_mcp.toolsets` (a `Toolbox`) and `cio_mcp.rules` (a
`Rule`). All bounds apply to their tools too. docs/extending.md has an example.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from cio_mcp.app.message_tools import tools_of_files
from cio_mcp.errors import SettingsError
from cio_mcp.safety.guard import Rule
from cio_mcp.safety.permissions import ALL, CORE
from cio_mcp.settings import Settings, variable
from cio_mcp.toolkit.registry import Tool, Toolbox

TOOLSETS, RULES = "cio_mcp.toolsets", "cio_mcp.rules"


def tools_of(workspaces: Sequence[Settings]) -> list[Tool]:
    """Return the tools of some workspaces, on or off; raises SettingsError for what cannot be used."""
    words = [word for one in workspaces for word in one.toolsets]
    tools = tools_with(words, sandbox=any(one.uses_sandbox for one in workspaces))
    return tools + tools_of_files(workspaces, tools)


def tools_with(words: Iterable[str], *, sandbox: bool = False) -> list[Tool]:
    """Return our tools and those of installed toolsets that `words`, from CIO_TOOLSETS, name.

    With `sandbox` there are those of a sandbox, too. An unknown word is left to `switched_off`. Raises
    SettingsError for a toolset that cannot be used.
    """
    from cio_mcp.tools.every import SANDBOX_TOOLS, TOOLS  # noqa: PLC0415 - a server starts sooner without

    tools = [*TOOLS, *(SANDBOX_TOOLS if sandbox else ())]
    ours = {ALL, CORE, *(tool.toolset for tool in tools)}
    for name in dict.fromkeys(word for word in words if word not in ours and not word.startswith("-")):
        if (found := _found(TOOLSETS, name)) is None:
            continue
        toolbox = _loaded(found, "toolsets", lambda it: isinstance(it, Toolbox) and it.toolset == found.name)
        known = {tool.name for tool in tools}
        if twice := [tool.name for tool in toolbox if tool.name in known]:
            raise _wrong("toolsets", name, f"has a tool {twice[0]}, as another toolset does")
        tools += toolbox
    return tools


def rules_named(names: Iterable[str]) -> list[Rule]:
    """Return the installed rules that CIO_RULES names; raises SettingsError for one that cannot be used."""
    rules: list[Rule] = []
    for name in names:
        if (found := _found(RULES, name)) is None:
            raise _wrong(
                "rules", name, f"is not installed: no package has an entry point of that name in {RULES}"
            )
        rules.append(_loaded(found, "rules", callable))
    return rules


def _found(group: str, name: str) -> EntryPoint | None:
    return next(iter(entry_points(group=group, name=name)), None)


def _loaded(found: EntryPoint, setting: str, fits: Callable[[Any], bool]) -> Any:
    try:
        it = found.load()
    except Exception as fault:
        raise _wrong(setting, found.name, f"cannot be loaded: {type(fault).__name__}") from fault
    if not fits(it):
        raise _wrong(setting, found.name, f"is not valid for {found.group}; see docs/extending.md")
    return it


def _wrong(setting: str, name: str, what: str) -> SettingsError:
    return SettingsError(f"{variable(setting)}: {name} {what}")

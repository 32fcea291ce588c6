"""Which tools are on, by effect, toolset and name."""

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from cio_mcp.errors import SettingsError
from cio_mcp.settings import variable
from cio_mcp.settings.scopes import RequestSettings
from cio_mcp.toolkit.registry import Effect, Tool

# The words of CIO_PERMISSIONS, and the effect that each permits.
PERMITS = {"read": Effect.READS, "write": Effect.WRITES, "delete": Effect.DELETES, "send": Effect.SENDS}

# Words for several toolsets: the default tools, and all tools.
CORE, ALL = "core", "all"


class UnknownWord(SettingsError):
    """An unknown word in a setting: `setting` is the field, and `fault` says what is wrong."""

    def __init__(self, setting: str, fault: str) -> None:
        super().__init__(f"{variable(setting)}: {fault}")
        self.setting, self.fault = setting, fault


def switched_off(
    tools: Iterable[Tool], core: Collection[str], words: RequestSettings, default: str = CORE
) -> dict[str, str]:
    """Return the names of the tools that these words leave off, and why.

    Toolsets and tools are allowed by name (tools also by pattern), and denied with a leading `-`; neither can
    exceed the permissions. `core` lists the tools that the word core stands for, and `default` is the toolset
    that is on if none is named. Raises UnknownWord.
    """
    tools = list(tools)
    for name in RequestSettings.model_fields:
        if name in words.model_fields_set and not getattr(words, name):
            return {tool.name: f"{variable(name)} is set and empty" for tool in tools}
    toolsets, patterns = words.toolsets, words.tools
    areas = {tool.toolset for tool in tools}
    _refuse_unknown("permissions", words.permissions, PERMITS)
    _refuse_unknown("toolsets", (name.removeprefix("-") for name in toolsets), {CORE, ALL, *areas})
    for pattern in patterns:
        if not any(fnmatchcase(tool.name, pattern.removeprefix("-")) for tool in tools):
            raise UnknownWord("tools", f"no tool is named {pattern.removeprefix('-')}; see cio-mcp tools")
    permitted = {PERMITS[name] for name in words.permissions}
    # Naming a tool turns it on: an operator who lists tools need not know their toolsets too.
    named = {pattern for pattern in patterns if not pattern.startswith("-")}
    if all(name.startswith("-") for name in toolsets):
        toolsets = (*toolsets, ALL if named else default)
    off: dict[str, str] = {}
    for tool in tools:
        if tool.effect not in permitted:
            off[tool.name] = f"it {tool.effect}, and CIO_PERMISSIONS does not permit that"
        elif not _in_toolsets(tool, core, toolsets):
            off[tool.name] = f"its toolset {tool.toolset} is off (CIO_TOOLSETS)"
        elif _denied(tool.name, patterns) or (
            named and not any(fnmatchcase(tool.name, pattern) for pattern in named)
        ):
            off[tool.name] = "CIO_TOOLS excludes it"
    return off


def _in_toolsets(tool: Tool, core: Collection[str], toolsets: Collection[str]) -> bool:
    """Return whether one of a tool's toolsets is on; a denied one turns the tool off in any case."""
    of = {ALL, tool.toolset} | ({CORE} if tool.in_core or tool.name in core else set())
    if any(f"-{name}" in toolsets for name in of):
        return False
    return any(name in toolsets for name in of)


def _denied(name: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern[1:]) for pattern in patterns if pattern.startswith("-"))


def _refuse_unknown(setting: str, given: Iterable[str], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise UnknownWord(setting, f"{name} is unknown; choose from {', '.join(sorted(known))}")

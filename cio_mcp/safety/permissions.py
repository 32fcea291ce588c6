"""Which tools are on: by what they do to the world, by toolset, by name."""

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from cio_mcp.errors import SettingsError
from cio_mcp.toolkit.registry import Effect, Tool

# The words of CIO_PERMISSIONS, and what each permits.
PERMITS = {"read": Effect.READS, "write": Effect.WRITES, "delete": Effect.DELETES, "send": Effect.SENDS}

# Toolsets that are no area: what is on by default, and everything.
CORE, ALL = "core", "all"


def switched_off(
    tools: Iterable[Tool],
    core: Collection[str],
    *,
    permissions: Collection[str],
    toolsets: Collection[str],
    patterns: Collection[str],
) -> dict[str, str]:
    """Return the names of the tools that these settings leave off, and why.

    `toolsets` and `patterns` allow by name (patterns with `*`) and deny with a leading `-`; nothing they say
    goes beyond `permissions`. `core` are the tools that are on where no toolset is named. Raises
    SettingsError for a word that names nothing.
    """
    tools = list(tools)
    areas = {tool.toolset for tool in tools}
    _refuse_unknown("CIO_PERMISSIONS", permissions, PERMITS)
    _refuse_unknown("CIO_TOOLSETS", (name.removeprefix("-") for name in toolsets), {CORE, ALL, *areas})
    for pattern in patterns:
        if not any(fnmatchcase(tool.name, pattern.removeprefix("-")) for tool in tools):
            raise SettingsError(f"CIO_TOOLS: no tool is named {pattern.removeprefix('-')}; see cio-mcp tools")
    permitted = {PERMITS[name] for name in permissions}
    # Naming a tool is enough to have it: who lists tools need not also find out their toolsets.
    named = {pattern for pattern in patterns if not pattern.startswith("-")}
    if all(name.startswith("-") for name in toolsets):
        toolsets = [*toolsets, ALL if named else CORE]
    off: dict[str, str] = {}
    for tool in tools:
        if tool.effect not in permitted:
            off[tool.name] = f"it {tool.effect}, which CIO_PERMISSIONS does not permit"
        elif not _in_toolsets(tool, core, toolsets):
            off[tool.name] = f"its toolset {tool.toolset} is not on (CIO_TOOLSETS)"
        elif _denied(tool.name, patterns) or (
            named and not any(fnmatchcase(tool.name, pattern) for pattern in named)
        ):
            off[tool.name] = "CIO_TOOLS leaves it out"
    return off


def _in_toolsets(tool: Tool, core: Collection[str], toolsets: Collection[str]) -> bool:
    """Say whether a tool's area, or a set that it is in, is on; a denied one is off whatever else is on."""
    of = {ALL, tool.toolset} | ({CORE} if tool.name in core else set())
    if any(f"-{name}" in toolsets for name in of):
        return False
    return any(name in toolsets for name in of)


def _denied(name: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern[1:]) for pattern in patterns if pattern.startswith("-"))


def _refuse_unknown(setting: str, given: Iterable[str], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise SettingsError(f"{setting}: there is no {name}; there are {', '.join(sorted(known))}")

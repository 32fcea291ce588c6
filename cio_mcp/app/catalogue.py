"""What is served to whom: the workspaces, and in each the tools that are left for a caller."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cio_mcp.auth.principal import Principal
from cio_mcp.client import CustomerIO
from cio_mcp.errors import InvalidArgument, NotAllowed, NotSent
from cio_mcp.safety import Guard
from cio_mcp.toolkit.registry import Tool, near_miss

# The argument by which a caller of several workspaces names one.
WORKSPACE = "workspace"

SEVERAL = (
    "This server serves several workspaces. A tool's workspace argument, where it has one, names the one to "
    "act on, and each answer says which it was. server_status tells what each is: some may be live."
)


@dataclass(frozen=True)
class OpenWorkspace:
    """One workspace: `off` maps the tools that are off in it to the reason; `about` is for agents."""

    off: Mapping[str, str]
    guard: Guard
    client: CustomerIO
    about: str


class Catalogue:
    """Tools in workspaces by name, of which there is at least one. One that stands alone has the empty name.

    `prefix` stands before the name of each tool, as callers know it; `note` is for agents everywhere.
    """

    def __init__(
        self, tools: Sequence[Tool], workspaces: Mapping[str, OpenWorkspace], prefix: str, note: str = ""
    ) -> None:
        self._tools = {prefix + tool.name: tool for tool in tools}
        self._names = {tool.name: name for name, tool in self._tools.items()}
        self.workspaces = workspaces
        self._note = note

    @property
    def about(self) -> str:
        """What agents are told of all of it."""
        where = SEVERAL if len(self.workspaces) > 1 else next(iter(self.workspaces.values())).about
        return f"{where} {self._note}".strip()

    @property
    def tools(self) -> Collection[Tool]:
        """All tools, those that are off too."""
        return self._tools.values()

    def tool_named(self, name: str) -> str | None:
        """Return the tool that callers know by a name, None if there is none."""
        tool = self._tools.get(name)
        return tool.name if tool else None

    def knows(self, tool: str) -> bool:
        """Say whether there is a tool of this name, without the prefix."""
        return tool in self._names

    def name_of(self, tool: str) -> str:
        """Return the name by which callers know a tool; what is no tool's stays as it is."""
        return self._names.get(tool, tool)

    def listed(self, known: Principal) -> Iterator[tuple[str, Tool, dict[str, Any]]]:
        """Yield name, tool and input schema of what is on for a caller, in any of their workspaces."""
        opened, off = self._opened(known), known.off(self.tools)
        for name, tool in self._tools.items():
            where = [workspace for workspace, found in opened.items() if tool.name not in found.off]
            if where and tool.name not in off:
                yield (
                    name,
                    tool,
                    _choosing(tool.input_schema, where) if len(opened) > 1 else tool.input_schema,
                )

    def find(
        self, known: Principal, name: str, arguments: dict[str, Any]
    ) -> tuple[Guard, Tool, dict[str, Any]]:
        """Return the guard of the workspace that a call is for, the tool, and the tool's own arguments.

        Raises NotSent where there is no such tool, NotAllowed where it is off for the caller, InvalidArgument
        where it is not clear which workspace is meant.
        """
        opened = self._opened(known)
        if not opened:
            raise NotAllowed(f"Nothing was done: {known.name} may use no workspace of this server.")
        arguments = dict(arguments)
        workspace = opened[_chosen(opened, arguments)]
        tool = self._tools.get(name)
        if tool is None or tool.name in workspace.off:
            on = [other for other, found in self._tools.items() if found.name not in workspace.off]
            hint = workspace.off[tool.name] if tool else near_miss(name, on) or "tools/list names them all"
            raise NotSent(f"{name}: there is no such tool; {hint}")
        if reason := known.off(self.tools).get(tool.name):
            raise NotAllowed(f"Nothing was done: {name} is off for this caller: {reason}.")
        return workspace.guard, tool, arguments

    def _opened(self, known: Principal) -> Mapping[str, OpenWorkspace]:
        return {name: found for name, found in self.workspaces.items() if known.may_use(name)}


def _chosen(opened: Mapping[str, OpenWorkspace], arguments: dict[str, Any]) -> str:
    """Return which workspace is meant, and take that argument away."""
    if "" in opened:
        return ""
    asked = arguments.pop(WORKSPACE, None)
    if asked is None and len(opened) == 1:
        return next(iter(opened))
    if asked not in opened:
        fault = "is required" if asked is None else "there is none of that name for this caller"
        raise InvalidArgument(f"{WORKSPACE}: {fault}; there are {', '.join(opened)}")
    return str(asked)


def _choosing(schema: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return a tool's input schema with the argument that names the workspace."""
    return schema | {
        "properties": {WORKSPACE: {"type": "string", "enum": names}} | schema["properties"],
        "required": [WORKSPACE, *schema.get("required", [])],
    }

"""The catalogue: the workspaces, and the tools that are on in each for a given caller."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from cio_mcp.app.toolshelf import Toolshelf
from cio_mcp.auth.principal import Principal
from cio_mcp.client import CustomerIO
from cio_mcp.errors import InvalidArgument, NotAllowed, NotSent
from cio_mcp.safety import Guard
from cio_mcp.toolkit.arguments.parsing import near_miss
from cio_mcp.toolkit.registry import Tool

# Whatever may be the name of a tool, also of one that a file makes.
_NAME = re.compile(r"(?<![\w-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")

# The keys of a schema that hold texts of ours.
OURS = ("description", "default")

# The argument by which a caller of several workspaces chooses one.
WORKSPACE = "workspace"

# Of so many callers what is off for them is remembered.
CALLERS = 256

SEVERAL = (
    "This server serves several workspaces. A tool's argument workspace, if any, chooses the one to act "
    "on, and each answer names it. server_status tells whether a workspace is live or a sandbox."
)


@dataclass(frozen=True)
class OpenWorkspace:
    """A workspace: `about` is for agents.

    `find_off` maps those of some tools of `shelf` that are off in it to the reasons.
    """

    shelf: Toolshelf
    find_off: Callable[[tuple[Tool, ...]], Mapping[str, str]]
    guard: Guard
    client: CustomerIO
    about: str

    @cached_property
    def off(self) -> Mapping[str, str]:
        """The tools that are off, and why."""
        return self.find_off(tuple(self.shelf.tools.values()))

    def why_off(self, tool: Tool) -> str | None:
        """Return why a tool is off; None if it is on."""
        off = self.off if self.shelf.is_whole else self.find_off((tool,))
        return off.get(tool.name)


class Catalogue:
    """The tools and the workspaces, at least one, by name. A single workspace has the empty name.

    Callers see each tool's name with `prefix` before it. `note` is added to the description for agents.
    """

    def __init__(
        self,
        shelf: Toolshelf,
        workspaces: Mapping[str, OpenWorkspace],
        prefix: str,
        note: str = "",
    ) -> None:
        self._shelf, self._prefix = shelf, prefix
        self.workspaces = workspaces
        self._note = note
        # Callers come back, and to judge all tools takes a tenth of the time of a call.
        self._off_for = lru_cache(maxsize=CALLERS)(self._judge)

    @property
    def about(self) -> str:
        """The description for agents."""
        where = SEVERAL if len(self.workspaces) > 1 else next(iter(self.workspaces.values())).about
        return f"{where} {self._note}".strip()

    @property
    def tools(self) -> Collection[Tool]:
        """All tools, including those that are off."""
        return self._shelf.tools.values()

    def named(self, name: str) -> Tool | None:
        """Return the tool that callers know as `name`; None if there is none."""
        plain = name.removeprefix(self._prefix)
        return self._shelf.named(plain) if name == self._prefix + plain else None

    def knows(self, tool: str) -> bool:
        """Return whether there is a tool of this name, without the prefix."""
        return self._shelf.named(tool) is not None

    def name_of(self, tool: str) -> str:
        """Return the name by which callers know a tool; a name of no tool is returned unchanged."""
        return self._prefix + tool if self.knows(tool) else tool

    def worded(self, text: str) -> str:
        """Return a text of ours with the tools in it named as callers know them."""
        return _NAME.sub(lambda named: self.name_of(named[0]), text) if self._prefix else text

    def described(self, schema: Any) -> Any:
        """Return a schema with our texts in it `worded`."""
        if not self._prefix or not isinstance(schema, (dict, list)):
            return schema
        if isinstance(schema, list):
            return list(map(self.described, schema))
        said = {name: self.worded(text) for name in OURS if isinstance(text := schema.get(name), str)}
        return {name: self.described(each) for name, each in schema.items()} | said

    def listed(self, known: Principal) -> Iterator[tuple[str, Tool, dict[str, Any]]]:
        """Yield name, tool and input schema of each tool that is on for a caller in some workspace."""
        opened, off = self._opened(known), self._off_for(known)
        for tool in self.tools:
            where = [workspace for workspace, found in opened.items() if tool.name not in found.off]
            if where and tool.name not in off:
                asks = any(opened[workspace].guard.consent.may_ask(tool) for workspace in where)
                schema = tool.confirming_schema if asks else tool.input_schema
                schema = self.described(schema)
                schema = _choosing(schema, where) if len(opened) > 1 else schema
                yield self._prefix + tool.name, tool, schema

    def find(
        self, known: Principal, name: str, tool: Tool | None, arguments: dict[str, Any]
    ) -> tuple[Guard, Tool, dict[str, Any]]:
        """Return the guard of the call's workspace, the tool, and the tool's own arguments.

        `tool` is what is `named` so. Raises NotSent if there is none, NotAllowed if it is off for the caller,
        and InvalidArgument if it is unclear which workspace is meant.
        """
        opened = self._opened(known)
        if not opened:
            raise NotAllowed(f"Nothing was done: {known.name} may not use any workspace of this server.")
        arguments = dict(arguments)
        workspace = opened[_chosen(opened, arguments)]
        if tool is None:
            on = [self._prefix + other.name for other in self.tools if other.name not in workspace.off]
            hint = near_miss(name, on) or "tools/list lists all of them"
            raise NotSent(f"{name}: there is no such tool; {hint}")
        if reason := workspace.why_off(tool):
            raise NotSent(f"{name}: is off: {reason}")
        if reason := self._off_for(known).get(tool.name):
            raise NotAllowed(f"Nothing was done: {name} is off for this caller: {reason}.")
        return workspace.guard, tool, arguments

    def off_in(self, known: Principal, guard: Guard | None, text: str) -> list[str]:
        """Return the tools named in a text of ours that are off for a caller."""
        if not (words := dict.fromkeys(_NAME.findall(text))):
            return []
        here = next((found for found in self.workspaces.values() if found.guard is guard), None)
        named, denied = filter(None, map(self._shelf.named, words)), self._off_for(known)
        return [tool.name for tool in named if (here and here.why_off(tool)) or tool.name in denied]

    def _judge(self, known: Principal) -> Mapping[str, str]:
        """Return what is off for a caller, and why; to ask without a grant would import all tools."""
        return known.off(self.tools) if known.grants else {}

    def _opened(self, known: Principal) -> Mapping[str, OpenWorkspace]:
        if not known.grants:
            return self.workspaces
        return {name: found for name, found in self.workspaces.items() if known.may_use(name)}


def _chosen(opened: Mapping[str, OpenWorkspace], arguments: dict[str, Any]) -> str:
    """Return the workspace that is meant, and remove that argument."""
    if "" in opened:
        return ""
    asked = arguments.pop(WORKSPACE, None)
    if asked is None and len(opened) == 1:
        return next(iter(opened))
    if asked not in opened:
        fault = "is required" if asked is None else "is unknown to this caller"
        raise InvalidArgument(f"{WORKSPACE}: {fault}; choose from {', '.join(opened)}")
    return str(asked)


def _choosing(schema: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return a tool's input schema with the argument that chooses the workspace."""
    return schema | {
        "properties": {WORKSPACE: {"type": "string", "enum": names}} | schema["properties"],
        "required": [WORKSPACE, *schema.get("required", [])],
    }

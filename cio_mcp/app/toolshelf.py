"""The tools of some workspaces: all of them, or one that is asked for by its name, without the others."""

import json
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from importlib import import_module

from cio_mcp.app.extensions import tools_of
from cio_mcp.settings import Settings
from cio_mcp.settings.scopes import RequestSettings
from cio_mcp.toolkit.registry import Tool
from cio_mcp.tools import NAMES


class Toolshelf:
    """Tools by name. None is imported before it is asked for, as a server greets its client sooner without.

    Those of a sandbox are there if a workspace is one. The shelf `is_whole` once all are at hand, or must be
    to say anything of one.
    """

    def __init__(self, workspaces: Sequence[Settings]) -> None:
        self._workspaces = workspaces
        # Words of an operator are about all tools, and so is a file that makes some.
        self.is_whole = any(
            one.templates or one.model_fields_set & RequestSettings.model_fields.keys() for one in workspaces
        )

    @cached_property
    def tools(self) -> Mapping[str, Tool]:
        """All tools, on or off; raises SettingsError for settings that name or make some wrongly."""
        tools = {tool.name: tool for tool in tools_of(self._workspaces)}
        self.is_whole = True
        return tools

    def named(self, name: str) -> Tool | None:
        """Return the tool of a name; None if there is none."""
        if self.is_whole:
            return self.tools.get(name)
        toolset = _toolsets().get(name, "")
        if not toolset or (toolset == "sandbox" and not any(one.uses_sandbox for one in self._workspaces)):
            return None
        found: Tool = import_module(f"cio_mcp.tools.{toolset}").tools[name]
        return found


@cache
def _toolsets() -> Mapping[str, str]:
    """Return the toolset of each of our tools."""
    listed = json.loads(NAMES.read_text(encoding="utf-8"))
    return {name: toolset for toolset, names in listed.items() for name in names}

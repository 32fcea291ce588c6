"""What the points of a workspace hold of a person: found and blanked apart from it, one after the other."""

import json
from collections.abc import Generator
from typing import Any

from cio_mcp.sandbox.forgetting.blanking import blank
from cio_mcp.sandbox.forgetting.traces import Traces, gathered
from cio_mcp.sandbox.state import copies
from cio_mcp.sandbox.state.workspace import Workspace

Known = tuple[set[str], set[str]]


class Points:
    """The points of a workspace; those which hold anything of the person are opened, in memory."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._copies: dict[int, bytes] = {}
        self._texts: dict[int, str] = {}
        self._worlds: dict[int, Workspace] = {}
        self._blanked: dict[int, bytes] = {}

    @property
    def changed(self) -> int:
        """How many hold anything of the person."""
        return len(self._worlds)

    def gathered(self, cio_ids: set[str], names: set[str]) -> Generator[None, None, Known]:
        """Return by what a person is known in the workspace and its points, if they are known by these."""
        yield from self._read()
        known = set(cio_ids), set(names)
        while True:
            earlier = known
            for world in (self._workspace, *self._worlds.values()):
                known = gathered(world, *known)
            traces = Traces(self._workspace, *known)
            further = [number for number, text in self._texts.items() if traces.are_in(text)]
            for number in further:
                self._worlds[number] = _opened(self._workspace, number, self._texts.pop(number))
                yield
            if known == earlier and not further:
                return known

    def _read(self) -> Generator[None, None, None]:
        """Read the points that are not read yet, and those which somebody has changed."""
        for number in [row["number"] for row in self._workspace.rows("SELECT number FROM points")]:
            row = self._workspace.row("SELECT copy FROM points WHERE number = ?", number)
            if row and self._copies.get(number) != row["copy"]:
                if world := self._worlds.pop(number, None):
                    world.close()
                self._copies[number] = row["copy"]
                self._texts[number] = copies.unpacked(row["copy"])
                yield

    def blanked(self, traces: Traces) -> Generator[None, None, None]:
        """Blank in each what tells of the person."""
        for number, world in self._worlds.items():
            with world.transaction():
                blank(world, traces)
            self._blanked[number] = copies.packed(copies.take(world))
            yield

    def are_all(self) -> bool:
        """Say whether the workspace has no other points than those which were read."""
        rows = self._workspace.rows("SELECT number, copy FROM points")
        return all(self._copies.get(row["number"]) == row["copy"] for row in rows)

    def put(self) -> None:
        """Let the points that were blanked be so in the workspace."""
        for number, copy in self._blanked.items():
            self._workspace.change("UPDATE points SET copy = ? WHERE number = ?", copy, number)

    def close(self) -> None:
        """Close what was opened."""
        for world in self._worlds.values():
            world.close()


def _opened(workspace: Workspace, number: int, text: str) -> Workspace:
    """Return a workspace of its own that holds what a point does, and in which time stands."""
    copy: dict[str, Any] = json.loads(text)
    world = workspace.beside(lambda: float(copy["now"]))
    try:
        with world.locked():
            copies.put(world, copy)
    except copies.WrongCopy as wrong:
        world.close()
        raise ValueError(f"point {number} cannot be read, so remove it first: {wrong}") from None
    return world

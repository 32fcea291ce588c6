"""Forgets a person in a workspace, in all its points, and in the file that keeps them."""

import json
from contextlib import ExitStack, closing
from typing import Any

from cio_mcp.sandbox.forgetting.blanking import blank
from cio_mcp.sandbox.forgetting.traces import Traces, gathered
from cio_mcp.sandbox.state import copies, pseudonyms, suppressions
from cio_mcp.sandbox.state.workspace import Workspace


class NobodyKnown(ValueError):
    """No person has, or had, an identifier."""


def forget(workspace: Workspace, who: str) -> dict[str, Any]:
    """Forget a person by any identifier; returns how much was blanked.

    Who was forgotten before is so again if anything has come since. Raises NobodyKnown.
    """
    with workspace.purging(), workspace.transaction(), ExitStack() as opened:
        before = _forgotten(workspace, who)
        traces, worlds = _found(workspace, who, before, opened)
        if not (before or traces.cio_ids or _is_named(workspace, who, traces)):
            raise NobodyKnown(f"there is no person {who}, and there never was")
        told = blank(workspace, traces)
        for number, world in worlds.items():
            with world.transaction():
                blank(world, traces)
            copy = copies.packed(copies.take(world))
            workspace.change("UPDATE points SET copy = ? WHERE number = ?", copy, number)
        for point in workspace.rows("SELECT number, name FROM points"):
            name = traces.replaced(point["name"], "identifier")
            workspace.change("UPDATE points SET name = ? WHERE number = ?", name, point["number"])
        return {"already": bool(before) and not any(told.values()), **told, "points": len(worlds)}


def _forgotten(workspace: Workspace, who: str) -> set[str | None]:
    """Return by which cio_ids somebody was forgotten before, None for who had none."""
    named = "SELECT cio_id FROM log, json_each(log.data, '$.names') WHERE kind = 'forgotten' AND value = ?"
    return {row["cio_id"] for row in workspace.rows(named, pseudonyms.of(workspace, who))}


def _is_named(workspace: Workspace, who: str, traces: Traces) -> bool:
    """Say whether an identifier that belongs to no person stands somewhere, or will belong to one."""
    blocked = "SELECT 1 FROM suppressed WHERE identifier = ?"
    sent = "SELECT 1 FROM deliveries WHERE cio_id IS NULL AND lower(json_extract(body, '$.recipient')) = ?"
    waiting = (json.loads(row["body"]) for row in workspace.rows("SELECT body FROM timers"))
    return bool(
        workspace.row(blocked, who)
        or workspace.row(sent, who.lower())
        or suppressions.search(workspace, who)[1]
        or any(traces.is_about(body) for body in waiting)
    )


def _found(
    workspace: Workspace, who: str, before: set[str | None], opened: ExitStack
) -> tuple[Traces, dict[int, Workspace]]:
    """Return what there is of somebody here and in the points, and the points that hold any of it."""
    rows = workspace.rows("SELECT number, copy FROM points")
    texts = {row["number"]: copies.unpacked(row["copy"]) for row in rows}
    worlds: dict[int, Workspace] = {}
    known = {cio_id for cio_id in before if cio_id}, {who}
    while True:
        earlier = known
        for world in (workspace, *worlds.values()):
            known = gathered(world, *known)
        traces = Traces(workspace, *known)
        further = [number for number, text in texts.items() if traces.are_in(text)]
        for number in further:
            worlds[number] = opened.enter_context(closing(_opened(workspace, number, texts.pop(number))))
        if known == earlier and not further:
            return traces, worlds


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

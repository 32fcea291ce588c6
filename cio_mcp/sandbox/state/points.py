"""Points: states of a workspace to which it can be taken back, the newest 20 of them."""

import json
from typing import Any

from cio_mcp.sandbox.state import copies, requests
from cio_mcp.sandbox.state.workspace import Row, Workspace

MOST = 20

TOLD = "number, name, at, made, position"


class NoSuchPoint(ValueError):
    """No point has this number or name."""


def add(workspace: Workspace, name: str) -> dict[str, Any]:
    """Keep what the workspace holds now under a name; the oldest points make room. Returns the point."""
    copy = copies.packed(copies.take(workspace))
    position = workspace.rows("SELECT coalesce(max(number), 0) FROM log")[0][0]
    workspace.change(
        "INSERT INTO points (name, at, made, position, requested, copy) VALUES (?, ?, ?, ?, ?, ?)",
        *(name, workspace.now(), int(workspace.clock.real()), position, requests.count(workspace), copy),
    )
    newest = "SELECT number FROM points ORDER BY number DESC LIMIT ?"
    workspace.change(f"DELETE FROM points WHERE number NOT IN ({newest})", MOST)  # noqa: S608 - ours
    requests.keep_from_oldest_point(workspace)
    return listed(workspace)[-1]


def listed(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the points, oldest first: when each was, when it was made, and where in the log it is."""
    return [dict(row) for row in workspace.rows(f"SELECT {TOLD} FROM points ORDER BY number")]  # noqa: S608


def remove(workspace: Workspace, which: str) -> None:
    """Forget a point; raises NoSuchPoint."""
    workspace.change("DELETE FROM points WHERE number = ?", _find(workspace, which)["number"])
    requests.keep_from_oldest_point(workspace)


def restore(workspace: Workspace, which: str) -> dict[str, Any]:
    """Take the workspace back to a point, by its number or its newest name; returns the point.

    What it held is a point itself then, whose number is told as `left`. The transaction must hold nothing
    else. Raises NoSuchPoint.
    """
    found = _find(workspace, which)
    left = add(workspace, f"left for {found['name']}")
    copies.put(workspace, _copy(found))
    return {name: found[name] for name in TOLD.split(", ")} | {"left": left["number"]}


def copy(workspace: Workspace, which: str) -> dict[str, Any]:
    """Return what a point holds, by its number or its newest name; raises NoSuchPoint."""
    return _copy(_find(workspace, which))


def _copy(point: Row) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(copies.unpacked(point["copy"]))
    return held


def _find(workspace: Workspace, which: str) -> Row:
    by = "number = ?" if which.isdecimal() else "name = ?"
    statement = f"SELECT * FROM points WHERE {by} ORDER BY number DESC LIMIT 1"  # noqa: S608 - one of two
    if found := workspace.row(statement, which):
        return found
    known = ", ".join(f"{point['number']} ({point['name']})" for point in listed(workspace))
    raise NoSuchPoint(f"there is no point {which}; there {f'are: {known}' if known else 'is none'}")

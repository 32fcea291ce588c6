"""What Track accepted and later dropped, as activities tell it (documented).

Assumed (dropped writes): what such an activity holds.
"""

from typing import Any

from cio_mcp.sandbox.state.workspace import Workspace


def drop(
    workspace: Workspace,
    type_: str,
    write: dict[str, Any],
    reason: str,
    *,
    cio_id: str | None = None,
    name: str | None = None,
) -> None:
    """Log that a write is dropped: whom it named, what it brought, and why."""
    told = {"reason": reason, "identifier": write["identifier"], "body": write["body"]}
    workspace.enter(type_, cio_id, name, told)


def outdated(workspace: Workspace, cio_id: str, changes: dict[str, Any], at: int | None) -> list[str]:
    """Return the names among `changes` of `at` (unix seconds) that have changed since, and log them."""
    if at is None:
        return []
    later = workspace.rows(
        "SELECT name FROM log WHERE cio_id = ? AND kind = 'attribute_change' AND timestamp > ?",
        cio_id,
        at,
    )
    late = sorted({row["name"] for row in later} & changes.keys())
    if late:
        told = {name: {"to": changes[name]} for name in late}
        workspace.enter("skipped_update", cio_id, None, {"reason": "a newer update came first", **told})
    return late

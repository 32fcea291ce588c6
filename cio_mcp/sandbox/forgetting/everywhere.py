"""Forgets a person in a workspace, in all its points, and in the file that keeps them."""

import json
from contextlib import closing

from cio_mcp.sandbox.forgetting.blanking import blank
from cio_mcp.sandbox.forgetting.copied import Points
from cio_mcp.sandbox.forgetting.traces import Traces, gathered
from cio_mcp.sandbox.state import pseudonyms, suppressions
from cio_mcp.sandbox.state.steps import Steps
from cio_mcp.sandbox.state.workspace import Workspace


class NobodyKnown(ValueError):
    """No person has, or had, an identifier."""


def forgetting(workspace: Workspace, who: str) -> Steps:
    """Forget a person by any identifier; returns how much was blanked.

    Points are blanked apart, one a step, and all of them put in their places with what is here, at once. Who
    was forgotten before is so again if anything has come since. Raises NobodyKnown.
    """
    with workspace.purging(), closing(Points(workspace)) as points:
        before = _forgotten(workspace, who)
        known = {cio_id for cio_id in before if cio_id}, {who}
        while True:
            known = yield from points.gathered(*known)
            traces = Traces(workspace, *known)
            yield from points.blanked(traces)
            with workspace.transaction():
                # Meanwhile others may have made points, and done something that tells more of the person.
                if points.are_all() and gathered(workspace, *known) == known:
                    if not (before or traces.cio_ids or _is_named(workspace, who, traces)):
                        raise NobodyKnown(f"there is no person {who}, and there never was")
                    told = blank(workspace, traces)
                    points.put()
                    for point in workspace.rows("SELECT number, name FROM points"):
                        name = traces.replaced(point["name"], "identifier")
                        workspace.change("UPDATE points SET name = ? WHERE number = ?", name, point["number"])
                    already = bool(before) and not any(told.values())
                    return {"already": already, **told, "points": points.changed}


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

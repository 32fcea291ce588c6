"""Replays: what was asked in another branch is done again in this one, at the times of then.

Each request is a transaction of its own. So others are not kept waiting, and a replay that is cut short goes
on where it ended when it is asked for again.
"""

import json
from typing import Any

from cio_mcp.sandbox.faults import book
from cio_mcp.sandbox.http import Rejected
from cio_mcp.sandbox.moments import written
from cio_mcp.sandbox.operations import OPERATIONS
from cio_mcp.sandbox.state import points, requests
from cio_mcp.sandbox.state.requests import FORGOTTEN, OF_FAULTS, KeptRequest
from cio_mcp.sandbox.state.steps import Steps
from cio_mcp.sandbox.state.workspace import Workspace

# So many of the requests that were refused are told.
MOST_TOLD = 20


class NothingToDo(ValueError):
    """A point holds no request that is not here, or not all of them."""


def replaying(workspace: Workspace, which: str) -> Steps:
    """Do what a point's log has and this one has not, and take the clock to where it stood there.

    A request may be refused here, where other things came before. Raises NoSuchPoint and NothingToDo.
    """
    # Real time that has passed since somebody went back changes nothing: what is due only now comes later.
    with workspace.locked(), workspace.clock.at(_latest(workspace)):
        left = points.copy(workspace, which)
        further = _further(workspace, which, left)
        blanked = [row for row in further if row["what"] == FORGOTTEN]
        if len(further) == len(blanked):
            rest = f", but {len(blanked)} requests about people who were forgotten" if blanked else ""
            raise NothingToDo(f"all that was asked on the way to point {which} is here already{rest}")
        before = points.add(workspace, "before the replay")
    refused = []
    for row in further:
        if row["what"] == FORGOTTEN:
            continue
        if told := _again(workspace, row):
            refused.append(told)
        yield
    yield from _end(workspace, left)
    return {
        "point": before["number"],
        "replayed": len(further) - len(refused) - len(blanked),
        "forgotten": len(blanked),
        "refused": len(refused),
        "first_refused": refused[:MOST_TOLD],
        "now": written(workspace.now()),
    }


def _further(workspace: Workspace, which: str, left: dict[str, Any]) -> list[dict[str, Any]]:
    table = left["tables"].get("requests", {"columns": [], "rows": []})
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    here = {row["id"] for row in workspace.rows("SELECT id FROM requests")}
    further = [row for row in rows if row["id"] not in here]
    if further and len(further) == len(rows) and rows[0]["number"] > 1:
        raise NothingToDo(
            f"not all that was asked on the way to point {which} is kept: make a point before what is to be "
            f"done again (what came after the oldest point is kept, at most {requests.MOST} requests)"
        )
    return further


def _again(workspace: Workspace, row: dict[str, Any]) -> dict[str, Any] | None:
    """Do a request at the time of then, or if more has happened since at that; returns why not, if not."""
    request = KeptRequest(row["what"], json.loads(row["body"]), row["id"])
    at = max(row["at"], _latest(workspace))
    told = {"at": written(int(at)), "request": request.what}
    operation = OPERATIONS.get(request.what)
    if not operation and request.what not in OF_FAULTS:
        return told | {"status": 404, "answer": "this version of the sandbox has no such operation"}
    try:
        with workspace.clock.at(at, really=row["really"]), workspace.transaction(request):
            workspace.clock.set(at)
            if operation:
                operation.answer_again(request, workspace)
            else:
                book.again(workspace, request)
    except Rejected as rejected:
        return told | {"status": rejected.status, "answer": rejected.body}
    return None


def _latest(workspace: Workspace) -> float:
    """Return when the last thing happened here."""
    newest = "SELECT at FROM {} ORDER BY number DESC LIMIT 1"
    found = (workspace.row(newest.format(table)) for table in ("log", "requests"))
    return max((float(row["at"]) for row in found if row), default=0.0)


def _end(workspace: Workspace, left: dict[str, Any]) -> Steps:
    now = max(float(left["now"]), _latest(workspace))
    yield from workspace.advancing(now)
    with workspace.locked():
        workspace.clock.set(now)
        (workspace.clock.freeze if left["frozen"] else workspace.clock.run)()

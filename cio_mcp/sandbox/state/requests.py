"""Requests that have changed something, as they came: what a replay does again at its time.

What an operation of the APIs was asked is kept under its name, what faults met and what was done to them
under names of their own. A request that is done again keeps its id, so that a branch knows what it has.

A replay is of what came after a point, so nothing else is kept but the newest of all, after whose number the
next one is counted.
"""

import json
from dataclasses import dataclass
from typing import Any

from cio_mcp.sandbox.engine import chance
from cio_mcp.sandbox.state.things import Things

# What was asked about somebody who was forgotten since: it cannot be done again.
FORGOTTEN = "forgotten"

OF_FAULTS = FAULT_ADDED, FAULTS_LIFTED, FAULTS_MET = "fault added", "faults lifted", "faults met"


# So many are kept, however long ago the oldest point was.
MOST = 10_000


@dataclass(frozen=True)
class KeptRequest:
    """What was asked of which operation; one that is done again has an id."""

    what: str
    body: dict[str, Any]
    id: str = ""


def keep(workspace: Things, request: KeptRequest) -> None:
    """Keep a request that has changed something now."""
    at, really, body = workspace.clock(), workspace.clock.really(), json.dumps(request.body)
    own = request.id or chance.digest(8, workspace.seed, count(workspace), at, really, body).hex()
    statement = "INSERT INTO requests (id, at, really, what, body) VALUES (?, ?, ?, ?, ?)"
    number = workspace.insert(statement, own, at, really, request.what, body)
    kept = MOST if workspace.row("SELECT 1 FROM points") else 1
    workspace.change("DELETE FROM requests WHERE number <= ?", number - kept)


def keep_from_oldest_point(workspace: Things) -> None:
    """Keep those only which came after the oldest point, and the last before it."""
    newest = count(workspace)
    (oldest,) = workspace.rows("SELECT min(requested) AS requested FROM points")
    first = newest if oldest["requested"] is None else min(oldest["requested"], newest)
    workspace.change("DELETE FROM requests WHERE number < ?", first)


def count(workspace: Things) -> int:
    """Return how many there are."""
    return int(workspace.rows("SELECT coalesce(max(number), 0) FROM requests")[0][0])

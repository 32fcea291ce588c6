"""The faults of a workspace, in its database: each is numbered, and counts what fits it."""

import json
from collections.abc import Callable, Collection, Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

from cio_mcp.sandbox.faults.fault import Fault, OfDeliveries
from cio_mcp.sandbox.state import people, requests
from cio_mcp.sandbox.state.requests import KeptRequest
from cio_mcp.sandbox.state.workspace import Row, Workspace

BAD_DAY = Path(__file__).with_name("bad_day.json")

OF_DELIVERIES = set(get_args(OfDeliveries))


def add(workspace: Workspace, fault: Fault) -> int:
    """Put a fault into force; returns its number. Raises WrongFault."""
    body = fault.added(workspace.now()).model_dump_json(exclude_defaults=True)
    (added,) = workspace.rows("INSERT INTO faults (body) VALUES (?) RETURNING number", body)
    number = int(added["number"])
    requests.keep(workspace, KeptRequest(requests.FAULT_ADDED, {"number": number, "body": body}))
    return number


def lift(workspace: Workspace, number: int | None = None) -> int:
    """Lift a fault, or all of them; returns how many there were."""
    if lifted := _remove(workspace, number):
        requests.keep(workspace, KeptRequest(requests.FAULTS_LIFTED, {"number": number}))
    return lifted


def again(workspace: Workspace, request: KeptRequest) -> None:
    """Do again what was done to the faults, or count again what they met, as far as they are here."""
    number, body = request.body.get("number"), request.body
    match request.what:
        case requests.FAULT_ADDED:
            workspace.change(
                "INSERT OR IGNORE INTO faults (number, body) VALUES (?, ?)", number, body["body"]
            )
        case requests.FAULTS_LIFTED:
            _remove(workspace, number)
        case requests.FAULTS_MET:
            _count(workspace, body["met"], body["struck"])


def _remove(workspace: Workspace, number: int | None) -> int:
    return workspace.change("DELETE FROM faults WHERE coalesce(?, number) = number", number)


def listed(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the faults with how much met them so far and how much of it they struck, oldest first."""
    return [
        {
            "number": row["number"],
            "fault": fault.told(),
            "says": str(fault),
            "in_force": fault.in_force(workspace.now()),
            "met": row["met"],
            "struck": row["struck"],
        }
        for row, fault in _kept(workspace)
    ]


def any_kept(workspace: Workspace) -> bool:
    """Say whether there is a fault at all."""
    return workspace.row("SELECT 1 FROM faults") is not None


def met_by_request(workspace: Workspace, method: str, path: list[str], names: Iterable[str]) -> list[Fault]:
    """Count a request for each fault that it fits; returns those that strike it.

    `path` are its segments, and `names` all texts in it that may say whom it is about.
    """
    met, struck = _met(
        workspace,
        lambda fault: fault.does not in OF_DELIVERIES and fault.fits_route(method, path),
        names,
    )
    if met:
        told = {"met": list(met), "struck": list(struck)}
        requests.keep(workspace, KeptRequest(requests.FAULTS_MET, told))
    return list(struck.values())


def met_by_delivery(workspace: Workspace, recipient: str) -> list[Fault]:
    """Count a delivery for each fault that it fits; returns those that strike it."""
    _, struck = _met(workspace, lambda fault: fault.does in OF_DELIVERIES, [recipient])
    return list(struck.values())


def bad_day() -> list[Any]:
    """Return the faults of a bad day, as they are written."""
    written: list[Any] = json.loads(BAD_DAY.read_text(encoding="utf-8"))
    return written


def _met(
    workspace: Workspace, fits: Callable[[Fault], bool], names: Iterable[str]
) -> tuple[dict[int, Fault], dict[int, Fault]]:
    """Count something for each fault that it fits; returns these by number, and those that strike it."""
    known = {name.casefold() for name in names}
    met = {
        row["number"]: (fault, fault.strikes(row["met"] + 1))
        for row, fault in _kept(workspace)
        if fault.in_force(workspace.now()) and fits(fault) and _is_of(workspace, fault, known)
    }
    struck = {number: fault for number, (fault, strikes) in met.items() if strikes}
    _count(workspace, met, struck)
    return {number: fault for number, (fault, _) in met.items()}, struck


def _count(workspace: Workspace, met: Iterable[int], struck: Collection[int]) -> None:
    counted = "UPDATE faults SET met = met + 1, struck = struck + ? WHERE number = ?"
    for number in met:
        workspace.change(counted, number in struck, number)


def _kept(workspace: Workspace) -> list[tuple[Row, Fault]]:
    rows = workspace.rows("SELECT * FROM faults ORDER BY number")
    return [(row, Fault.model_validate_json(row["body"])) for row in rows]


def _is_of(workspace: Workspace, fault: Fault, names: set[str]) -> bool:
    """Say whether one of the names is the recipient's, as it is written or another of the same person."""
    if fault.recipient is None:
        return True
    wanted = fault.recipient.casefold()
    if "*" in wanted:
        pattern = wanted.replace("[", "[[]").replace("?", "[?]")
        return any(fnmatchcase(name, pattern) for name in names)
    found = (people.find(workspace, fault.recipient, kind) for kind in ("id", "email", "cio_id"))
    own = {str(person[kind]).casefold() for person in found if person for kind in ("id", "email", "cio_id")}
    return not names.isdisjoint({wanted} | own - {"none"})

"""The controls: faults, the clock, points, and all that the sandbox holds."""

import math
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, Literal
from urllib.parse import unquote

from cio_mcp.sandbox.controls import replaying
from cio_mcp.sandbox.controls.request import NUMBER, ControlRequest
from cio_mcp.sandbox.controls.verifying import hold
from cio_mcp.sandbox.engine import explaining
from cio_mcp.sandbox.faults import book
from cio_mcp.sandbox.faults.fault import Fault, WrongFault, parse
from cio_mcp.sandbox.forgetting.everywhere import forgetting
from cio_mcp.sandbox.moments import ahead, written
from cio_mcp.sandbox.routes import TABLES
from cio_mcp.sandbox.seed import leave_empty, plant
from cio_mcp.sandbox.state import copies, points
from cio_mcp.sandbox.state.steps import Steps, finish, finish_in_turns
from cio_mcp.sandbox.state.workspace import Workspace

# What stands in a path for a point or a fault.
WHICH = "{which}"


class NoSuchControl(LookupError):
    """No control has this method and path; tells those that there are."""


Control = Callable[[ControlRequest], Any]
CONTROLS: dict[tuple[str, str], Control] = {}


def control(method: Literal["GET", "POST", "DELETE"], path: str) -> Callable[[Control], Control]:
    """Return a decorator that registers a control; it raises ValueError for what cannot be done."""

    def register(handler: Control) -> Control:
        CONTROLS[method, path] = handler
        return handler

    return register


def ask(workspace: Workspace, method: str, path: str, body: Any) -> Any:
    """Return what a control answers; raises NoSuchControl, and ValueError for what cannot be done."""
    told = _begun(workspace, method, path, body)
    return finish(workspace, told) if isinstance(told, Generator) else told


async def ask_in_turns(workspace: Workspace, method: str, path: str, body: Any) -> Any:
    """Return what a control answers as `ask` does; what takes long gives way to all else meanwhile.

    Who cancels it leaves what was done so far.
    """
    told = _begun(workspace, method, path, body)
    return await finish_in_turns(workspace, told) if isinstance(told, Generator) else told


def _begun(workspace: Workspace, method: str, path: str, body: Any) -> Any:
    """Return what a control answers, or the steps that it takes."""
    parts = path.split("/")
    for (verb, template), found in CONTROLS.items():
        wanted = template.split("/")
        if verb == method and len(wanted) == len(parts):
            named = [part for want, part in zip(wanted, parts, strict=True) if want == WHICH]
            if all(want in {WHICH, part} for want, part in zip(wanted, parts, strict=True)):
                return found(ControlRequest(workspace, unquote("".join(named)), body))
    known = ", ".join(f"{verb} {name}" for verb, name in sorted(CONTROLS))
    raise NoSuchControl(f"there is no control {method} {path}; there are: {known}")


@control("GET", "/_sandbox/faults")
def faults(asked: ControlRequest) -> Any:
    """Answer the faults, with what they met and struck."""
    return {"faults": book.listed(asked.workspace)}


@control("POST", "/_sandbox/faults")
def add_faults(asked: ControlRequest) -> Any:
    """Put a fault into force, a list of them, or the word `bad-day` for those of a bad day: all or none."""
    body = book.bad_day() if asked.body == "bad-day" else asked.body
    wanted = [_fault(one) for one in (body if isinstance(body, list) else [body])]
    with asked.workspace.transaction():
        numbers = [book.add(asked.workspace, fault) for fault in wanted]
        return {"faults": [one for one in book.listed(asked.workspace) if one["number"] in numbers]}


def _fault(found: Any) -> Fault:
    fault = parse(found)
    if not any(fault.fits_route(method, path.split("/")[1:]) for method, path, _ in TABLES):
        raise WrongFault(f"route: the sandbox has no {fault.route}")
    return fault


@control("DELETE", "/_sandbox/faults")
def remove_faults(asked: ControlRequest) -> Any:
    """Lift all faults."""
    with asked.workspace.transaction():
        return {"removed": book.lift(asked.workspace)}


@control("DELETE", "/_sandbox/faults/{which}")
def remove_fault(asked: ControlRequest) -> Any:
    """Lift one fault, by its number."""
    with asked.workspace.transaction():
        numbers = [fault["number"] for fault in book.listed(asked.workspace)]
        removed = sum(book.lift(asked.workspace, number) for number in numbers if str(number) == asked.which)
    if not removed:
        raise ValueError(f"there is no fault {asked.which}")
    return {"removed": removed}


@control("GET", "/_sandbox/clock")
def clock(asked: ControlRequest) -> Any:
    """Answer what the clock shows."""
    reading = asked.workspace.clock.read()
    return {"now": written(int(reading.now)), "frozen": reading.frozen, "shows": str(reading)}


@control("POST", "/_sandbox/clock")
def move_clock(asked: ControlRequest) -> Steps:
    """Move the clock on and answer what happened on the way, or let it stand or go on.

    With `seconds` it moves for so long at the most, and `reached` says whether it came to its time.
    """
    to, frozen, seconds = asked.fields(to=str, frozen=bool, seconds=NUMBER)
    workspace = asked.workspace
    if to is None and frozen is None:
        raise ValueError("name a time `to` which the clock goes, or whether it is `frozen`")
    moment = ahead(to or "+0s", workspace.now())
    if frozen is not None:
        with workspace.locked():
            (workspace.clock.freeze if frozen else workspace.clock.run)()
    happened = yield from workspace.advancing(moment, math.inf if seconds is None else seconds)
    told = {"to": written(moment), "reached": workspace.now() >= moment, "happened": happened}
    return clock(asked) | told


@control("POST", "/_sandbox/explain")
def explain(asked: ControlRequest) -> Any:
    """Answer why a delivery was made, or why a person got a message or not."""
    delivery, person, message = asked.fields(delivery=str, person=str, message=str)
    if bool(delivery) == bool(person and message):
        raise ValueError("name a delivery, or a person and a message")
    with asked.workspace.transaction():
        try:
            if delivery:
                return {"chain": explaining.delivery(asked.workspace, delivery)}
            return {"chain": explaining.message(asked.workspace, person, message)}
        except explaining.NothingToExplain as unknown:
            raise ValueError(str(unknown)) from None


@control("POST", "/_sandbox/forget")
def forget(asked: ControlRequest) -> Steps:
    """Blank what tells of a person, here and in all points; causes and counts stay."""
    (person,) = asked.fields(person=str)
    if not person:
        raise ValueError("name the `person` by an id, an email or a cio_id")
    return forgetting(asked.workspace, person)


@control("GET", "/_sandbox/points")
def every_point(asked: ControlRequest) -> Any:
    """Answer the points."""
    return {"points": points.listed(asked.workspace)}


@control("POST", "/_sandbox/points")
def add_point(asked: ControlRequest) -> Any:
    """Make a point of what is now."""
    (given,) = asked.fields(name=str)
    name = (given or "").strip()[:100] or "point"
    if name.isdecimal():
        raise ValueError(f"{name} would be taken for the number of a point: give it a name with letters")
    with asked.workspace.transaction():
        return points.add(asked.workspace, name)


@control("POST", "/_sandbox/points/{which}")
def restore_point(asked: ControlRequest) -> Any:
    """Take the sandbox back to a point, by its number or its name."""
    asked.workspace.catch_up()
    with asked.workspace.locked():
        return points.restore(asked.workspace, asked.which)


@control("POST", "/_sandbox/points/{which}/replay")
def replay_point(asked: ControlRequest) -> Steps:
    """Do again here what was asked on the way to a point: what its log has and this one has not."""
    return replaying.replaying(asked.workspace, asked.which)


@control("DELETE", "/_sandbox/points/{which}")
def remove_point(asked: ControlRequest) -> Any:
    """Forget a point."""
    with asked.workspace.locked():
        points.remove(asked.workspace, asked.which)
    return {"removed": 1}


@control("POST", "/_sandbox/reset")
def reset(asked: ControlRequest) -> Any:
    """Reset to real time, with the story or with nothing; the state before is saved as a point."""
    here, (asked_story,) = asked.workspace, asked.fields(story=bool)
    story = asked_story is not False
    with closing(here.beside(here.clock.real)) as fresh:
        (plant if story else leave_empty)(fresh)
        copy = copies.take(fresh)
    with _replacing(here, "before the reset") as point:
        copies.put(here, copy)
    return {"point": point, "story": story}


@contextmanager
def _replacing(workspace: Workspace, name: str) -> Iterator[int | None]:
    """Let a workspace hold something else; provides the number of the point that what it held is then.

    It is None where something that is due fails, so that there is a way out of any state.
    """
    try:
        workspace.catch_up()
    except sqlite3.Error:
        raise
    except Exception:
        works = False
    else:
        works = True
    with workspace.locked():
        yield points.add(workspace, name)["number"] if works else None


@control("GET", "/_sandbox/export")
def export(asked: ControlRequest) -> Any:
    """Answer all that the sandbox holds."""
    asked.workspace.catch_up()
    with asked.workspace.locked():
        return copies.take(asked.workspace)


@control("POST", "/_sandbox/import")
def import_(asked: ControlRequest) -> Any:
    """Hold what an export holds; what was there is a point then."""
    with _replacing(asked.workspace, "before the import") as point:
        hold(asked.workspace, asked.body)
    return {"point": point}
